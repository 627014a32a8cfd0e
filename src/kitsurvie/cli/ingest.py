"""`kitsurvie ingest`: judge what machines have handed in of themselves, in one go."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from kitsurvie.cli import context as contexts
from kitsurvie.cli import options as asked_for
from kitsurvie.cli import output, progress, run_lock, stopping, table, told, view
from kitsurvie.cli.context import Context, who
from kitsurvie.cli.handed_in import INGEST
from kitsurvie.cli.recording import opened
from kitsurvie.cli.standing import Standing, standing
from kitsurvie.cli.survey import Look, Survey, read_catalogue
from kitsurvie.cli.told import NOT_LISTED
from kitsurvie.errors import ExitCode
from kitsurvie.ledger import LastHandIn, Ledger, Record, RunState
from kitsurvie.model import Item
from kitsurvie.observe import hand_in
from kitsurvie.observe.hand_in import RefusedHandIn
from kitsurvie.spool import Refused, Spooled, Unreadable, take_away, waiting
from kitsurvie.workspace import find

# looks that share one transaction; each may bring 4 MB
TOGETHER = 20
# a PC's clock may be ahead of ours by that much: it is then believed to have looked when it handed
# in. Further off, or older than what a PC keeps, nobody can say when it looked.
AHEAD_S = 600
OLDEST_S = 35 * 86_400


@dataclass(frozen=True, slots=True)
class Taken:
    """One hand-in that was taken: what it is remembered by, and where the host stands after it."""

    last: LastHandIn
    one: view.HostView

    def document(self) -> dict[str, Any]:
        """As docs/reference/json.md says it."""
        unknown = [f"{v.measure}/{v.check}" for v in self.one.verdicts if v.message == NOT_LISTED]
        return {
            "host": self.last.host,
            "at": _iso(self.last.at),
            "moment": _iso(self.last.moment),
            "arrived": _iso(self.last.arrived),
            "address": self.last.address,
            "state": self.one.state.value,
            "detail": self.one.detail,
            "unknown": unknown,
        }


@dataclass(slots=True)
class Report:
    """What one ingest came to.

    `again` counts what had been taken before, `overtaken` looks that a run of ours has made since.
    """

    run: int | None = None
    taken: list[Taken] = field(default_factory=list)
    refused: list[tuple[Spooled, str]] = field(default_factory=list)
    again: int = 0
    overtaken: int = 0


@stopping.politely()
def ingest(
    wait: Annotated[
        int,
        typer.Option(
            "--wait", min=0, metavar="MINUTES", help="For an ingest that is under way already."
        ),
    ] = 0,
    json: asked_for.Json = False,
    workspace: asked_for.Workspace = None,
) -> int:
    """Judge what PCs that observe themselves have handed in, with today's checks.

    Each look is recorded with the moment it was made. What is no hand-in of that very machine is
    refused, told once and put aside. A night or a deployment may go on meanwhile.

    Exit code: 0, 3 when something was refused, 2 configuration.
    """
    place = find(workspace)
    place.make_state()
    with (
        run_lock.hold(
            place.ingest_lock,
            run_lock.INGEST,
            wait_for_orphan=False,
            tell=output.complain,
            wait_s=wait * 60,
        ),
        opened(place.ledger_url) as ledger,
    ):
        world = contexts.prepare(place.root, None, [])
        report = Ingest(world, ledger).run()
    if json:
        output.document(INGEST, document(report))
    else:
        _say(report)
    return ExitCode.HOSTS if report.refused else ExitCode.COMPLIANT


def document(report: Report) -> dict[str, Any]:
    """The JSON document of an ingest."""
    return {
        "run": report.run,
        "taken": [one.document() for one in report.taken],
        "taken_before": report.again,
        "overtaken": report.overtaken,
        "refused": [
            {"host": one.host, "address": one.address, "why": why} for one, why in report.refused
        ],
    }


class Ingest:
    """One reading of the spool. What is taken is in the ledger before it leaves the spool."""

    def __init__(self, world: Context, ledger: Ledger) -> None:
        self._world = world
        self._ledger = ledger
        catalogue = read_catalogue(world.measures.values())
        self._survey = Survey(
            world.workspace, world.inventory, catalogue, ledger, progress.Progress()
        )
        self._refused = Refused(world.workspace)
        self._last = dict(ledger.hand_ins())
        self._waiting: list[tuple[Spooled, Taken, Record]] = []
        self._report = Report()

    def run(self) -> Report:
        """Take, or refuse, everything that waits.

        Raises Unreadable, once the others are taken, for what cannot be read: that is no fault of
        the machine that handed it in, and it stays where it is.
        """
        unread: list[Unreadable] = []
        try:
            for host, spooled in waiting(self._world.workspace.spool):
                try:
                    self._slot(spooled, self._items(host))
                except Unreadable as error:
                    unread.append(error)
            self._write()
            if unread:
                raise unread[0]
        except BaseException:
            self._end(RunState.INTERRUPTED)
            raise
        self._end(RunState.ENDED)
        return self._report

    def _slot(self, spooled: Iterator[Spooled], items: tuple[Item, ...] | None) -> None:
        for one in spooled:
            self._one(one, items)
            if len(self._waiting) >= TOGETHER:
                self._write()

    def _items(self, host: str) -> tuple[Item, ...] | None:
        return self._world.lay_out([host]).items.get(host)

    def _one(self, one: Spooled, items: tuple[Item, ...] | None) -> None:
        try:
            if one.trouble:
                raise RefusedHandIn(one.trouble)
            if items is None:
                raise RefusedHandIn("the inventory has no machine of that name")
            last, read = believed(one, self._last.get(one.host), time.time())
        except RefusedHandIn as refused:
            self._refuse(one, refused.what)
            return
        if read is None:
            self._report.again += 1
            self._drop(one)
            return
        if self._seen_since(one.host, last.at):
            # an administrator has looked since: yesterday's word must not stand over today's
            self._write()
            self._ledger.handed_in([last])
            self._last[one.host] = last
            self._report.overtaken += 1
            take_away(one)
            return
        look = self._survey.judge_handed_in(one.host, items, read.evidence, last.at)
        waived = self._world.statements.waivers.of(one.host)
        shown = view.HostView(self._world.inventory.hosts[one.host], items, waivers=waived)
        stand(shown, look)
        if any(earlier.host == one.host for earlier, *_ in self._waiting):
            # the ledger takes one look of a host at a time
            self._write()
        self._last[one.host] = last
        record = look.record(shown.recorded, shown.detail)
        self._waiting.append((one, Taken(last, shown), record))

    def _seen_since(self, host: str, at: float) -> bool:
        """Whether the ledger has a later look at the host: one of ours, its own are in order."""
        return self._ledger.last_moments([host]).get(host, at) > at

    def _refuse(self, one: Spooled, why: str) -> None:
        source = f" from {one.address}" if one.address else ""
        output.complain(f"Refused what {one.host} handed in{source}: {output.printable(why)}.")
        self._refused.put_aside(one, why)
        self._report.refused.append((one, why))
        take_away(one)

    def _drop(self, one: Spooled) -> None:
        # what it repeats may wait to be written: then it must not go before it
        self._write()
        take_away(one)

    def _write(self) -> None:
        """First the verdicts, then what tells a replay, then the file goes: a power cut repeats."""
        if not self._waiting:
            return
        if self._report.run is None:
            asked = {"spool": str(self._world.workspace.spool)}
            self._report.run = self._ledger.start_run(INGEST, who(), asked)
        records = [record for *_, record in self._waiting]
        # a night or a deployment may have seen them while they were judged here
        overtaken = self._ledger.record(self._report.run, records, brought_in=True)
        self._ledger.handed_in([taken.last for _, taken, _ in self._waiting])
        for one, taken, _ in self._waiting:
            if taken.last.host in overtaken:
                self._report.overtaken += 1
            else:
                self._report.taken.append(taken)
            take_away(one)
        self._waiting.clear()

    def _end(self, state: RunState) -> None:
        if self._report.run is not None:
            self._ledger.end_run(self._report.run, state)


def believed(
    one: Spooled, last: LastHandIn | None, now: float
) -> tuple[LastHandIn, hand_in.HandIn | None]:
    """What is taken of a spooled file, or None beside what it repeats.

    The slot says whose it is and the control node when it came; the machine's word for the moment
    it looked is believed between its last one and now. Raises RefusedHandIn.
    """
    read = hand_in.read(one.data)
    if read.host != one.host:
        raise RefusedHandIn(f"it speaks for {read.host}, and the key is that of {one.host}")
    if last is not None and last.digest == read.digest:
        return last, None
    arrived = min(float(one.arrived), now)
    ahead = read.moment - arrived
    if ahead > AHEAD_S:
        raise RefusedHandIn(f"it is from {_gap(ahead)} after it came: the machine's clock is wrong")
    if -ahead > OLDEST_S:
        raise RefusedHandIn(f"it is from {_gap(-ahead)} before it came: too old to say anything")
    at = min(float(read.moment), arrived)
    if last is not None and at <= last.at:
        raise RefusedHandIn(
            f"it is from {_iso(at)}, not after the last one taken ({_iso(last.at)}): it was sent "
            "before, or the machine's clock went back"
        )
    moment = float(read.moment)
    return LastHandIn(one.host, moment, arrived, at, read.digest, one.address), read


def stand(shown: view.HostView, look: Look) -> None:
    """Where a host stands by what it handed in: what its list is too old for speaks of the list."""
    shown.take(look, own=True)
    older = [verdict for verdict in look.verdicts if verdict.message == NOT_LISTED]
    if older:
        count = "1 check is" if len(older) == 1 else f"{len(older)} checks are"
        shown.detail = f"{count} newer than its list of commands: kitsurvie deploy renews it"


def _say(report: Report) -> None:
    for one in _newest(report):
        moment = datetime.fromtimestamp(one.last.at)
        detail = f": {output.printable(one.one.detail)}" if one.one.detail else ""
        where = table.WORDS[_standing(one.one)]
        output.say(f"{one.last.host}  {moment:%a %d %B at %H:%M}  {where}{detail}")
    hosts = told.count(len({one.last.host for one in report.taken}), "host")
    again = f", {report.again} taken before" if report.again else ""
    again += f", {report.overtaken} overtaken by a later look" if report.overtaken else ""
    refused = f", {len(report.refused)} refused" if report.refused else ""
    run = f"Run {report.run}: " if report.run is not None else ""
    output.say(f"{run}{len(report.taken)} looks of {hosts} taken{again}{refused}.")


def _standing(one: view.HostView) -> Standing:
    # it has just been heard of
    return standing(one.state, one.verdicts, expected_up=True, days_unseen=0, most_days=1)


def _newest(report: Report) -> Iterator[Taken]:
    newest = {one.last.host: one for one in report.taken}
    yield from newest.values()


def _gap(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
