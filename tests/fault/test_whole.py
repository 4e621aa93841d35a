"""Behind the other two: the seam has no call site that met nothing."""

import pytest

from faults import scenarios, unreached


def test_every_call_site_of_the_seam_met_its_fault_or_has_a_reason(injectors, sites):
    """tests/fault/sites prints them."""
    if not sites.tests >= {"errands", *(scenario.name for scenario in scenarios.ALL)}:
        pytest.skip("not every scenario was taken")
    (seam,) = [injector for injector in injectors if injector.name == "seam"]
    every = {(site.name, site.where) for site in seam.program.sites.values()}
    left = {f"{where}: {name}" for name, where in every - sites.met
            if unreached.named(name, where) not in unreached.REASONS}
    assert not left, "no scenario comes by, or none could fail:\n" + "\n".join(sorted(left))
    met = {unreached.named(*site) for site in sites.met}
    assert not met & set(unreached.REASONS), "these are reached: they need no reason"
