"""What machines have handed in of themselves since a run: the newest look at each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kitsurvie.cli import told
from kitsurvie.cli.view import HostView
from kitsurvie.ledger import Ledger, Outcome, Run, Seen

INGEST = "ingest"


@dataclass(frozen=True, slots=True)
class OwnLook:
    """A look that a machine made at itself, and where it stood by that."""

    state: Outcome
    detail: str
    seen: Seen


def since(ledger: Ledger, run: Run, looked: Mapping[str, Seen]) -> Mapping[str, OwnLook]:
    """The newest look that each host handed in since a run began, if it is newer than the run's.

    `looked` are the run's own looks; a host that did not answer in it has none that counts.
    """
    found: dict[str, OwnLook] = {}
    for one in ledger.runs(INGEST, limit=None, since=run.started_at):
        states = ledger.hosts(one.id)
        wanted = [name for name in states if name not in found]
        for name, seen in ledger.seen(one.id, wanted).items() if wanted else ():
            ours = looked.get(name)
            if ours is None or ours.evidence is None or ours.at < seen.at:
                found[name] = OwnLook(*states[name], seen)
    return found


def words(views: Iterable[HostView]) -> list[str]:
    """The line of the first screen that says so; empty when none did."""
    own = [view for view in views if view.own and view.at is not None]
    if not own:
        return []
    last = max(view.at for view in own if view.at is not None)
    looked = "has looked at itself" if len(own) == 1 else "have looked at themselves"
    return [f"Since then {told.count(len(own), 'machine')} {looked}, last on {told.day(last)}."]
