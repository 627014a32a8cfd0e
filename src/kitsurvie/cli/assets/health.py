"""`kitsurvie assets health`: what inventories say of machines that kitsurvie does not touch."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from kitsurvie.assets import health as judged
from kitsurvie.assets import support
from kitsurvie.assets.devices import Device
from kitsurvie.assets.finding import TITLES, Check, Finding, Limits
from kitsurvie.assets.life import State
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.listing import MemberName
from kitsurvie.cli.formats import rows
from kitsurvie.cli.language import Language, language
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import ExitCode, UsageError, WorkspaceError
from kitsurvie.model import Status
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

FIRST_SHOWN = 10
STATUSES = (Status.COMPLIANT, Status.DRIFT, Status.NOT_APPLICABLE, Status.UNKNOWN)
# what lets somebody in comes before what only fails some day
URGENCY = (
    Check.SYSTEM_SUPPORTED, Check.ANTIVIRUS, Check.FIREWALL, Check.DISK_ENCRYPTED,
    Check.FREE_SPACE, Check.AGE, Check.INVENTORY_FRESH,
)  # fmt: skip
COLUMNS = (
    "member", "siren", "device", "name", "kind", "model", "serial", "check", "status", "seen",
    "found", "expected", "sentence",
)  # fmt: skip
WORDS = {
    "en": {
        "check": "check", "first": "First", "member": "member", "machine": "machine",
        "what": "what is wrong",
        Status.COMPLIANT: "compliant", Status.DRIFT: "drift",
        Status.NOT_APPLICABLE: "not asked", Status.UNKNOWN: "unknown",
    },
    "fr": {
        "check": "contrôle", "first": "D’abord", "member": "membre", "machine": "machine",
        "what": "ce qui ne va pas",
        Status.COMPLIANT: "conforme", Status.DRIFT: "écart",
        Status.NOT_APPLICABLE: "non demandé", Status.UNKNOWN: "inconnu",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """A device and what is said of it, a finding for each check."""

    device: Device
    findings: tuple[Finding, ...]

    @property
    def drifts(self) -> list[Finding]:
        """What is wrong, the most urgent first."""
        wrong = [one for one in self.findings if one.status is Status.DRIFT]
        return sorted(wrong, key=lambda one: URGENCY.index(one.check))


def health(
    member: MemberName = None,
    check: Annotated[
        Check | None, typer.Option("--check", help="What is wrong by this check alone.")
    ] = None,
    lang: Annotated[
        Literal["fr", "en"] | None, typer.Option(help="The language; else that of LANG.")
    ] = None,
    csv_: Annotated[
        bool, typer.Option("--csv", help="Print a table for a spreadsheet and nothing else.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say what inventories say of machines that are not touched: systems without updates,
    antivirus, firewall, disks, age.

    Where inventories are silent or old, it is unknown, never compliant nor drift.

    Exit code: 0 nothing is wrong by what is known, 1 something is, 2 configuration.
    """
    if csv_ and json:
        raise UsageError("--csv and --json are two things.", remedy="Ask for one of them.")
    place = find(workspace)
    limits = Limits(extended=_extended(place))
    today = clock.today()
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        every = [
            Judged(one, findings)
            for one in estate.devices.values()
            if member is None or one.member == member
            if estate.life(one.id).state is not State.DISCARDED
            if (findings := _judge(one, estate, today, limits))
        ]
    every.sort(key=_rank)
    if csv_:
        output.raw(_table(every, estate, check, language(lang)))
    elif json:
        output.document("assets_health", _document(every, estate, check, today))
    else:
        _say(every, estate, check, language(lang))
    wrong = any(_shown(one, check) for one in every)
    return ExitCode.DRIFT if wrong else ExitCode.COMPLIANT


def _extended(place: Place) -> frozenset[str]:
    known = support.extendable()
    for name in place.extended_support:
        if name not in known:
            raise WorkspaceError(
                f"There is no paid extension of {name!r} that kitsurvie knows of.",
                where=str(place.root / "kitsurvie.toml"),
                remedy=f"Set extended_support to some of {', '.join(sorted(known))}.",
            )
    return frozenset(place.extended_support)


def _judge(device: Device, estate: Estate, today: date, limits: Limits) -> tuple[Finding, ...]:
    records = [estate.records[name] for name in device.records]
    return judged.judge(device, records, today, limits)


def _rank(one: Judged) -> tuple[list[int], date, str]:
    """The most urgent drift first, then the next of it, then the older machine."""
    wrong = [URGENCY.index(f.check) for f in one.drifts] or [len(URGENCY)]
    return wrong, one.device.bought or date.max, one.device.id


def _shown(one: Judged, check: Check | None) -> list[Finding]:
    return [f for f in one.drifts if check is None or f.check is check]


# -- for people ---------------------------------------------------------------------------------


def _say(every: Sequence[Judged], estate: Estate, check: Check | None, lang: Language) -> None:
    words = WORDS[lang]
    if not every:
        output.say(
            "Aucun ordinateur dans le registre. Commencer par : kitsurvie assets import PATH"
            if lang == "fr"
            else "There is no computer in the register. Begin with: kitsurvie assets import PATH"
        )
        return
    wrong = [one for one in every if _shown(one, check)]
    if lang == "fr":
        output.say(f"{len(every)} ordinateurs, dont {len(wrong)} avec un écart.")
    else:
        computers = told.count(len(every), "computer")
        output.say(f"{computers}, {len(wrong)} of them with something wrong.")
    _say_counts(every, words, lang)
    if not wrong:
        return
    output.say("")
    _say_first(wrong, estate, check, words, lang)
    if len(wrong) > FIRST_SHOWN:
        more = "--member, --check, --csv, --json"
        rest = len(wrong) - FIRST_SHOWN
        output.say(f"et {rest} de plus ({more})" if lang == "fr" else f"and {rest} more ({more})")


def _say_counts(every: Sequence[Judged], words: Any, lang: Language) -> None:
    counts = Counter((f.check, f.status) for one in every for f in one.findings)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(words["check"], no_wrap=True)
    for status in STATUSES:
        table.add_column(words[status], justify="right")
    for one in Check:
        cells = [str(counts[one, status] or "") for status in STATUSES]
        table.add_row(getattr(TITLES[one], lang), *cells)
    output.stdout().print(table)


def _say_first(
    wrong: Sequence[Judged], estate: Estate, check: Check | None, words: Any, lang: Language
) -> None:
    table = Table(
        title=words["first"], title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    for heading in ("member", "machine", "what"):
        table.add_column(words[heading], overflow="fold")
    for one in wrong[:FIRST_SHOWN]:
        device = one.device
        named = f"{device.id} {device.name or device.serial or device.model}"
        said = " ".join(getattr(finding.text, lang) for finding in _shown(one, check))
        cells = (estate.member(device.member), named, said)
        table.add_row(*map(output.printable, cells))
    output.stdout().print(table)


# -- for programs -------------------------------------------------------------------------------


def _document(
    every: Sequence[Judged], estate: Estate, check: Check | None, today: date
) -> dict[str, Any]:
    counts = judged.summary((one.device, one.findings) for one in every)
    return {
        "on": today.isoformat(),
        "computers": len(every),
        "summary": [
            {
                "member": _member(one.member, estate),
                "check": one.check.value,
                "status": one.status.value,
                "devices": one.devices,
            }
            for one in counts
        ],
        "devices": [
            {
                "id": one.device.id,
                "name": one.device.name,
                "kind": one.device.kind.value,
                "model": one.device.model,
                "serial": one.device.serial,
                "member": _member(one.device.member, estate),
                "findings": [
                    _finding(f) for f in one.findings if check is None or f.check is check
                ],
            }
            for one in every
        ],
    }


def _member(siren: str | None, estate: Estate) -> dict[str, str] | None:
    return {"siren": siren, "name": estate.member(siren)} if siren else None


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "check": one.check.value,
        "status": one.status.value,
        "found": one.found,
        "expected": one.expected,
        "seen": one.seen.isoformat() if one.seen else None,
        "sentence": {"fr": one.text.fr, "en": one.text.en},
    }


def _table(every: Iterable[Judged], estate: Estate, check: Check | None, lang: Language) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in every:
        device = one.device
        for finding in one.findings:
            if check is not None and finding.check is not check:
                continue
            cells = (
                estate.member(device.member), device.member or "", device.id, device.name,
                device.kind.value, device.model, device.serial, finding.check.value,
                finding.status.value, finding.seen or "", finding.found, finding.expected,
                getattr(finding.text, lang),
            )  # fmt: skip
            writer.writerow([rows.cell(cell) for cell in cells])
    return stream.getvalue().encode("utf-8-sig")
