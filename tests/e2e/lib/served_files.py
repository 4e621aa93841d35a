"""The cheapest application: a TLS server that reads key and chain anew for every handshake,
so that nothing has to be restarted. The name that the client asks for chooses the folder."""

import socketserver
import ssl
import threading

from .handshake import served


class ServedFiles:
    """Certificates lie in folder/NAME/{key,fullchain}.pem; `target(name)` is a target of
    `deploy:` that puts them there."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(5)
                try:
                    with context.wrap_socket(self.request, server_side=True) as tls:
                        tls.recv(1)
                except OSError:  # nothing to serve yet, or the client hung up
                    pass

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads, request_queue_size = True, 64

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,),
                         daemon=True).start()

    def _choose(self, tls, name, _):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.folder / name / "fullchain.pem",
                                    self.folder / name / "key.pem")
        except (OSError, TypeError):
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        tls.context = context
        return None

    def target(self, name, **more):
        return {"store": {"type": "directory", "path": str(self.folder / name)},
                "verify": [{"connect": f"127.0.0.1:{self.port}", "server_name": name}], **more}

    def served(self, name):
        """What a client sees; None when nothing is served."""
        return served(self.port, name)

    def has(self, name):
        return (self.folder / name / "fullchain.pem").exists()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
