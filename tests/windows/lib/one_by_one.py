"""Between the CA and http.sys: Wine's loses requests that come at the same moment, and
Pebble looks three times at once. Here one of them goes on, alone, and all get its answer;
one that was lost all the same is asked again. Pebble waits five seconds."""

import socket
import threading
from concurrent.futures import Future

from .pebble import Pebble
from .waiting import free_port

PATIENCE = (1.2, 1.5, 1.5)  # seconds


class OneByOne:
    """Listens on `port` on loopback, hands one connection after the other to `target`."""

    def __init__(self, target):
        self.target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._asking, self._asked_for, self._lock = threading.Lock(), {}, threading.Lock()
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client):
        """A request without a body, and the answer until http.sys has said all of it."""
        client.settimeout(5)
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                request += self._more(client)
            head, rest = request.split(b"\r\n\r\n", 1)
            # Wine's compares the port that the request names with its own
            head = head.replace(b":%d\r\n" % self.port, b":%d\r\n" % self.target)
            client.sendall(self._shared(head + b"\r\nConnection: close\r\n\r\n" + rest))
        except (OSError, EOFError):
            pass  # whoever looked sees that nobody answered
        finally:
            client.close()

    def _shared(self, request):
        """Asks, or waits for who asks the same."""
        with self._lock:
            asked = self._asked_for.get(request)
            mine = asked is None
            if mine:
                asked = self._asked_for[request] = Future()
        if mine:
            try:
                with self._asking:
                    asked.set_result(self._asked(request))
            except (OSError, EOFError) as failure:
                asked.set_exception(failure)
            finally:
                with self._lock:
                    del self._asked_for[request]
        return asked.result()

    def _asked(self, request):
        for patience in PATIENCE:
            try:
                with socket.create_connection(("127.0.0.1", self.target), 5) as server:
                    server.settimeout(patience)
                    server.sendall(request)
                    return self._answer(server)
            except (TimeoutError, EOFError, ConnectionResetError):
                continue
        raise EOFError

    @staticmethod
    def _more(peer):
        data = peer.recv(65536)
        if not data:
            raise EOFError
        return data

    def _answer(self, server):
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more(server)
        head, body = answer.split(b"\r\n\r\n", 1)
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self._more(server)
        return head + b"\r\n\r\n" + body

    def close(self):
        self._listener.close()


class PebbleThroughOne(Pebble):
    """`http_port` is where to listen."""

    def __init__(self, folder, **options):
        listen = free_port()
        self.door = OneByOne(listen)
        super().__init__(folder, validate_at=self.door.port, http_port=listen, **options)
        self.listen = f":{listen}"

    def close(self):
        super().close()
        self.door.close()
