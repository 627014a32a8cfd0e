"""The part `energy`: what the probes read in the last thirty days, by EPCI.

Of PCs from five of them up: how long they were on says something of who works there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from kitsurvie.assets.crowd import FEWEST
from kitsurvie.cli.energy import fleet
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.energy.lines import Line, Machine, Method, lines
from kitsurvie.energy.spent import spent
from kitsurvie.metrics import Sample

DAYS = 30
# the methods of a probe, and of several that cover a machine the one by which it is counted
MEASURED = (Method.RAPL, Method.BATTERY)
METHODS = (*MEASURED, Method.MODELLED)


def samples(sources: Sources) -> Iterator[Sample]:
    """Machines with a probe by the best method that covers them, and their joules by method."""
    end = sources.today
    start = end - timedelta(days=DAYS - 1)
    counted = spent(sources.ledger.readings(start, end), start, end)
    if not counted:
        return
    found, _ = fleet.every(sources.estate, counted, sources.factors, DAYS)
    read = [replace(one, whose=sources.epci(one.whose)) for one in found if one.spent]
    for line in lines(read):
        if line.kind in fleet.PERSONAL and line.machines < FEWEST:
            continue
        theirs = [one for one in read if (one.whose, one.kind) == (line.whose, line.kind)]
        yield from _of(line, theirs)


def _of(line: Line, machines: list[Machine]) -> Iterator[Sample]:
    labels = {"epci": line.whose, "kind": line.kind}
    for method in (*METHODS, Method.NONE):
        number = sum(best(one) is method for one in machines)
        yield Sample("kitsurvie_energy_readings_hosts", {**labels, "method": method}, number)
    for method in METHODS:
        joules = line.joules.get(method)
        if joules is None:
            continue
        bounds = ("central",) if method in MEASURED else joules._fields
        for bound in bounds:
            yield Sample(
                "kitsurvie_energy_recent_joules",
                {**labels, "method": method, "bound": bound},
                getattr(joules, bound),
            )


def best(machine: Machine) -> Method:
    """The first of the methods that covers a machine."""
    return next((one for one in METHODS if one in machine.methods), Method.NONE)
