"""The parts of the exporter, one gatherer each: what one of them cannot read stops no other."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator

from kitsurvie.cli.exporter import compliance, energy, equipment, runs, stated_and_named, usage
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.errors import KitsurvieError
from kitsurvie.metrics import Part, Sample, checked

# a part more: a function in a module beside this one, a line here and one in parts.py, and its
# metrics in metrics/catalogue.py
GATHERERS: dict[str, Callable[[Sources], Iterable[Sample]]] = {
    "inventory": stated_and_named.samples,
    "compliance": compliance.samples,
    "runs": runs.samples,
    "equipment": equipment.samples,
    "usage": usage.samples,
    "energy": energy.samples,
}


def gather(sources: Sources, names: Iterable[str]) -> Iterator[Part]:
    """These parts, one after the other; each ready to be shown, or down with its reason."""
    for name in names:
        yield _part(sources, name)
        gc.collect()


def _part(sources: Sources, name: str) -> Part:
    try:
        return checked(Part(name, tuple(GATHERERS[name](sources))))
    except KitsurvieError as error:
        return Part(name, why=f"The part {name} cannot be read: {error}")
    except Exception as error:  # a fault of ours in one part must not silence the others
        fault = f"a fault of kitsurvie itself ({type(error).__name__})"
        return Part(name, why=f"The part {name} cannot be read: {fault}. Please report it.")
