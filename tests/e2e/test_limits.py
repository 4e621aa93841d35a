"""What stands between us and the CA: the circuit breaker, and a proxy on the way."""

import json
import socket
import threading

from conftest import issuer_of
from lib.waiting import free_port


class Proxy:
    """An HTTP proxy that knows CONNECT and remembers where to."""

    def __init__(self):
        self.asked = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        method, where, _ = head.split(b"\r\n")[0].decode().split()
        assert method == "CONNECT"
        self.asked.append(where)
        host, port = where.rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
        self._pump(server, client)

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self._listener.close()


def test_the_ca_is_spoken_to_through_the_issuers_proxy(setup, pebble, xc):
    proxy = Proxy()
    xc.start()
    daemon = setup(pebble)
    daemon.config["issuers"]["pebble"] = issuer_of(pebble, proxy=proxy.url)
    daemon.write()
    daemon.ok("renew", "xc")
    proxy.close()
    assert proxy.asked == [f"127.0.0.1:{pebble.port}"]
    assert xc.served().thumbprint == xc.thumbprint()


def test_a_proxy_that_is_gone_is_named(setup, pebble, xc):
    port = free_port()
    xc.start()
    daemon = setup(pebble)
    daemon.config["issuers"]["pebble"] = issuer_of(pebble, proxy=f"http://127.0.0.1:{port}")
    daemon.write()
    result = daemon("renew", "xc")
    assert result.code == 1
    assert f"127.0.0.1 port {port}" in result.err


def test_the_circuit_breaker_opens_at_the_third_certificate_of_a_day(
        setup, pebble, xc, webhook):
    xc.start()
    daemon = setup(pebble, webhook)
    daemon.ok("renew", "xc")
    daemon.ok("renew", "xc", "--force")
    served = xc.served().thumbprint
    orders = pebble.requests("/order-plz")
    result = daemon("renew", "xc", "--force")
    assert result.code == 1
    assert "the circuit breaker is open: 2 certificates in 24 h" in result.err
    assert "the next one is allowed at " in result.err
    assert pebble.requests("/order-plz") == orders
    assert xc.served().thumbprint == served
    assert "open" in daemon.ok("explain", "xc").out


def test_an_order_that_cannot_be_resumed_is_not_made_anew_past_the_breaker(setup, pebble, xc):
    xc.start()
    daemon = setup(pebble)
    daemon.ok("renew", "xc")
    daemon.ok("renew", "xc", "--force")
    path = daemon.state / "certificates/xc/job.json"
    job = json.loads(path.read_text())
    job.update(order_url=f"https://127.0.0.1:{pebble.port}/my-order/gone",
               order_issuer="pebble", order_directory=issuer_of(pebble)["directory"])
    path.write_text(json.dumps(job))
    orders = pebble.requests("/order-plz")
    result = daemon("renew", "xc", "--force")
    assert result.code == 1
    assert "the circuit breaker is open: 2 certificates in 24 h" in result.err
    assert pebble.requests("/order-plz") == orders


def test_the_circuit_breaker_tells_monitoring_when_nobody_asked(setup, pebble, xc, webhook):
    xc.start()
    daemon = setup(pebble, webhook)
    daemon.ok("renew", "xc")
    daemon.ok("renew", "xc", "--force")
    # Somebody edits what the certificate must be: it is due at once, without a command.
    daemon.config["certificates"]["xc"]["key"] = {"type": "ec-p384"}
    daemon.write()
    result = daemon("renew", "xc")
    assert result.code == 1
    alert = webhook.wait_for("circuit_open")
    assert "at most 2 are allowed" in alert["what"]
