"""Files that somebody else holds open, as virus scanners and editors do on Windows."""

import json


def test_a_tls_json_that_is_held_for_a_moment_is_waited_for(setup, pebble, xc, tool, tmp_path):
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    old = xc.thumbprint()
    held = tool.hold(xc.tls_json, 2500, tmp_path / "hold.log")
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)
    assert xc.served().thumbprint == xc.thumbprint()
    assert not held.running(), "nothing was held: the test shows nothing"


def test_a_tls_json_that_stays_held_changes_nothing(setup, pebble, xc, tool, tmp_path):
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    old, written = xc.thumbprint(), xc.tls_json.read_bytes()
    orders = pebble.requests("/order-plz")
    held = tool.hold(xc.tls_json, 600000, tmp_path / "hold.log")
    result = daemon("renew", "xc", "--force", timeout=180)
    assert result.code == 1, result
    assert "tls.json" in result.err and "another program holds it open" in result.err
    assert pebble.requests("/order-plz") == orders, "an order was spent on it"
    held.kill()
    assert xc.tls_json.read_bytes() == written
    assert xc.served().thumbprint == old
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)


def test_other_settings_that_carry_the_old_thumbprint_follow_tls_json(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    old = xc.thumbprint()
    other = xc.dir / "config/servers/config/general.json"
    other.parent.mkdir(parents=True)
    text = '{\r\n  "x509": "%s", "port": 8064\r\n}\r\n'
    other.write_bytes((text % old).encode())
    daemon.ok("renew", "xc", "--force")
    assert other.read_bytes() == (text % xc.thumbprint()).encode()
    assert json.loads(other.read_text())["x509"] == xc.served().thumbprint
