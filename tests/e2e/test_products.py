"""What Theobald's applications have beside tls.json: other settings that name the
certificate, a listener that is open to everybody, an hour at which they may be restarted."""

import json
import time

DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
KEY = {"type": "ec-p256"}


def closed_window():
    """One hour, three days from now."""
    day = DAYS[(time.localtime().tm_wday + 3) % 7]
    return [f"{day} 02:00-03:00"]


def test_a_setting_beside_tls_json_follows_the_certificate(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble, key=KEY, target=xc.target())
    daemon.ok("renew", "xc")
    old = xc.served().thumbprint
    general = xc.dir / "config/server/general.json"
    general.write_bytes(b'{\r\n  "number": 1.50,\r\n  "certificate": "%s"\r\n}'
                        % old.lower().encode())
    daemon.ok("renew", "xc", "--force")
    new = xc.served().thumbprint
    assert new != old
    assert general.read_bytes() == (b'{\r\n  "number": 1.50,\r\n  "certificate": "%s"\r\n}'
                                    % new.lower().encode())


def test_plain_http_is_for_the_machine_itself_while_it_lasts(setup, pebble, xc):
    listener = xc.dir / "listener.json"
    listener.write_text(json.dumps({**json.loads(listener.read_text()), "mode": "Any"}))
    before = listener.read_bytes()
    xc.start()
    daemon = setup(pebble, key=KEY, target=xc.target())
    daemon.ok("renew", "xc")
    daemon.ok("fallback", "xc", "on")
    assert json.loads(listener.read_text())["mode"] == "Localhost"
    daemon.ok("fallback", "xc", "off")
    assert listener.read_bytes() == before
    assert xc.served() is not None


def test_a_renewal_waits_for_the_window_and_an_operator_does_not(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble, key=KEY,
                   target=xc.target(maintenance_window=closed_window()))
    said = daemon.ok("renew", "xc")
    assert "waits for the maintenance window" in str(said)
    assert xc.served() is None
    assert "restarts wait until" in str(daemon.ok("explain", "xc"))
    assert daemon.status()["targets"][0]["window_at"]
    daemon.ok("deploy", "xc")
    assert xc.served() is not None
