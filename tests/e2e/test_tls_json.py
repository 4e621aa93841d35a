"""tls.json as operators have it: what is kept byte for byte, what is refused, and that no
order is spent on what can be known before."""

import json
import os
import subprocess

import pytest

KEY = {"type": "ec-p256"}


@pytest.fixture
def renew(setup, pebble, xc, tmp_path):
    """renew(bytes or None): with this tls.json and the application running on what it was
    before, the first renewal. Gives the result."""

    def run(content=None):
        xc.start()
        if content is not None:
            xc.tls_json.write_bytes(content)
        return setup(pebble, key=KEY)("renew", "xc")

    return run


def refused(result, pebble, xc, content, *words):
    """Nothing was ordered, nothing was touched, and the sentence names file and reason."""
    assert result.code == 1, result
    assert str(xc.tls_json) in result.err
    for word in words:
        assert word in result.err, result
    assert pebble.requests("/order-plz") == 0
    assert xc.tls_json.read_bytes() == content
    assert not xc.store.exists()
    assert xc.http()[0] == 200


def test_a_missing_one_is_made(renew, xc):
    assert renew().code == 0
    assert xc.served().thumbprint == xc.thumbprint()
    assert json.loads(xc.tls_json.read_text())["tlsEnabled"] is True


@pytest.mark.parametrize("content, words", [
    (b"", ["empty"]),
    (b"{\n    tlsEnabled: true\n}\n", ["line 2"]),
    (b"[]", ["object"]),
    (b'{"tlsEnabled": true, "certificate": {"thumbprint": "A", "thumbprint": "B"}}',
     ["thumbprint", "twice"]),
    (b'{"tlsEnabled": true, "certificate": "none"}', ["certificate"]),
    (b'{"tlsEnabled": true', ["line 1"]),
], ids=["empty", "not JSON", "an array", "duplicate members", "another type", "cut off"])
def test_one_that_cannot_be_edited_burns_no_order(renew, pebble, xc, content, words):
    refused(renew(content), pebble, xc, content, *words)


def test_bom_crlf_tabs_unknown_members_and_long_numbers_stay(renew, xc, pebble):
    content = ('\ufeff{\r\n\t"futureSetting": 12345678901234567890,\r\n'
               '\t"tlsEnabled" : false,\r\n\t"names": ["\\u00fc", "ü"],\r\n'
               '\t"certificate": {\r\n\t\t"vendor": {"a": [1, 2.50, 1e400]},\r\n'
               '\t\t"thumbprint": "",\r\n\t\t"notAfter": "x",\r\n'
               '\t\t"subjectAltName": "y", "issuer": "z"\r\n\t}\r\n}\r\n').encode()
    result = renew(content)
    assert result.code == 0, result
    written = xc.tls_json.read_bytes()
    served = xc.served()
    assert served.thumbprint.encode() in written
    assert written.startswith(b'\xef\xbb\xbf{\r\n\t"futureSetting": 12345678901234567890,\r\n')
    assert '\t"names": ["\\u00fc", "ü"],\r\n'.encode() in written
    assert b'\t\t"vendor": {"a": [1, 2.50, 1e400]},\r\n' in written
    assert b'\t"tlsEnabled" : true,\r\n' in written
    assert written.count(b"\n") == written.count(b"\r\n") == content.count(b"\r\n")


def test_a_rollback_brings_every_byte_back(renew, xc, pebble):
    content = b'\xef\xbb\xbf{ "tlsEnabled":false,\r\n\t"x": 1e5 }'
    xc.ctl("start")
    xc.misbehave(refuse="no licence")
    result = renew(content)
    assert result.code == 1
    assert xc.refusal("no licence") in result.err
    assert xc.tls_json.read_bytes() == content


def test_roots_link_stays_a_link(renew, xc, tmp_path):
    real = tmp_path / "elsewhere/tls-real.json"
    real.parent.mkdir()
    real.write_text('{"tlsEnabled": false}')
    xc.tls_json.symlink_to(real)
    assert renew().code == 0
    assert xc.tls_json.is_symlink()
    assert os.readlink(xc.tls_json) == str(real)
    assert json.loads(real.read_text())["certificate"]["thumbprint"] == xc.served().thumbprint


def test_a_planted_link_is_refused(setup, xc, pebble, tmp_path):
    """Whoever owns the folder of the application must not choose what root overwrites."""
    victim = tmp_path / "shadow"
    victim.write_text("root:secret")
    victim.chmod(0o600)
    folder = xc.tls_json.parent
    xc.start()
    xc.tls_json.symlink_to(victim)
    os.chown(folder, 65534, 65534)
    os.lchown(xc.tls_json, 65534, 65534)
    result = setup(pebble, key=KEY)("renew", "xc")
    assert result.code == 5, result
    assert "which user 'nobody' could have planted" in result.err
    assert pebble.requests("/order-plz") == 0
    assert victim.read_text() == "root:secret"
    assert xc.tls_json.is_symlink()


@pytest.fixture
def read_only(xc):
    folder = xc.tls_json.parent
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_an_unwritable_one_burns_no_order(setup, pebble, xc, read_only):
    with pytest.raises(OSError):
        (read_only / "probe").write_text("")
    xc.start()
    result = setup(pebble, key=KEY)("renew", "xc")
    assert result.code == 1, result
    assert str(read_only) in result.err
    assert "ead-only" in result.err
    assert pebble.requests("/order-plz") == 0
    assert not xc.store.exists()


def test_owner_and_mode_of_the_file_stay(renew, xc):
    xc.tls_json.write_text('{"tlsEnabled": false}')
    xc.tls_json.chmod(0o664)
    os.chown(xc.tls_json, 65534, 33)
    assert renew().code == 0
    facts = xc.tls_json.stat()
    assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o777) == (65534, 33, 0o664)
