"""A hundred renewals in a row, at a CA that refuses nonces as it likes."""

import hashlib
import re
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import issuer_of
from lib.waiting import wait_until

RENEWALS = 100
LANES = 4  # at the same time: Pebble can take no more


def seen_by_python(app, root_pem):
    """SHA-1 of what is served, chain and name verified with only this root trusted."""
    context = ssl.create_default_context(cadata=root_pem)
    with socket.create_connection(("127.0.0.1", app.secure_port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=f"{app.dir.name}.example") as tls:
            return hashlib.sha1(tls.getpeercert(binary_form=True)).hexdigest().upper()


def open_files(daemon):
    return len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))


def renew_in_a_row(daemon, app, root, times):
    """Each renewal is seen served by a new process, and is alone in the store."""
    name, served = app.dir.name, [seen_by_python(app, root)]
    process = (app.dir / "xcctl.pid").read_text()
    for n in range(times):
        daemon.ok("renew", name, "--force")
        served.append(seen_by_python(app, root))
        assert served[-1] not in served[:-1], f"renewal {n} of {name} serves an old one"
        assert app.versions() == [served[-1]]
        before, process = process, (app.dir / "xcctl.pid").read_text()
        assert process != before, "the application was not started again"
    assert daemon.status(name)["sha1"] == served[-1]


def test_a_hundred_renewals_in_a_row_are_served_and_nothing_piles_up(make_pebble, daemon,
                                                                     make_xc):
    pebble = make_pebble(validity_s=3600)  # so short that the circuit breaker lets us
    assert pebble.nonce_reject == 5
    apps = [make_xc(f"xc{lane}") for lane in range(LANES)]
    for app in apps:
        app.start()
    daemon.configure(
        issuers={"pebble": issuer_of(pebble)}, concurrency=LANES,
        certificates={app.dir.name: {
            "hosts": [f"{app.dir.name}.example"], "issuers": ["pebble"],
            "key": {"type": "ec-p256"}, "deploy": [app.target()],
            "challenge": {"type": "http-01", "listen": f"127.0.0.1:{pebble.http_port}"},
        } for app in apps})
    daemon.start()
    wait_until(lambda: all(app.served() for app in apps), 180,
               "the first certificates")
    wait_until(lambda: not daemon.ok("status", "--json").json["daemon"]["running"],
               what="the end of the first renewals")
    root, files = pebble.root(), open_files(daemon)
    with ThreadPoolExecutor(LANES) as pool:
        for lane in [pool.submit(renew_in_a_row, daemon, app, root, RENEWALS // LANES)
                     for app in apps]:
            lane.result()
    for app in apps:
        versions = daemon.state / "certificates" / app.dir.name / "versions"
        assert len(list(versions.iterdir())) == 1
    assert open_files(daemon) <= files + LANES
    assert daemon.stop() == 0
    assert "failed" not in daemon.log()
    log, orders = pebble.log(), RENEWALS + LANES
    assert len(re.findall(r"There are now \d+ accounts", log)) == 1
    assert len(re.findall(r"Issued certificate serial", log)) == orders
    asked = sum(log.count(f"POST /{what}") for what in ("order-plz", "finalize-", "certZ/"))
    assert asked > 3 * orders, "the CA refused no nonce at all"
