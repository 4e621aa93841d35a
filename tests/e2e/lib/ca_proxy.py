"""A CA that misbehaves: a proxy in front of Pebble that answers for it, changes what it
answers, holds requests back, or lies about the time. What is not told otherwise goes
through, so that accounts, nonces and signatures stay real."""

import email.utils
import http.client
import http.server
import json
import ssl
import threading
import time

import pytest

from .authority import Authority

PASSED_ON = ("Content-Type", "User-Agent", "Accept")
KEPT_BACK = ("date", "content-length", "connection", "transfer-encoding")


class Answer:
    """`deliver(handler, answer)`, if set, sends it in another way than a good server."""

    def __init__(self, status, body=b"", type="application/problem+json", **headers):
        self.status = status
        self.deliver = None
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.headers = {"Content-Type": type,
                        **{k.replace("_", "-"): v for k, v in headers.items()}}

    @property
    def json(self):
        return json.loads(self.body)

    @json.setter
    def json(self, value):
        self.body = json.dumps(value).encode()


def problem(status, kind, detail, **headers):
    body = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": detail, "status": status}
    return Answer(status, body, **headers)


class CaProxy:
    """`rules` maps a part of the path to what happens there: an Answer instead of
    Pebble's, or a function(answer) that changes Pebble's. Paths of Pebble: /dir /nonce-plz
    /sign-me-up /order-plz /my-order/ /authZ/ /chalZ/ /finalize-order/ /certZ/."""

    def __init__(self, folder, pebble, names=("127.0.0.1",)):
        folder.mkdir(parents=True)
        self.pebble = pebble
        self.rules = {}
        self.seen = []  # paths, in order
        self.host = "127.0.0.1"  # in the URLs that the CA hands out
        self.date_offset_s = 0
        self._idle, self._idle_lock = [], threading.Lock()  # connections to Pebble
        self._dropped = False
        self._held, self._reached, self._release = None, threading.Event(), threading.Event()
        authority = Authority(f"Proxy {folder.name}")
        leaf = authority.issue(*names)
        self.ca_bundle = folder / "proxy-root.pem"
        self.ca_bundle.write_text(authority.root_pem)
        (folder / "chain.pem").write_text(leaf.fullchain_pem)
        (folder / "key.pem").write_text(leaf.key_pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "chain.pem", folder / "key.pem")
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = lambda *args: None  # clients that hung up
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.http_port = pebble.http_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,),
                         daemon=True).start()

    @property
    def directory(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def count(self, part):
        return len([path for path in self.seen if part in path])

    def hold(self, part):
        """The next requests there get no answer until release() or drop()."""
        self._dropped = False
        self._reached.clear()
        self._release.clear()
        self._held = part

    def wait_held(self, timeout=20):
        if not self._reached.wait(timeout):
            raise TimeoutError(f"nobody asked for {self._held}; seen: {self.seen}")

    def release(self):
        """Those that were held get their answer."""
        self._held = None
        self._release.set()

    def hold_on(self, part):
        """Lets those that are held go on, and holds others there."""
        before = self._release
        self._release = threading.Event()
        self._held = part
        before.set()

    def drop(self):
        """Those that were held never reach the CA."""
        self._dropped = True
        self.release()

    def _handler(proxy):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                proxy.seen.append(self.path)
                if proxy._held and proxy._held in self.path:
                    proxy._reached.set()
                    proxy._release.wait(60)
                    if proxy._dropped:
                        self.close_connection = True
                        return
                answer = proxy._answer(self, body)
                (answer.deliver or Handler.give)(self, answer)

            do_GET = do_POST = do_HEAD = handle_any

            def give(self, answer):
                self.give_head(answer)
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            def give_head(self, answer):
                self.send_response_only(answer.status)
                date = email.utils.formatdate(time.time() + proxy.date_offset_s, usegmt=True)
                self.send_header("Date", date)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()

            def log_message(self, *args):
                pass

        return Handler

    def _answer(self, request, body):
        rule = next((rule for part, rule in self.rules.items() if part in request.path), None)
        if isinstance(rule, Answer):
            return rule
        try:
            answer = self._forward(request, body)
        except OSError:
            return Answer(502, b"<h1>Bad Gateway</h1>", "text/html")
        if rule:
            rule(answer)
        return answer

    def _forward(self, request, body):
        headers = {k: request.headers[k] for k in PASSED_ON if k in request.headers}
        return self._ask_pebble(request.command, request.path, body, headers)

    def _ask_pebble(self, method, path, body=None, headers=None):
        connection, kept = self._connection()
        headers = {**(headers or {}),
                   "Host": f"{self.host}:{self.port}"}  # Pebble's URLs lead back to us
        try:
            connection.request(method, path, body or None, headers)
            got = connection.getresponse()
            answer = Answer(got.status, got.read())
        except (OSError, http.client.HTTPException):
            connection.close()
            if kept:  # it has been restarted since
                return self._ask_pebble(method, path, body, headers)
            raise
        answer.headers = {k: v for k, v in got.getheaders() if k.lower() not in KEPT_BACK}
        with self._idle_lock:
            self._idle.append(connection)
        return answer

    def _connection(self):
        """A connection to Pebble, and whether it has been in use before."""
        with self._idle_lock:
            if self._idle:
                return self._idle.pop(), True
        context = ssl.create_default_context(cafile=self.pebble.ca_bundle)
        return http.client.HTTPSConnection("127.0.0.1", self.pebble.port, context=context,
                                           timeout=20), False

    def close(self):
        self.release()
        self._server.shutdown()
        self._server.server_close()
        for connection in self._idle:
            connection.close()


@pytest.fixture
def make_proxy(tmp_path):
    """Puts a CaProxy in front of a Pebble."""
    made = []

    def make(pebble, **options):
        made.append(CaProxy(tmp_path / f"proxy{len(made)}", pebble, **options))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def short_lived(make_pebble):
    """A Pebble whose certificates live an hour: the circuit breaker lets many of them be
    issued in one day."""
    return make_pebble(validity_s=3600, nonce_reject=0)


@pytest.fixture
def proxy(make_proxy, short_lived):
    return make_proxy(short_lived)
