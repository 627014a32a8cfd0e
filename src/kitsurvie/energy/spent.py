"""What a machine spent between two days, out of counters that may have begun again meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby

from kitsurvie.model import Reading

METHODS = ("rapl", "battery", "modelled")
# readings of old are kept one a week
NEAR_DAYS = 7


@dataclass(frozen=True, slots=True)
class Spent:
    """What the probe of a machine counted in a period, in joules and seconds.

    `joules` by method of measure; `modelled` low, central and high; `seconds` by what they say.
    Without data there is nothing, never zero. `start` and `end` are the days (ISO) between which
    it was counted: the end of the one and the end of the other.
    """

    host: str
    machine: str
    chassis: str
    start: str
    end: str
    joules: Mapping[str, float] = field(default_factory=dict)
    modelled: tuple[float, float, float] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def covered(self) -> frozenset[str]:
        """The methods that counted for some time."""
        return frozenset(one for one in METHODS if self.seconds.get(one, 0.0) > 0)


def spent(readings: Iterable[Reading], start: date, end: date) -> tuple[Spent, ...]:
    """What each machine spent from the beginning of `start` to the end of `end`.

    From readings by machine and day, with the last before `start` of each where there is one: it is
    counted from there if that is no more than NEAR_DAYS earlier, else from the first within, since
    nobody knows on which of those days it was spent.
    """
    found = []
    for host, given in groupby(readings, key=lambda one: one.host):
        listed = [one for one in given if one.day <= end.isoformat()]
        within = [one for one in listed if one.day >= start.isoformat()]
        if not within:
            continue
        before = [one for one in listed if one.day < start.isoformat()][-1:]
        if one := _spent(host, before, within, start):
            found.append(one)
    return tuple(found)


def _spent(
    host: str, before: Sequence[Reading], within: Sequence[Reading], start: date
) -> Spent | None:
    last = within[-1]
    joules: dict[str, float] = {}
    seconds: dict[str, float] = {}
    bounds: list[float] | None = None
    earlier = _baseline(before, within[0], start)
    begun = earlier.day if earlier else within[0].since
    for one in within:
        if earlier is None or earlier.since != one.since:
            # it began to count on a day of the period, from nothing
            earlier = None
            if one.since < start.isoformat():
                # and before it: what it had counted by then is of no day
                earlier, begun = one, one.day
                continue
        _add(joules, one.joules, earlier.joules if earlier else {})
        _add(seconds, one.seconds, earlier.seconds if earlier else {})
        if one.modelled is not None:
            base = earlier.modelled if earlier and earlier.modelled else (0.0, 0.0, 0.0)
            more = [max(0.0, new - old) for new, old in zip(one.modelled, base, strict=True)]
            bounds = [a + b for a, b in zip(bounds or (0.0, 0.0, 0.0), more, strict=True)]
        earlier = one
    modelled = (bounds[0], bounds[1], bounds[2]) if bounds else None
    return Spent(
        host, last.machine, last.chassis, begun, last.day, joules, modelled, seconds
    )  # fmt: skip


def _baseline(before: Sequence[Reading], first: Reading, start: date) -> Reading | None:
    """The reading that the first of the period is counted from; None: from nothing, or itself."""
    for one in before:
        near = (start - date.fromisoformat(one.day)).days <= NEAR_DAYS
        if one.since == first.since and near:
            return one
    return None


def _add(sums: dict[str, float], new: Mapping[str, float], old: Mapping[str, float]) -> None:
    for name, value in new.items():
        # a counter that went down is one that lost its past: that day is not known
        sums[name] = sums.get(name, 0.0) + max(0.0, value - old.get(name, 0.0))
