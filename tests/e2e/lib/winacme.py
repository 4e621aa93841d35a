"""Folders as win-acme leaves them, made from its documented formats (Renewal.cs,
ProtectedString.cs, AccountSigner.cs); nothing here was captured from a machine."""

import base64
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PLUGINS = {
    "manual": "e239db3b-b42f-48aa-b64f-46d4f3e9941b",
    "iis": "54deb3ee-b5df-4381-8485-fe386054055b",
    "single": "b705fa7c-1152-4436-8913-e433d7f84c82",
    "rsa": "b9060d4b-c2d3-49ac-b37f-962e7c3cbe9d",
    "ec": "9aadcf71-5241-4c4f-aee1-bfe3f6be3489",
    "self-hosting": "c7d5e050-9363-4ba1-b3a8-931b31c618b7",
    "file-system": "1c77b3a4-5310-4c46-92c6-00d866e84d6b",
    "azure": "aa57b028-45fb-4aca-9cac-a63d94c76b4a",
    "store": "e30adc8e-d756-4e16-a6f2-450f784b1a97",
    "pem": "e57c70e4-cd60-4ba6-80f6-a41703e21031",
    "pfx": "2a2c576f-7637-4ade-b8db-e8613b0bb33e",
    "script": "3bb22c70-358d-4251-86bd-11858363d913",
    "iis-bindings": "ea6a5be3-f8de-4d27-a6bd-750b619b2ee2",
}


def option(plugin, **members):
    return {"Plugin": PLUGINS[plugin], **members}


def folder_of(base_uri):
    """The endpoint's folder: no scheme, and nothing that a file name may not have."""
    rest = base_uri.split("://", 1)[1].split("@")[-1]
    return "".join(c for c in rest if c not in '"<>|:*?\\/')


def exported(key):
    """KeyType and KeyExport of an account key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        numbers = key.private_numbers()
        size = key.curve.key_size // 8

        def text(value):
            return base64.b64encode(value.to_bytes(size, "big")).decode()

        return f"ES{key.curve.key_size}", json.dumps({
            "HashSize": key.curve.key_size, "D": text(numbers.private_value),
            "X": text(numbers.public_numbers.x), "Y": text(numbers.public_numbers.y)})
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    parts = {"Modulus": numbers.public_numbers.n, "Exponent": numbers.public_numbers.e,
             "P": numbers.p, "Q": numbers.q, "DP": numbers.dmp1, "DQ": numbers.dmq1,
             "InverseQ": numbers.iqmp, "D": numbers.d}
    inner = "".join(
        f"<{name}>{base64.b64encode(n.to_bytes((n.bit_length() + 7) // 8, 'big')).decode()}"
        f"</{name}>" for name, n in parts.items())
    return "RS256", f"<RSAKeyValue>{inner}</RSAKeyValue>"


class WinAcme:
    """A configuration root with one endpoint for `base_uri`, and a program folder."""

    def __init__(self, folder, base_uri="https://acme-v02.api.letsencrypt.org/",
                 client="win-acme", settings=None):
        self.program = folder / "program"
        self.root = folder / client
        self.endpoint = self.root / folder_of(base_uri)
        self.endpoint.mkdir(parents=True)
        self.program.mkdir()
        self.task = f"{client} renew ({self.endpoint.name})"
        content = {"Client": {"ClientName": client, "ConfigurationPath": str(self.root)},
                   "Acme": {"DefaultBaseUri": base_uri}, "Proxy": {"Url": "[System]"},
                   "Security": {"RSAKeyBits": 3072, "ECCurve": "secp384r1"},
                   **(settings or {})}
        # .NET writes the mark
        (self.program / "settings.json").write_text("\ufeff" + json.dumps(content, indent=2))

    def renewal(self, ident, *hosts, validation=None, csr=None, stores=(), installation=(),
                target=None, **members):
        content = {
            "Id": ident,
            "LastFriendlyName": f"[Manual] {hosts[0]}" if hosts else None,
            "TargetPluginOptions": target or option(
                "manual", CommonName=hosts[0], AlternativeNames=list(hosts)),
            "ValidationPluginOptions": validation or option("self-hosting"),
            "CsrPluginOptions": csr or option("rsa"),
            "OrderPluginOptions": option("single"),
            "StorePluginOptions": list(stores),
            "InstallationPluginOptions": list(installation),
            "History": [], **members}
        content = {k: v for k, v in content.items() if v is not None}
        path = self.endpoint / f"{ident}.renewal.json"
        path.write_text(json.dumps(content, indent=2))
        return path

    def account(self, key, url, name=None, protect="plain", encrypt=None):
        """`encrypt` is what the machine's DPAPI makes of a text, in base64."""
        kind, export = exported(key)
        secret = json.dumps({"KeyType": kind, "KeyExport": export})
        text = {"plain": base64.b64encode(secret.encode()).decode(),
                "clear": "clear-" + secret,
                "encrypted": "enc-" + (encrypt(secret) if encrypt else
                                       base64.b64encode(b"\1\0\0\0blob").decode())}[protect]
        prefix = f"{name}." if name else ""
        (self.endpoint / f"{prefix}Signer_v2").write_text(text)
        (self.endpoint / f"{prefix}Registration_v2").write_text(json.dumps(
            {"Kid": url, "TosLink": "https://ca.example/tos", "Payload": {}}))


def key_of(pem):
    return serialization.load_pem_private_key(pem, None)
