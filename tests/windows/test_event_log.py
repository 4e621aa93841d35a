"""Every kind of event has an id of its own in the Event Log. Wine stores none of them: what
it is handed can be seen."""

import re

from lib.waiting import wait_until

RENEWED = 100  # daemon/windows/messages.mc


def test_a_renewal_is_reported_with_its_id(setup, pebble, xc, wine, binary):
    xc.start()
    daemon = setup(pebble)
    log = daemon.folder / "trace.log"
    running = wine.background(binary, "--config", wine.path(daemon.config_path), "run",
                              log=log, env={"WINEDEBUG": "fixme+advapi,+eventlog"})
    try:
        wait_until(lambda: "ReportEventW" in log.read_text(errors="replace"), 60,
                   "an event reported")
    finally:
        running.kill()
    calls = re.findall(r"ReportEventW \(\w+,0x\w+,0x\w+,0x(\w+)",
                       log.read_text(errors="replace"))
    assert calls, log.read_text(errors="replace")[-2000:]
    assert {int(call, 16) & 0xffff for call in calls} >= {RENEWED}, calls
    assert xc.served("xc.example").thumbprint == xc.thumbprint()
