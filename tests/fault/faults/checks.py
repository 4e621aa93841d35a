"""What has to hold after every fault, whatever was under way. Each check raises Violation
with a sentence."""

import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.x509 import load_pem_x509_certificate

from lib.waiting import wait_until

# Words that a crash leaves, whatever the exit code.
CRASHES = ("AddressSanitizer", "LeakSanitizer", "runtime error:", "Assertion", "core dumped")


class Violation(AssertionError):
    pass


def require(holds, sentence, *values):
    if not holds:
        raise Violation(sentence + "".join(f"\n    {value}" for value in values))


# -- at any moment


def ended_well(result, scenario):
    """Unless it was meant to die, the command ended by itself and said why."""
    for words in CRASHES:
        require(words not in result.err, f"'{words}' on standard error", result)
    if result.died:
        return
    require(result.code in (0, 1, 2, 3, 5), f"exit code {result.code}", result)
    said = result.err + (result.out if scenario.tells_on == "out" else "")
    require(result.code in (0, 3) or said.strip(), "it failed and said nothing", result)


def signs(folder):
    """Does the key in this version of a store belong to its certificate?"""
    key = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
    public = load_pem_x509_certificate((folder / "cert.pem").read_bytes()).public_key()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        public.verify(key.sign(b"x", ec.ECDSA(hashes.SHA256())), b"x",
                      ec.ECDSA(hashes.SHA256()))
    else:
        public.verify(key.sign(b"x", padding.PKCS1v15(), hashes.SHA256()), b"x",
                      padding.PKCS1v15(), hashes.SHA256())


def application_can_start(app):
    """tls.json is absent, or whole and names a certificate whose key is there."""
    if not app.tls_json.exists():
        return
    try:
        thumbprint = json.loads(app.tls_json.read_text("utf-8-sig"))["certificate"][
            "thumbprint"]
    except (ValueError, KeyError, TypeError) as e:
        raise Violation(f"{app.name}: tls.json is damaged: {e}") from e
    try:
        signs(app.version(thumbprint))
    except Exception as e:
        raise Violation(f"{app.name}: the certificate {thumbprint} that tls.json names "
                        f"does not work: {e!r}") from e


def is_served(app, *allowed):
    """A restart may be under way without us; then one of `allowed` is served."""
    seen = []

    def look():
        seen.append(app.state())
        return seen[-1] in allowed

    try:
        wait_until(look, 10, "it")
    except TimeoutError:
        raise Violation(f"{app.name}: {seen[-1]} is served, not one of {allowed}") from None


def on_its_disk(lane):
    """Everything below the lane's folder but the CA's and what belongs to the test."""
    for top in lane.kept():
        yield top
        if top.is_dir() and not top.is_symlink():
            yield from top.rglob("*")


def keys_are_private(lane):
    for path in on_its_disk(lane):
        if path.is_symlink():
            continue
        try:
            secret = path.is_file() and b"PRIVATE KEY" in path.read_bytes()
            mode = path.stat().st_mode
        except FileNotFoundError:  # of a program that is still ending
            continue
        require(not secret or mode & 0o077 == 0, f"{path} can be read by others")


def at_any_moment(lane, before, served=True):
    """`before`: what each application served when it began."""
    keys_are_private(lane)
    for app, old in zip(lane.apps, before):
        application_can_start(app)
        if served:
            is_served(app, old, app.named() or "http")


# -- the next start looks before it acts


def all_done_but_said(lane, before):
    """The processes of applications that serve their new certificate already, when every
    target's journal is behind its switched files: nobody needs another restart."""
    targets = [journal for path, journal in lane.journals().items() if "/targets/" in path]
    for app, old in zip(lane.apps, before):
        if app.leaf() in (None, old) or app.leaf() != app.named() or \
                app.current() != app.named():
            return []
    if not targets or any(journal["direction"] == "back" or
                          journal["state"] not in ("pointed", "restarted", "verified") or
                          journal["intent"] == "pointed" for journal in targets):
        return []
    if list(lane.state.glob("certificates/xc/targets/*/fallback.json")):
        return []  # the end of a fallback is a transaction of its own
    return [(app, app.processes(), app.leaf()) for app in lane.apps]


def nobody_was_restarted(served):
    """`served` is what all_done_but_said() gave before the next start. For another
    certificate, because the one at hand was found damaged, a restart is due."""
    for app, processes, leaf in served:
        require(app.processes() == processes or app.leaf() != leaf,
                f"{app.name}: it served the new certificate and was restarted all the same")


# -- in the end


def nothing_is_unfinished(lane):
    """But nothing is deleted before a CA or a webhook has confirmed the clock, which is
    remembered last in a run."""
    confirmed = (lane.state / "clock.json").exists()
    for path, journal in lane.journals().items():
        if journal["intent"] == "retired" and journal["end"] == "done" and not confirmed:
            continue
        require(journal["intent"] == "none" and journal["end"] != "none",
                f"{path} is not at its end", journal)


def nothing_piles_up(lane, versions=1):
    """So many certificates are kept, and nothing temporary. In the state directory itself,
    in alerts/ and beside an account a file's next writer takes its temporary name, so one
    there is fine."""
    for app in lane.apps:
        require(len(app.versions()) <= versions,
                f"{app.name}: {len(app.versions())} versions in the store", app.versions())
    kept = lane.state / "certificates/xc/versions"
    found = sorted(p.name for p in kept.iterdir()) if kept.exists() else []
    require(len(found) <= versions, f"{len(found)} versions in the state directory", found)
    for path in on_its_disk(lane):
        require(".damaged" not in path.name, f"{path} was found damaged")
        if path.parent in (lane.state, lane.state / "alerts") or \
                path.parent.parent == lane.state / "accounts":
            continue
        for bad in (".certrenewd-new", ".certrenewd-old"):
            require(bad not in path.name, f"{path} is left")
    if versions == 1:
        for saved in (lane.state / "certificates/xc/targets").glob("*/saved/*"):
            raise Violation(f"{saved} is left")


def in_the_end(lane, versions=1):
    keys_are_private(lane)
    for app in lane.apps:
        application_can_start(app)
        is_served(app, app.named() or "http")
    nothing_is_unfinished(lane)
    nothing_piles_up(lane, versions)
