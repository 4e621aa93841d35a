"""A certificate authority of the tests' own, for servers that certrenewd has to trust (the
API of Pebble, misbehaving CAs) and for certificates nobody issued by ACME."""

import datetime
import ipaddress
import itertools
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _pem(cert):
    return cert.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


_keys, _taken, _lock = [], itertools.count(), threading.Lock()


def _next_key():
    """One after the other out of a few: making one takes longer than most tests' own work."""
    with _lock:  # lanes of the sweep of faults are opened side by side
        number = next(_taken) % 6
        if number == len(_keys):
            _keys.append(rsa.generate_private_key(65537, 2048))
        return _keys[number]


class Leaf:
    def __init__(self, cert, key, chain):
        self.cert, self.key = cert, key
        self.cert_pem, self.key_pem, self.chain_pem = _pem(cert), _key_pem(key), chain
        self.fullchain_pem = self.cert_pem + chain
        self.thumbprint = cert.fingerprint(hashes.SHA1()).hex().upper()


class Authority:
    """Root with one intermediate."""

    def __init__(self, name="Test Authority"):
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._issue_ca(f"{name} Root", self.root_key, f"{name} Root",
                                   self.root_key)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.intermediate = self._issue_ca(f"{name} CA", self.key, f"{name} Root",
                                           self.root_key)
        self.name = f"{name} CA"
        self.root_pem = _pem(self.root)
        self.chain_pem = _pem(self.intermediate)

    @staticmethod
    def _builder(subject, public_key, issuer, not_before, not_after):
        return (x509.CertificateBuilder().subject_name(_name(subject))
                .issuer_name(_name(issuer)).public_key(public_key)
                .serial_number(x509.random_serial_number())
                .not_valid_before(not_before).not_valid_after(not_after))

    def _issue_ca(self, subject, key, issuer, signer):
        now = datetime.datetime.utcnow()
        day = datetime.timedelta(days=1)
        builder = self._builder(subject, key.public_key(), issuer, now - day,
                                now + 3650 * day)
        return (builder.add_extension(x509.BasicConstraints(True, None), True)
                .add_extension(x509.KeyUsage(False, False, False, False, False, True, True,
                                             False, False), True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
                               False)
                .sign(signer, hashes.SHA256()))

    def issue(self, *names, days=90.0, age_days=0.01, key=None, common_name=None,
              client=False):
        """A server certificate valid `days` from now on, made `age_days` ago."""
        now = datetime.datetime.utcnow()
        key = key or _next_key()
        usages = [ExtendedKeyUsageOID.SERVER_AUTH]
        if client:
            usages.append(ExtendedKeyUsageOID.CLIENT_AUTH)
        builder = self._builder(
            names[0] if common_name is None else common_name, key.public_key(), self.name,
            now - datetime.timedelta(days=age_days), now + datetime.timedelta(days=days))
        cert = (builder
                .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), False)
                .add_extension(x509.BasicConstraints(False, None), True)
                .add_extension(x509.ExtendedKeyUsage(usages), False)
                .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self.key.public_key()), False)
                .sign(self.key, hashes.SHA256()))
        return Leaf(cert, key, self.chain_pem)
