"""nginx, which keeps its own port for the challenge, is told to reload by its own command,
and reads fixed files."""

import shutil

import pytest

from lib.daemon import Certrenewd
from lib.handshake import served, verified_by_openssl
from lib.waiting import free_port, port_answers, wait_until


class Site:
    """nginx in the machine, with a certificate that did not come from us."""

    def __init__(self, machine, folder, authority):
        self.machine, self.folder = machine, folder
        self.http, self.https = free_port(), free_port()
        self.config, self.www = folder / "nginx.conf", folder / "www"
        self.files = {name: str(folder / f"{name}.pem") for name in ("key", "fullchain")}
        self.www.mkdir(parents=True)
        self.first = authority.issue("shop.example", days=2)
        (folder / "key.pem").write_text(self.first.key_pem)
        (folder / "fullchain.pem").write_text(self.first.fullchain_pem)
        self.write()
        self.nginx()
        wait_until(lambda: port_answers(self.https), what="nginx")

    def write(self, extra=""):
        self.config.write_text(
            f"pid {self.folder}/nginx.pid; error_log {self.folder}/error.log; user root;\n"
            f"events {{}}\nhttp {{ access_log off; {extra} server {{\n"
            f"listen 127.0.0.1:{self.http}; listen 127.0.0.1:{self.https} ssl;\n"
            f"ssl_certificate {self.files['fullchain']};\n"
            f"ssl_certificate_key {self.files['key']};\nroot {self.www}; }} }}\n")

    def nginx(self, *words, check=True):
        return self.machine("/usr/sbin/nginx", "-c", self.config, *words, check=check)

    def pid(self):
        return (self.folder / "nginx.pid").read_text()

    def served(self):
        return served(self.https, "shop.example")


@pytest.fixture
def site(machine, tmp_path, authority):
    made = Site(machine, tmp_path / "nginx", authority)
    yield made
    made.write()
    made.nginx("-s", "stop", check=False)


@pytest.fixture
def shop(machine, tmp_path, binary, site, make_pebble):
    """certrenewd in the machine. Gives (it, its CA)."""
    from conftest import issuer_of

    pebble = make_pebble(http_port=site.http)
    inside = shutil.copy(binary, tmp_path)  # the machine sees our temporary folders
    daemon = Certrenewd(tmp_path / "daemon", inside, enter=machine.enter)
    daemon.configure(
        issuers={"pebble": issuer_of(pebble)},
        certificates={"shop": {
            "hosts": ["shop.example"], "issuers": ["pebble"], "key": {"type": "ec-p256"},
            "challenge": {"type": "http-01", "webroot": str(site.www)},
            "deploy": [{
                "name": "nginx",
                "store": {"type": "files", "files": site.files, "group": "www-data",
                          "mode": "0640"},
                "service": {"command": ["/usr/sbin/nginx", "-c", str(site.config), "-s",
                                        "reload"]},
                "verify": [{"connect": f"127.0.0.1:{site.https}"}],
                "verify_timeout": "5s", "retire": {"after": "0s"}}]}})
    yield daemon, pebble
    daemon.close()


def test_nginx_serves_the_new_certificate_after_its_reload(shop, site, tmp_path):
    daemon, pebble = shop
    pid = site.pid()
    daemon.ok("renew", "shop")
    assert site.served().names == ["shop.example"]
    assert site.served().thumbprint != site.first.thumbprint
    assert verified_by_openssl(site.https, "shop.example", pebble.root(), tmp_path)
    assert site.pid() == pid
    assert [p for p in site.www.rglob("*") if p.is_file()] == []
    second = site.served()
    daemon.ok("renew", "shop", "--force")
    assert site.served() != second


def test_a_broken_configuration_makes_the_reload_fail_and_goes_back(shop, site):
    daemon, pebble = shop
    key = (site.folder / "key.pem").read_bytes()
    site.write(extra="no_such_directive on;")
    result = daemon("renew", "shop")
    assert result.code == 1, result
    assert 'unknown directive "no_such_directive"' in result.err
    assert "the old certificate is served again" in result.err
    assert site.served().thumbprint == site.first.thumbprint
    assert (site.folder / "key.pem").read_bytes() == key
    assert (site.folder / "fullchain.pem").read_text() == site.first.fullchain_pem
    orders = pebble.requests("/order-plz")
    site.write()
    daemon.ok("deploy", "shop")
    assert pebble.requests("/order-plz") == orders
    assert site.served().thumbprint != site.first.thumbprint
