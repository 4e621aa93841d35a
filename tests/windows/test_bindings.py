"""An old entry that something else on the machine was set up with is left, and said."""

import pytest

RDP = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp"
WINRM = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener\*+HTTPS"


@pytest.mark.parametrize("key, value, kind, called", [
    (RDP, "SSLCertificateSHA1Hash", "REG_BINARY", "Remote Desktop"),
    (WINRM, "certThumbprint", "REG_SZ", "WinRM"),
])
def test_what_another_service_uses_is_not_deleted(setup, pebble, xc, wine, tool, key, value,
                                                  kind, called):
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    old, container = xc.thumbprint(), xc.container()
    wine.run("reg", "add", key, "/v", value, "/t", kind, "/d", old, "/f")
    try:
        result = daemon.ok("renew", "xc", "--force")
        assert xc.serves_another(old)
        assert called in result.text and old in result.text, result
        assert old in tool.entries() and tool.has_key(container)
    finally:
        wine.run("reg", "delete", key, "/f")


def test_a_key_that_another_entry_uses_is_not_deleted(setup, pebble, xc, tool, wine,
                                                      tmp_path):
    """The same key under another certificate, as a renewal with the same key leaves it."""
    xc.start()
    daemon = setup(pebble, key={"type": "rsa-2048", "reuse": True})
    daemon.ok("renew", "xc")
    old, container = xc.thumbprint(), xc.container()
    daemon.ok("renew", "xc", "--force")
    assert xc.serves_another(old)
    assert old not in tool.entries()
    assert xc.container() == container and tool.has_key(container)
    assert tool.signs(xc.thumbprint())
