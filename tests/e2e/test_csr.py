"""A request of the operator's, whose key never comes near certrenewd: ordered, accepted and
deployed without one, renewed when he brings another."""

import http.server
import ssl
import subprocess
import threading

import pytest

from lib.handshake import served

DONE, FAILED, NOTHING = 0, 1, 3
HOSTS = ["xc.example", "www.xc.example"]


class Appliance:
    """Keeps its key to itself and reads the chain anew for each connection."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.chain, self.csr = folder, folder / "chain.pem", folder / "xc.csr"
        self.key = folder / "own.key"
        self.make_key()
        appliance = self

        class Server(http.server.ThreadingHTTPServer):
            def get_request(self):
                connection, address = super().get_request()
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                try:
                    context.load_cert_chain(appliance.chain, appliance.key)
                    return context.wrap_socket(connection, server_side=True), address
                except (OSError, ssl.SSLError) as failure:
                    connection.close()
                    raise OSError(str(failure)) from failure

        self.server = Server(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
        self.server.handle_error = lambda *args: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def make_key(self, hosts=HOSTS):
        san = ",".join(f"DNS:{host}" for host in hosts)
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out",
                        self.csr, "-subj", f"/CN={hosts[0]}", "-addext",
                        f"subjectAltName={san}"], check=True, capture_output=True)

    def public_key(self):
        return subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout"],
                              capture_output=True, text=True, check=True).stdout

    def served(self):
        return served(self.port, HOSTS[0])


def public_key_of(certificate):
    return subprocess.run(["openssl", "x509", "-noout", "-pubkey"], input=certificate.chain[0],
                          capture_output=True, text=True, check=True).stdout


@pytest.fixture
def appliance(tmp_path):
    made = Appliance(tmp_path / "appliance")
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def keep(setup, make_pebble, appliance):
    def configure(hosts=HOSTS):
        target = {"name": "appliance",
                  "store": {"type": "files", "files": {"fullchain": str(appliance.chain)}},
                  "service": {"command": ["/bin/true"]},
                  "verify": [{"connect": f"127.0.0.1:{appliance.port}"}],
                  "verify_timeout": "5s", "retire": {"after": "0s"}}
        return setup(make_pebble(validity_s=3600), hosts=hosts, csr=str(appliance.csr),
                     target=target)

    return configure


def test_the_certificate_of_a_request_is_deployed_without_a_key(keep, appliance):
    daemon = keep()
    daemon.ok("renew", "xc")
    assert sorted(appliance.served().names) == sorted(HOSTS)
    assert public_key_of(appliance.served()) == appliance.public_key()
    version = daemon.state / "certificates/xc/versions/1"
    assert sorted(p.name for p in version.iterdir()) == ["fullchain.pem", "key.store"]
    assert daemon("renew", "xc").code == NOTHING
    assert daemon("deploy", "xc").code == DONE
    first = appliance.served().thumbprint
    daemon.ok("renew", "xc", "--force")
    assert appliance.served().thumbprint != first


def test_another_key_in_the_request_is_a_reason_to_renew(keep, appliance):
    daemon = keep()
    daemon.ok("renew", "xc")
    appliance.make_key()
    result = daemon.ok("renew", "xc")
    assert "the request in 'csr' has another key" in result.text
    assert public_key_of(appliance.served()) == appliance.public_key()


def test_a_request_for_other_names_orders_nothing(keep, appliance):
    appliance.make_key(["xc.example", "other.example"])
    daemon = keep()
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert (f"the request in 'csr', '{appliance.csr}', is for 'xc.example, other.example', and "
            "'hosts' are 'xc.example, www.xc.example': make a new request, or correct 'hosts'"
            ) in result.err
    assert not list((daemon.state / "certificates/xc/versions").glob("*"))


def test_a_request_that_is_none_is_named(keep, appliance):
    daemon = keep()
    appliance.csr.write_text("not a request\n")
    result = daemon("renew", "xc")
    assert result.code == FAILED
    assert f"the request in 'csr', '{appliance.csr}': " in result.err
    appliance.csr.unlink()
    result = daemon("renew", "xc", "--force")
    assert result.code == FAILED and str(appliance.csr) in result.err
