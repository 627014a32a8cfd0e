"""A past run judged again: what is otherwise than was told then, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.text import Text

from kitsurvie.cli import told
from kitsurvie.cli.told import SUPPORTED_RELEASE
from kitsurvie.ledger.looks import OF_THE_MACHINE
from kitsurvie.model import Status, Verdict

# what is said of a check whose command that night did not ask
NOT_ASKED = "It was not asked that night: only a new look can tell (kitsurvie compliance run)."
LINES_SHOWN = 12


class Kind(StrEnum):
    """How a check is otherwise, under the name that the document has for it."""

    CHANGED = "changed"
    NEW = "new"
    NOT_ASKED = "not_asked"
    NO_LONGER = "no_longer_asked"


_HEADS = {
    Kind.CHANGED: ("Judged otherwise", "yellow"),
    Kind.NEW: ("Checks that did not exist then", "cyan"),
    Kind.NOT_ASKED: ("Not asked that night", "red"),
    Kind.NO_LONGER: ("No longer asked", "dim"),
}


@dataclass(frozen=True, slots=True)
class Otherwise:
    """One check of one host that is not told as it was; None where it was not, or is no more."""

    kind: Kind
    host: str
    measure: str
    check: str
    was: Status | None
    now: Status | None


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A host of the run that could not be judged again, and why."""

    host: str
    why: str


@dataclass(frozen=True, slots=True)
class Rejudgement:
    """When a run was judged again, and what came of it. `opening` says so in a sentence."""

    at: float
    opening: str
    otherwise: tuple[Otherwise, ...] = ()
    not_judged: tuple[NotJudged, ...] = field(default=())

    def of(self, kind: Kind) -> tuple[Otherwise, ...]:
        """What is otherwise in that way."""
        return tuple(one for one in self.otherwise if one.kind is kind)


def compared(
    host: str, then: Iterable[Verdict], now: Iterable[Verdict], shown: Iterable[Verdict]
) -> Iterator[Otherwise]:
    """What is otherwise on a host. `shown` are the verdicts of `now` as today's waivers have them.

    A drift that is waived is the same drift. That its system is supported is told of a machine when
    it is not, alone: where it is not told, it was met.
    """
    before = {(one.measure, one.check): one.status for one in then}
    after = {(one.measure, one.check): one for one in now}
    told_as = {(one.measure, one.check): one.status for one in shown}
    for key in dict.fromkeys((*before, *after)):
        met = Status.COMPLIANT if key == (OF_THE_MACHINE, SUPPORTED_RELEASE) else None
        was = before.get(key, met)
        verdict = after.get(key)
        if verdict is None:
            if met is None or was is not met:
                kind = Kind.NO_LONGER if met is None else Kind.CHANGED
                yield Otherwise(kind, host, *key, was, met)
        elif verdict.message == NOT_ASKED:
            yield Otherwise(Kind.NOT_ASKED, host, *key, was, verdict.status)
        elif was is not verdict.status:
            kind = Kind.NEW if was is None else Kind.CHANGED
            yield Otherwise(kind, host, *key, was, told_as[key])


def summary(found: Rejudgement) -> str:
    """How much is otherwise, in a sentence."""
    if not found.otherwise:
        return "Every check that could be judged again says what it said then."
    parts = []
    for kind, (head, _) in _HEADS.items():
        ones = found.of(kind)
        if ones:
            checks = told.count(len(ones), "verdict")
            parts.append(f"{head.lower()}: {checks} on {told.count(told.hosts_of(ones), 'host')}")
    said = "; ".join(parts)
    return f"{said[0].upper()}{said[1:]}."


def show(console: Console, found: Rejudgement) -> None:
    """By check, since what befalls many machines has one cause; the document has each host."""
    for kind, (head, style) in _HEADS.items():
        groups: dict[str, list[str]] = {}
        for one in found.of(kind):
            groups.setdefault(_line(one), []).append(one.host)
        if not groups:
            continue
        title = Text("\n")
        title.append(head, style=f"bold {style}")
        console.print(title.append(f"  {told.count(len(groups), 'check')}"))
        ranked = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
        for line, hosts in ranked[:LINES_SHOWN]:
            console.print(Text(f"  {line}: {told.names(hosts)}"))
        if len(ranked) > LINES_SHOWN:
            more = f"  and {len(ranked) - LINES_SHOWN} more (--json has them all)"
            console.print(Text(more, style="dim"))


def _line(one: Otherwise) -> str:
    name = f"{one.measure} / {one.check}"
    match one.kind:
        case Kind.CHANGED:
            return f"{name}: {_word(one.was)} then, {_word(one.now)} now"
        case Kind.NEW:
            return f"{name}: {_word(one.now)}"
        case Kind.NOT_ASKED if one.was is None:
            return f"{name}: unknown, and did not exist then"
        case Kind.NOT_ASKED:
            return f"{name}: {_word(one.was)} then, unknown now"
        case _:
            return f"{name}: {_word(one.was)} then"


def _word(status: Status | None) -> str:
    return "-" if status is None else status.value.replace("_", " ")


def document(found: Rejudgement) -> dict[str, Any]:
    """The same as docs/reference/json.md says it, by host."""
    hosts: dict[str, dict[str, Any]] = {}
    for one in found.otherwise:
        mine = hosts.setdefault(one.host, {"host": one.host, **{kind.value: [] for kind in Kind}})
        mine[one.kind.value].append(
            {
                "measure": one.measure,
                "check": one.check,
                "was": one.was.value if one.was else None,
                "status": one.now.value if one.now else None,
            }
        )
    return {
        "at": told.iso(found.at),
        "otherwise": list(hosts.values()),
        "not_judged": [{"host": one.host, "why": one.why} for one in found.not_judged],
    }
