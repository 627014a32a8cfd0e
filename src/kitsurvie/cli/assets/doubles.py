"""`kitsurvie assets doubles`: who is equipped twice, what to take back first, what it is worth."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets import doubles as judged
from kitsurvie.assets import factors
from kitsurvie.assets.devices import Device
from kitsurvie.assets.doubles import Double, Pattern, Proposal
from kitsurvie.assets.factors import Factors, Figure
from kitsurvie.assets.programs import programs
from kitsurvie.assets.record import Kind
from kitsurvie.assets.use import WINDOW_DAYS, Use, Window
from kitsurvie.assets.worth import Worth, total, worth, yearly
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.listing import MemberName
from kitsurvie.cli.formats import rows
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError
from kitsurvie.workspace import find

FIRST_SHOWN = 10
MEMBERS_SHOWN = 8
# in the order of what to do about them
ORDER = (
    Pattern.DORMANT_SECOND, Pattern.ALTERNATING, Pattern.CONCURRENT, Pattern.UNKNOWN, Pattern.POOL,
    Pattern.EXEMPT,
)  # fmt: skip
WORDS = {
    Pattern.DORMANT_SECOND: "one of the two sleeps",
    Pattern.ALTERNATING: "used in turn",
    Pattern.CONCURRENT: "used together",
    Pattern.UNKNOWN: "no use known: nothing is said",
    Pattern.POOL: "one is shared",
    Pattern.EXEMPT: "exempt",
}
DONE = {
    Proposal.GIVE_UP_LAPTOP: "take the laptop back",
    Proposal.GIVE_UP_DESKTOP: "take the desktop back",
    Proposal.DOCK: "a dock for the laptop, the desktop back",
    Proposal.ASK: "ask",
    Proposal.LEAVE: "leave",
}
COLUMNS = (
    "member", "siren", "person", "verdict", "evidence", "proposal", "laptop", "laptop_name",
    "desktop", "desktop_name", "days_laptop", "days_desktop", "days_both", "days_either",
    "held_by", "years_left", "purchase_low", "purchase", "purchase_high", "eur_low", "eur",
    "eur_high", "kgco2e_low", "kgco2e", "kgco2e_high", "kwh_year_low", "kwh_year",
    "kwh_year_high", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A double, and what the machine that would be given up is worth; None: none is."""

    double: Double
    worth: Worth | None


def doubles(
    member: MemberName = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="The last of the days; yesterday otherwise."),
    ] = None,
    factors_file: Annotated[
        Path | None,
        typer.Option("--factors", metavar="FILE", help="Figures of your own (equipment.md)."),
    ] = None,
    csv_: Annotated[
        bool, typer.Option("--csv", help="Print a table for a spreadsheet and nothing else.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say who is equipped twice, what to take back first, what it is worth and how sure that is.

    Over 90 days. People are pseudonyms; where no use is known, nothing is guessed.
    """
    if csv_ and json:
        raise UsageError("--csv and --json are two things.", remedy="Ask for one of them.")
    end = told.date_of("--until", until) if until else date.today() - timedelta(days=1)
    window = Window(end, WINDOW_DAYS)
    figures = factors.load(factors_file)
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        use = estate.use(window)
    found = _found(estate, use, window, figures, member)
    if csv_:
        output.raw(_table(found, estate))
    elif json:
        output.document("assets_doubles", _document(found, estate, use, window))
    else:
        _say(found, estate, use, window)
    return 0


def _found(
    estate: Estate, use: Use, window: Window, figures: Factors, member: str | None
) -> list[Found]:
    lists = programs(
        estate.devices.values(),
        {name: record.condition.programs for name, record in estate.records.items()},
    )
    every = judged.doubles(
        estate.devices.values(), use, window, estate.exemptions, estate.identity.shared, lists
    )
    return [
        Found(one, _worth(one, estate, figures, window))
        for one in every
        if member is None or one.member == member
    ]


def _worth(one: Double, estate: Estate, figures: Factors, window: Window) -> Worth | None:
    """What the machine is worth that the proposal gives up."""
    match one.proposal:
        case Proposal.GIVE_UP_LAPTOP:
            given, days, kept = estate.devices[one.laptop], one.counts.laptop, Kind.DESKTOP
        case Proposal.GIVE_UP_DESKTOP | Proposal.DOCK:
            given, days, kept = estate.devices[one.desktop], one.counts.desktop, Kind.LAPTOP
        case _:
            return None
    return worth(given, figures, window.end, yearly(days, window.days), moved_to=kept)


# -- on a terminal ------------------------------------------------------------------------------


def _say(found: Sequence[Found], estate: Estate, use: Use, window: Window) -> None:
    people = told.count(len(found), "double")
    output.say(
        f"{people} among {told.count(_computers(estate), 'computer')}, over {window.days} days to "
        f"{window.end.isoformat()}."
    )
    if not found:
        if not use.attached:
            output.say("No use is known: import session days (docs/reference/exports.md).")
        return
    console = output.stdout()
    counts = Counter((one.double.pattern, one.double.evidence.value) for one in found)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what", "how many", "by session days (A)", "by last user (B)", "on paper (C)"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for pattern in ORDER:
        grades = [counts[pattern, grade] for grade in "ABC"]
        if sum(grades):
            table.add_row(WORDS[pattern], str(sum(grades)), *(str(n) if n else "" for n in grades))
    console.print(table)
    back = sorted((one for one in found if one.worth is not None), key=_rank)
    if back:
        _back(back, estate)
    if use.unattached:
        rows_left = told.count(use.unattached, "session row")
        output.say(f"{rows_left} led to no device or to two, and were left out.")


def _back(back: Sequence[Found], estate: Estate) -> None:
    console = output.stdout()
    sums = total(one.worth for one in back if one.worth)
    output.say(f"\nTo take back: {told.count(len(back), 'machine')}. Worth, low - central - high:")
    for name, figure in (
        ("purchases avoided", sums.purchase), ("EUR of purchases", sums.price),
        ("kgCO2e of making", sums.embodied), ("kWh a year", sums.energy),
        ("kgCO2e of use a year", sums.use_carbon), ("EUR of power a year", sums.energy_price),
    ):  # fmt: skip
        if figure is not None:
            output.say(f"  {name:22}{_figure(figure)}")
    where = Counter(one.double.member for one in back)
    named = [f"{estate.member(siren)} {n}" for siren, n in where.most_common(MEMBERS_SHOWN)]
    more = f" and {len(where) - MEMBERS_SHOWN} more" if len(where) > MEMBERS_SHOWN else ""
    output.say(output.printable(f"Where: {', '.join(named)}{more}."))
    table = Table(title="\nFirst", title_justify="left", box=None, pad_edge=False)
    for heading in ("member", "do", "machine", "years left", "why"):
        table.add_column(heading, overflow="fold" if heading == "why" else "ellipsis")
    for one in back[:FIRST_SHOWN]:
        given = estate.devices[_given(one.double)]
        left = one.worth.years_left if one.worth else None
        table.add_row(
            output.printable(estate.member(one.double.member)), DONE[one.double.proposal],
            output.printable(f"{given.id} {given.name}"),
            _figure(left) if left else "-", output.printable(one.double.reason),
        )  # fmt: skip
    console.print(table)
    if len(back) > FIRST_SHOWN:
        output.say(f"and {len(back) - FIRST_SHOWN} more (--member, --csv, --json)")


def _rank(one: Found) -> tuple[bool, bool, float, str]:
    """A sleeping machine before a change of habits, the surest first, then the newest machine."""
    left = one.worth.purchase.range.central if one.worth and one.worth.purchase else 0.0
    dormant = one.double.pattern is Pattern.DORMANT_SECOND
    return not dormant, one.double.evidence.value > "A", -left, one.double.laptop


def _given(one: Double) -> str:
    return one.laptop if one.proposal is Proposal.GIVE_UP_LAPTOP else one.desktop


def _computers(estate: Estate) -> int:
    return sum(one.kind in {Kind.LAPTOP, Kind.DESKTOP} for one in estate.devices.values())


def _figure(figure: Figure) -> str:
    return " - ".join(dict.fromkeys(_number(n) for n in _three(figure)))


def _three(figure: Figure) -> tuple[float, float, float]:
    return figure.range.low, figure.range.central, figure.range.high


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


# -- for programs -------------------------------------------------------------------------------


def _document(found: Iterable[Found], estate: Estate, use: Use, window: Window) -> dict[str, Any]:
    listed = list(found)
    sums = total(one.worth for one in listed if one.worth is not None)
    return {
        "from": window.start.isoformat(),
        "until": window.end.isoformat(),
        "computers": _computers(estate),
        "session_rows": {
            "attached": use.attached, "unattached": use.unattached, "outside": use.outside,
        },
        "verdicts": {p.value: sum(o.double.pattern is p for o in listed) for p in ORDER},
        "worth": _worths(sums),
        "doubles": [
            {
                "person": one.double.user,
                "member": {"siren": one.double.member, "name": estate.member(one.double.member)},
                "verdict": one.double.pattern.value,
                "evidence": one.double.evidence.value,
                "counts": {
                    "laptop": one.double.counts.laptop, "desktop": one.double.counts.desktop,
                    "both": one.double.counts.both, "either": one.double.counts.either,
                },
                "laptop": _machine(estate.devices[one.double.laptop]),
                "desktop": _machine(estate.devices[one.double.desktop]),
                "proposal": one.double.proposal.value,
                "held_by": list(one.double.held_by),
                "programs_known": one.double.programs_known,
                "reason": one.double.reason,
                "worth": _worths(one.worth) if one.worth is not None else None,
            }
            for one in listed
        ],
    }  # fmt: skip


def _machine(one: Device) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "model": one.model, "serial": one.serial}


def _worths(one: Worth) -> dict[str, Any]:
    named: Mapping[str, Figure | None] = {
        "years_left": one.years_left, "purchases": one.purchase, "eur": one.price,
        "embodied_kgco2e": one.embodied, "kwh_year": one.energy,
        "use_kgco2e_year": one.use_carbon, "eur_year": one.energy_price,
    }  # fmt: skip
    return {
        name: None
        if figure is None
        else {
            **dict(zip(("low", "central", "high"), _three(figure), strict=True)),
            "unit": figure.unit, "sources": list(figure.sources),
        }
        for name, figure in named.items()
    }  # fmt: skip


def _table(found: Iterable[Found], estate: Estate) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in found:
        double, counts = one.double, one.double.counts
        laptop, desktop = estate.devices[double.laptop], estate.devices[double.desktop]
        given = one.worth
        figures = (
            (given.purchase, given.price, given.embodied, given.energy) if given else (None,) * 4
        )
        left = given.years_left if given else None
        cells: list[object] = [
            estate.member(double.member), double.member, double.user, double.pattern.value,
            double.evidence.value, double.proposal.value, laptop.id, laptop.name, desktop.id,
            desktop.name, counts.laptop, counts.desktop, counts.both, counts.either,
            ", ".join(double.held_by), f"{left.range.central:.1f}" if left else "",
        ]  # fmt: skip
        for figure in figures:
            cells += [f"{n:.2f}" for n in _three(figure)] if figure else ["", "", ""]
        writer.writerow([rows.cell(cell) for cell in (*cells, double.reason)])
    return stream.getvalue().encode("utf-8-sig")
