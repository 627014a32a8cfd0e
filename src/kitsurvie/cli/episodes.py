"""Troubles as people count them: a drift that lasted is one, one that comes back is named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kitsurvie.ledger import Interval
from kitsurvie.model import Status, Verdict

# what is not well, or not known to be
TROUBLES = (Status.DRIFT, Status.ERROR, Status.UNKNOWN)


class Episode(NamedTuple):
    """One check of one host in trouble without a break; what it said last is its verdict.

    A night on which it could not be judged between two drifts mends nothing. `to_*` are None while
    it lasts.
    """

    host: str
    verdict: Verdict
    drifted: bool
    from_look: int
    from_run: int
    from_at: float
    to_look: int | None
    to_run: int | None
    to_at: float | None

    @property
    def status(self) -> Status:
        """Drift when it ever was one, else what could not be judged."""
        return Status.DRIFT if self.drifted else self.verdict.status


@dataclass(frozen=True, slots=True)
class Recurrent:
    """A measure that drifted so many times on a host, mended in between."""

    host: str
    measure: str
    times: int
    checks: tuple[str, ...]


def episodes(intervals: Iterable[Interval]) -> tuple[Episode, ...]:
    """The episodes of intervals of trouble, given by host and check, the oldest first."""
    found: list[Episode] = []
    last: Episode | None = None
    for host, verdict, look, run, at, to_look, to_run, to_at in intervals:
        drifted = verdict.status is Status.DRIFT
        if last is not None and last.to_look == look and _same(last, host, verdict):
            found.pop()
            drifted = drifted or last.drifted
            look, run, at = last.from_look, last.from_run, last.from_at
        last = Episode(host, verdict, drifted, look, run, at, to_look, to_run, to_at)
        found.append(last)
    return tuple(found)


def _same(last: Episode, host: str, verdict: Verdict) -> bool:
    told = last.verdict
    return (last.host, told.measure, told.check) == (host, verdict.measure, verdict.check)


def recurrent(found: Iterable[Episode], *, times: int, since: float) -> tuple[Recurrent, ...]:
    """The measures that drifted at least so many times on a host, the most often first.

    A drift counts that lasted or began at `since` or later. Checks of one measure that drift
    together are one drift: the measure was in place again in between, or it is not another.
    """
    groups: dict[tuple[str, str], list[Episode]] = {}
    for one in found:
        if one.drifted and (one.to_at is None or one.to_at >= since):
            groups.setdefault((one.host, one.verdict.measure), []).append(one)
    named = [
        Recurrent(host, measure, _periods(of), tuple(sorted({one.verdict.check for one in of})))
        for (host, measure), of in groups.items()
    ]
    often = [one for one in named if one.times >= times]
    return tuple(sorted(often, key=lambda one: (-one.times, one.host, one.measure)))


def _periods(of: Sequence[Episode]) -> int:
    """Into how many stretches of time the episodes of one measure fall."""
    count = 0
    reached: float = -1
    for one in sorted(of, key=lambda episode: episode.from_look):
        if one.from_look > reached:
            count += 1
        reached = max(reached, float("inf") if one.to_look is None else one.to_look)
    return count
