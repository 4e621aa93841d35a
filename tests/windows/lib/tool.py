"""wintool.exe: what LocalMachine stores and key containers hold, asked without certrenewd."""

import json


class Tool:
    def __init__(self, wine, programs):
        self.wine, self.exe = wine, programs / "wintool.exe"

    def __call__(self, *words, check=True):
        done = self.wine.run(self.exe, *words, check=False)
        if done.returncode and not (done.stdout or done.stderr):
            # it says why it fails: Wine, on a busy machine, gave up before it ran
            done = self.wine.run(self.exe, *words, check=False)
        assert not (check and done.returncode), done
        return done.stdout.strip()

    def entries(self, store="My"):
        """{thumbprint: entry} with friendly_name, archived, container, provider, machine."""
        return {entry["thumbprint"]: entry
                for entry in json.loads(self("list", store))}

    def containers(self):
        """Names of every key container of the machine."""
        return json.loads(self("containers"))

    def has_key(self, container):
        return self("exists", container) == "yes"

    def dacl(self, container):
        return self("dacl", container)

    def set_dacl(self, container, sddl):
        self("set-dacl", container, sddl)

    def signs(self, thumbprint, store="My"):
        """Does the entry's key make signatures that its certificate verifies?"""
        return self("sign", store, thumbprint, check=False) == "signed"

    def import_leaf(self, leaf, folder, container, store="My"):
        """Somebody else's certificate with its key; its issuers into CA."""
        cert, key = folder / f"{container}.pem", folder / f"{container}.key"
        cert.write_text(leaf.cert_pem)
        key.write_text(leaf.key_pem)
        self("import", store, self.wine.path(cert), self.wine.path(key), container)
        chain = folder / f"{container}-chain.pem"
        chain.write_text(leaf.chain_pem)
        self("add", "CA", self.wine.path(chain))

    def add(self, store, pem, folder):
        path = folder / "added.pem"
        path.write_text(pem)
        self("add", store, self.wine.path(path))

    def hold(self, path, milliseconds, log):
        """Opens the file without sharing, for so long; returns when it is held."""
        return self._held("hold", self.wine.path(path), milliseconds, log)

    def hold_service(self, name, milliseconds, log):
        """Keeps a handle of the service, for so long."""
        return self._held("hold-service", name, milliseconds, log)

    def _held(self, verb, what, milliseconds, log):
        from .waiting import wait_until

        held = self.wine.background(self.exe, verb, what, milliseconds, log=log)
        wait_until(lambda: "held" in held.text() or not held.running(), what="the hold")
        assert "held" in held.text(), held.text()
        return held


def service_sid(name):
    """The published rule: SHA-1 over the upper-cased name in UTF-16LE, five words."""
    import hashlib
    import struct

    digest = hashlib.sha1(name.upper().encode("utf-16-le")).digest()
    return "S-1-5-80-" + "-".join(map(str, struct.unpack("<5I", digest)))
