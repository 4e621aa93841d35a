"""All ways to disturb a command."""

from .alloc import Allocations
from .powercut import PowerCut
from .seam import Seam
from .syscalls import SystemCalls

ALL = (SystemCalls, PowerCut, Seam, Allocations)


def injectors(build, names=()):
    """Those of that build, or the named ones; RuntimeError when one cannot work."""
    unknown = set(names) - {injector.name for injector in ALL}
    if unknown:
        raise RuntimeError(f"no injector is called {', '.join(sorted(unknown))}: there are "
                           f"{', '.join(injector.name for injector in ALL)}")
    chosen = [kind(build) for kind in ALL if not names or kind.name in names]
    for injector in chosen:
        why = injector.available()
        if why:
            raise RuntimeError(f"{injector.name}: {why}")
    return chosen
