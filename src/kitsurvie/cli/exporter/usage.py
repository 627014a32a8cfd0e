"""The part `usage`: machines that nobody uses, by EPCI and kind, and by member from five agents up.

Where a consultation is on record alone. A kind of which an EPCI has fewer than five machines is
told of with the others, or not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kitsurvie.assets.crowd import FEWEST
from kitsurvie.assets.idle import STEPS, Idle, worths
from kitsurvie.assets.worth import total
from kitsurvie.cli.assets import unused
from kitsurvie.cli.exporter.equipment import bounds
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.energy.lines import JOULES_PER_KWH
from kitsurvie.metrics import Sample

OTHER = "other"


def samples(sources: Sources) -> Iterator[Sample]:
    """Machines whose use is known, how many of them are unused, and what those are worth."""
    found = unused.gather(sources.estate, sources.use, sources.ledger.last_uses(), sources.window)
    by_epci: dict[str, list[Idle]] = {}
    for group in found.groups:
        theirs = found.of(group)
        by_epci.setdefault(group.epci, []).extend(theirs)
        if len(group.members) == 1:
            share = sum(one.days >= STEPS[0] for one in theirs) / len(theirs)
            labels = {"member": min(group.members)}
            yield Sample("kitsurvie_usage_member_unused_ratio", labels, share)
    for epci, theirs in by_epci.items():
        yield from _kinds(epci, theirs)
        yield from _worth(sources, epci, [one for one in theirs if one.days >= STEPS[0]])


def _kinds(epci: str, theirs: Iterable[Idle]) -> Iterator[Sample]:
    listed = list(theirs)
    numbers = Counter(one.device.kind.value for one in listed)
    kinds: dict[str, list[Idle]] = {}
    for one in listed:
        kind = one.device.kind.value
        kinds.setdefault(kind if numbers[kind] >= FEWEST else OTHER, []).append(one)
    for kind, some in kinds.items():
        if len(some) >= FEWEST:
            labels = {"epci": epci, "kind": kind}
            yield Sample("kitsurvie_usage_devices", labels, len(some))
            for step in STEPS:
                number = sum(one.days >= step for one in some)
                said = {**labels, "days": str(step)}
                yield Sample("kitsurvie_usage_unused_devices", said, number)


def _worth(sources: Sources, epci: str, idle: list[Idle]) -> Iterator[Sample]:
    # what very few machines are worth says which they are
    if len(idle) < FEWEST:
        return
    sums = total(worths(one, sources.factors, sources.window.end) for one in idle)
    labels = {"epci": epci}
    yield from bounds("kitsurvie_usage_unused_avoided_purchases", labels, sums.purchase)
    yield from bounds("kitsurvie_usage_unused_purchase_euros", labels, sums.price)
    yield from bounds("kitsurvie_usage_unused_yearly_joules", labels, sums.energy, JOULES_PER_KWH)
