"""What is served, as programs that are not ours see it: openssl and curl."""

import re
import subprocess

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.S)


class Served:
    """One handshake: thumbprint (SHA-1, upper case), subject, names, chain (PEM, leaf first)."""

    def __init__(self, chain):
        self.chain = chain
        text = subprocess.run(
            ["openssl", "x509", "-noout", "-fingerprint", "-sha1", "-subject", "-issuer",
             "-enddate", "-ext", "subjectAltName"],
            input=chain[0], capture_output=True, text=True, check=True).stdout
        self.thumbprint = re.search(r"Fingerprint=(.*)", text)[1].replace(":", "")
        self.subject = re.search(r"subject=(.*)", text)[1].strip()
        self.not_after = re.search(r"notAfter=(.*)", text)[1].strip()
        self.names = re.findall(r"DNS:([^,\s]+)", text)

    def __eq__(self, other):
        return isinstance(other, Served) and self.chain == other.chain

    def __repr__(self):
        return f"<served {self.thumbprint} until {self.not_after}>"


def served(port, name="localhost", host="127.0.0.1"):
    """Served, or None when nobody completes a handshake there."""
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", name,
         "-no-CAfile", "-no-CApath", "-no-CAstore", "-showcerts"], input="", capture_output=True, text=True, timeout=20)
    chain = _PEM.findall(done.stdout)
    return Served(chain) if chain else None


def verified_by_openssl(port, name, root_pem, folder):
    """Does openssl verify chain and name with only this root trusted?"""
    bundle = folder / "openssl-root.pem"
    bundle.write_text(root_pem)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", name,
         "-CAfile", bundle, "-no-CApath", "-verify_return_error", "-verify_hostname", name],
        input="", capture_output=True, text=True, timeout=20)
    return done.returncode == 0 and "Verify return code: 0 (ok)" in done.stdout


def curl(url, *options):
    """(HTTP status or 0, body) as curl sees it, certificates unchecked."""
    done = subprocess.run(
        ["curl", "-sk", "-m", "10", "-w", "\n%{http_code}", *options, url],
        capture_output=True, text=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status or 0), body
