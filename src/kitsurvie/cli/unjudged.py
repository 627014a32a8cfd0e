"""What could not be judged again of a past run, why, and where there are answers instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kitsurvie import inventory as inventories
from kitsurvie.cli import context as contexts
from kitsurvie.cli import handed_in, told, view
from kitsurvie.cli.rejudged import NotJudged, Otherwise
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Ledger, Outcome, Run, RunState
from kitsurvie.workspace import Workspace as Place


@dataclass(slots=True)
class Found:
    """What came of judging a run again. Of a host without evidence: what the ledger says."""

    views: list[view.HostView] = field(default_factory=list)
    otherwise: list[Otherwise] = field(default_factory=list)
    silent: list[view.HostView] = field(default_factory=list)
    pruned: list[view.HostView] = field(default_factory=list)
    mute: list[view.HostView] = field(default_factory=list)


def unjudged(ledger: Ledger, found: Found, past: Run) -> list[NotJudged]:
    """The hosts that could not be judged again, and why."""
    return [*_silent(ledger, found, past), *_told(found.pruned), *_told(found.mute)]


def _silent(ledger: Ledger, found: Found, past: Run) -> Iterator[NotJudged]:
    later = ledger.last_seen([one.host.name for one in found.silent if one.last is None])
    for one in found.silent:
        name, why = one.host.name, f"no answer of it is on record in run {past.id}"
        if name in later:
            why += f"; it first answered later, as in run {later[name].run}"
        elif one.last is not None and one.last.run == past.id:
            why = f"it answered in run {past.id} before it was changed, and not after"
        elif one.last is not None:
            why += f", and last answered before it in run {one.last.run}"
        yield NotJudged(name, why)


def _told(views: Iterable[view.HostView]) -> Iterator[NotJudged]:
    return (NotJudged(one.host.name, one.detail) for one in views)


def notes(
    ledger: Ledger,
    past: Run,
    states: Mapping[str, tuple[Outcome, str]],
    world: contexts.Context,
    limit: str | None,
    found: Found,
) -> Iterator[str]:
    """What is to be said of the hosts that are not judged, and of those judged by a later look."""
    gone = contexts.gone(world, states)
    if gone and limit is None:
        yield f"No longer in the inventory, and not judged: {told.names(gone)}."
    if limit is not None:
        meant = inventories.select(world.inventory, limit)
        missing = [name for name in meant if name not in states]
        if missing:
            yield f"Not in run {past.id}: {told.names(missing)}."
    if found.silent:
        names = told.names([one.host.name for one in found.silent])
        other = _other(ledger, found, past)
        yield f"No answer on record in run {past.id}, and not judged: {names}. {other}"
    if found.pruned:
        names = told.names([one.host.name for one in found.pruned])
        yield f"{_no_longer_kept(world.workspace, past)} Of these machines: {names}."
    if found.mute:
        names = told.names([one.host.name for one in found.mute])
        yield f"Could not say in run {past.id} what they are and carry, and not judged: {names}."
    yield from handed_in.words(found.views)
    if past.state is not RunState.ENDED:
        yield f"Run {past.id} did not come to its end: what is judged is what was seen."


def _no_longer_kept(place: Place, past: Run) -> str:
    return (
        f"What machines answered in run {past.id} is no longer kept: answers are kept for "
        f"{place.evidence_days} days (evidence_days in kitsurvie.toml)."
    )


def nothing_left(ledger: Ledger, past: Run, place: Place, found: Found) -> UsageError:
    """Why no host of the run can be judged again, and which run to take instead."""
    if found.pruned:
        names = [one.host.name for one in found.views]
        runs = reversed(
            ledger.runs("compliance", handed_in.INGEST, limit=None, since=past.started_at)
        )
        oldest = next((r.id for r in runs if r.id > past.id and _kept(ledger, r.id, names)), None)
        other = (
            f"The oldest with answers of these machines is run {oldest}."
            if oldest
            else "No later run has answers of these machines."
        )
        return UsageError(
            _no_longer_kept(place, past),
            remedy=f"{other} What was said then is still shown by: "
            f"kitsurvie compliance show --run {past.id}",
        )
    return UsageError(
        f"No host that is meant has an answer on record in run {past.id}: there is nothing to "
        "judge again.",
        remedy=_other(ledger, found, past),
    )


def _other(ledger: Ledger, found: Found, past: Run) -> str:
    """Where there are answers, still kept, of hosts that gave none in this run."""
    names = [one.host.name for one in found.silent]
    before = [(one.last.run, one.host.name) for one in found.silent if one.last is not None]
    after = [(one.run, name) for name, one in ledger.last_seen(names).items()]
    for number, name in (*sorted(before, reverse=True), *sorted(after, reverse=True)):
        if number != past.id and _kept(ledger, number, [name]):
            command = f"kitsurvie compliance rejudge --run {number} --limit {name}"
            return f"Take one with an answer: {command}"
    return "Take another run; they are listed by: kitsurvie compliance history"


def _kept(ledger: Ledger, run: int, names: list[str]) -> bool:
    """Whether answers of one of these hosts in a run are still kept."""
    looks = ledger.seen(run, names).values()
    return any(evidence is not None for _, evidence in ledger.evidences(looks))
