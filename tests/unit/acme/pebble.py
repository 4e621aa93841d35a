#!/usr/bin/python3
"""A real CA for a test program: Pebble with its DNS, on free ports of loopback.

    pebble.py FOLDER [eab|alternates]

Writes its TLS root to FOLDER/root.pem, prints "DIRECTORY-PORT HTTP-01-PORT" once it answers
and serves until its standard input is closed. With `eab` accounts need the binding of
Pebble's example configuration. With `alternates` it offers two more roots, and believes every
answer to a challenge.
"""
import datetime
import ipaddress
import json
import os
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

EAB = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def write_certificate(folder):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pebble's API")])
    now = datetime.datetime.utcnow()
    cert = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectAlternativeName(
            [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    with open(os.path.join(folder, "root.pem"), "wb") as out:
        out.write(cert.public_bytes(pem))
    with open(os.path.join(folder, "key.pem"), "wb") as out:
        out.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                    serialization.NoEncryption()))


def answers(port, root, processes):
    """False when one of them ended: somebody else was faster with a port."""
    context = ssl.create_default_context(cafile=root)
    for _ in range(600):
        if any(p.poll() is not None for p in processes):
            return False
        try:
            urllib.request.urlopen("https://127.0.0.1:%d/dir" % port, context=context)
            return True
        except OSError:
            time.sleep(0.05)
    return False


def end(processes):
    for process in processes:
        process.kill()
        process.wait()


def start(folder, with_eab, alternates):
    """The ports of API and http-01, and the processes; None when they did not start."""
    api, management, http, tls, dns, dns_api = free_ports(6)
    root = os.path.join(folder, "root.pem")
    config = {
        "listenAddress": "127.0.0.1:%d" % api,
        "managementListenAddress": "127.0.0.1:%d" % management,
        "certificate": root,
        "privateKey": os.path.join(folder, "key.pem"),
        "httpPort": http,
        "tlsPort": tls,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": with_eab,
    }
    if with_eab:
        config["externalAccountMACKeys"] = EAB
    path = os.path.join(folder, "pebble.json")
    with open(path, "w") as out:
        json.dump({"pebble": config}, out)

    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL,
             "stderr": subprocess.DEVNULL}
    environment = dict(os.environ, PEBBLE_VA_NOSLEEP="1", PEBBLE_AUTHZREUSE="0")
    if alternates:
        environment.update(PEBBLE_ALTERNATE_ROOTS="2", PEBBLE_VA_ALWAYS_VALID="1")
    processes = [
        subprocess.Popen(["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1",
                          "-defaultIPv6", "", "-dns01", "127.0.0.1:%d" % dns, "-http01", "",
                          "-https01", "", "-tlsalpn01", "",
                          "-management", "127.0.0.1:%d" % dns_api], **quiet),
        subprocess.Popen(["pebble", "-strict", "-config", path, "-dnsserver",
                          "127.0.0.1:%d" % dns], env=environment, **quiet),
    ]
    if answers(api, root, processes):
        return api, http, processes
    end(processes)
    return None


def main():
    folder = sys.argv[1]
    write_certificate(folder)
    for _ in range(5):
        started = start(folder, "eab" in sys.argv, "alternates" in sys.argv)
        if started:
            break
    else:
        sys.exit("pebble does not start")
    api, http, processes = started
    try:
        print(api, http, flush=True)
        sys.stdin.read()
    finally:
        end(processes)


if __name__ == "__main__":
    main()
