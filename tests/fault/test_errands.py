"""Short errands, for the call sites of the seam: each that one of them comes by fails or dies
once. It is cheaper here than in the scenarios of test_sweep.py, which take the rest."""

import os

from faults import errands, sweep
from faults.family import Family

LANES = 4 * (os.cpu_count() or 2)


def test_whatever_fails_at_the_seam_in_an_errand_somebody_is_served_and_it_is_done_the_next_time(
        build, tmp_path, injectors, sites):
    (seam,) = [injector for injector in injectors if injector.name == "seam"]
    outcomes, chosen = [], []
    with Family([errand() for errand in errands.ALL], tmp_path, build, LANES) as family:
        for scenario, points in family.record(seam):
            chosen += sites.new_of(sweep.tries_of(scenario, seam, points))
        family.run(seam, chosen, outcomes.append)
    sites.take("errands", outcomes)
