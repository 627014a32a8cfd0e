"""`kitsurvie assets doubles`: who is equipped twice, what to take back first, what it is worth."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets import crowd, factors
from kitsurvie.assets import doubles as judged
from kitsurvie.assets.devices import Device
from kitsurvie.assets.doubles import Double, Pattern, Proposal
from kitsurvie.assets.factors import Factors, Figure
from kitsurvie.assets.life import State
from kitsurvie.assets.programs import programs
from kitsurvie.assets.record import Kind
from kitsurvie.assets.use import WINDOW_DAYS, Use, Window
from kitsurvie.assets.worth import Worth, total, worth, yearly
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.listing import MemberName
from kitsurvie.cli.formats import rows
from kitsurvie.cli.options import Csv, FactorsFile, Json, Workspace, one_shape
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


QUIET = "days are not told: fewer than five agents there"
WITHHELD = "How many of each is not told: fewer than five agents are in it."


def told_held(double: Double) -> str:
    """The programs that hold a desktop, in words; empty for none."""
    return f"; no laptop there has {', '.join(double.held_by[:3])}" if double.held_by else ""


@dataclass(frozen=True, slots=True)
class Found:
    """A double, and what the machine that would be given up is worth; None: none is.

    `days_told`: its member has agents enough for days of use to be told.
    """

    double: Double
    worth: Worth | None
    days_told: bool = True

    @property
    def counts(self) -> tuple[int | None, int | None, int | None, int | None]:
        """Days on the laptop, on the desktop, on both and on either, or none of them."""
        if not self.days_told:
            return None, None, None, None
        of = self.double.counts
        return of.laptop, of.desktop, of.both, of.either

    @property
    def reason(self) -> str:
        """Why, without the days where they are not told."""
        if self.days_told or self.double.pattern is Pattern.EXEMPT:
            return self.double.reason
        return f"{QUIET}{told_held(self.double)}"


@dataclass(frozen=True, slots=True)
class Told:
    """The doubles that were asked for, and the agents (pseudonyms) of each member (SIREN) of them.

    `crowded`: those are agents enough together for how many of each verdict to be told.
    """

    found: tuple[Found, ...]
    agents: Mapping[str, set[str]]

    @property
    def crowded(self) -> bool:
        return crowd.is_crowd({user for users in self.agents.values() for user in users})


def doubles(
    member: MemberName = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DATE", help="The last of the days; yesterday otherwise."),
    ] = None,
    factors_file: FactorsFile = None,
    csv_: Csv = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say who is equipped twice, what to take back first, what it is worth and how sure that is.

    Over 90 days. People are pseudonyms; where no use is known, nothing is guessed.
    """
    one_shape(csv=csv_, json=json)
    today = clock.today()
    end = told.date_of("--until", until) if until else today - timedelta(days=1)
    if not today - timedelta(days=WINDOW_DAYS) <= end <= today:
        raise UsageError(
            f"--until {end}: use is known of the last {WINDOW_DAYS} days alone.",
            remedy="Name one of them, or leave it out for yesterday.",
        )
    window = Window(end, WINDOW_DAYS)
    figures = factors.load(factors_file)
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        use = estate.use(window)
    estates.check_member(estate, place, member)
    listed = _told(estate, use, window, figures, member)
    if csv_:
        output.raw(_table(listed.found, estate))
    elif json:
        output.document("assets_doubles", _document(listed, estate, use, window, member))
    else:
        _say(listed, estate, use, window, member)
    return 0


def _told(estate: Estate, use: Use, window: Window, figures: Factors, member: str | None) -> Told:
    found = [one for one in every(estate, use, window) if member is None or one.member == member]
    agents = _agents(found, estate, use)
    crowded = {name: crowd.is_crowd(who) for name, who in agents.items()}
    return Told(
        tuple(
            Found(
                one,
                _worth(one, estate, figures, window, days_told=crowded[one.member]),
                crowded[one.member],
            )
            for one in found
        ),
        agents,
    )


def every(estate: Estate, use: Use, window: Window) -> tuple[Double, ...]:
    """Everybody with two machines in service, in order of member and user."""
    lists = programs(estate.devices.values(), estate.programs())
    # what was taken back, lent or discarded is nobody's second machine
    standing = [
        one for one in estate.devices.values() if estate.life(one.id).state is State.IN_SERVICE
    ]
    return judged.doubles(standing, use, window, estate.exemptions, estate.identity.shared, lists)


def given(one: Double) -> str | None:
    """The id of the machine that the proposal gives up; None where it gives none up."""
    match one.proposal:
        case Proposal.GIVE_UP_LAPTOP:
            return one.laptop
        case Proposal.GIVE_UP_DESKTOP | Proposal.DOCK:
            return one.desktop
        case _:
            return None


def _is_told(use: Use, estate: Estate) -> bool:
    """Whether there are agents enough for their session rows to be counted; or none at all."""
    users = {user for used in use.days.values() for user in used} - estate.identity.shared
    return not users or crowd.is_crowd(users)


def _agents(found: Iterable[Double], estate: Estate, use: Use) -> dict[str, set[str]]:
    """The agents of each member with a double: those whose use is known, and those found."""
    agents: dict[str, set[str]] = {}
    for one in found:
        agents.setdefault(one.member, set()).add(one.user)
    for device, users in use.days.items():
        member = estate.devices[device].member
        if member in agents:
            # technicians and kiosks are no agents of it: one person must not hide behind them
            agents[member].update(users.keys() - estate.identity.shared)
    return agents


def _worth(
    one: Double, estate: Estate, figures: Factors, window: Window, *, days_told: bool
) -> Worth | None:
    """What the machine is worth that the proposal gives up; its kWh need not tell its days."""
    match one.proposal:
        case Proposal.GIVE_UP_LAPTOP:
            given, days, kept = estate.devices[one.laptop], one.counts.laptop, Kind.DESKTOP
        case Proposal.GIVE_UP_DESKTOP | Proposal.DOCK:
            given, days, kept = estate.devices[one.desktop], one.counts.desktop, Kind.LAPTOP
        case _:
            return None
    used = yearly(days, window.days) if days_told else None
    return worth(given, figures, window.end, used, moved_to=kept)


# -- on a terminal ------------------------------------------------------------------------------


def _say(listed: Told, estate: Estate, use: Use, window: Window, member: str | None) -> None:
    found = listed.found
    people = told.count(len(found), "double")
    computers = told.count(_computers(estate, member), "computer")
    output.say(f"{people} among {computers}, over {window.days} days to {window.end.isoformat()}.")
    if not found:
        if not use.attached:
            output.say("No use is known: import session days (docs/reference/exports.md).")
        return
    if listed.crowded:
        _patterns(found)
    else:
        output.say(WITHHELD)
    back = sorted((one for one in found if one.worth is not None), key=_rank)
    if back:
        _back(back, estate, listed.agents)
    if use.unattached and _is_told(use, estate):
        rows_left = told.count(use.unattached, "session row")
        output.say(f"{rows_left} led to no device or to two, and were left out.")


def _patterns(found: Sequence[Found]) -> None:
    counts = Counter((one.double.pattern, one.double.evidence.value) for one in found)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("what", "how many", "by session days (A)", "by last user (B)", "on paper (C)"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for pattern in ORDER:
        grades = [counts[pattern, grade] for grade in "ABC"]
        if sum(grades):
            table.add_row(WORDS[pattern], str(sum(grades)), *(str(n) if n else "" for n in grades))
    output.stdout().print(table)


def _back(back: Sequence[Found], estate: Estate, agents: Mapping[str, set[str]]) -> None:
    console = output.stdout()
    sums = total(one.worth for one in back if one.worth)
    output.say(f"\nTo take back: {told.count(len(back), 'machine')}. Worth, low - central - high:")
    for line in worth_lines(sums):
        output.say(line)
    where = _where(back, estate, agents)
    if where:
        more = f" and {len(where) - MEMBERS_SHOWN} more" if len(where) > MEMBERS_SHOWN else ""
        output.say(output.printable(f"Where: {', '.join(where[:MEMBERS_SHOWN])}{more}."))
    table = Table(title="\nFirst", title_justify="left", box=None, pad_edge=False)
    for heading in ("member", "do", "machine", "years left", "why"):
        table.add_column(heading, overflow="fold" if heading == "why" else "ellipsis")
    for one in back[:FIRST_SHOWN]:
        given = estate.devices[_given(one.double)]
        left = one.worth.years_left if one.worth else None
        table.add_row(
            output.printable(estate.member(one.double.member)), DONE[one.double.proposal],
            output.printable(f"{given.id} {given.name}"),
            as_text(left) if left else "-", output.printable(one.reason),
        )  # fmt: skip
    console.print(table)
    if len(back) > FIRST_SHOWN:
        output.say(f"and {len(back) - FIRST_SHOWN} more (--member, --csv, --json)")


def _where(back: Sequence[Found], estate: Estate, agents: Mapping[str, set[str]]) -> list[str]:
    """Where machines are to be taken back, the most first; small members as their EPCI."""
    counts = Counter(one.double.member for one in back)
    told_of = []
    for group in crowd.groups(agents, {one: estate.epci(one) for one in agents}):
        if number := sum(counts[one] for one in group.members):
            told_of.append((-number, estate.group(group)))
    return [f"{name} {-number}" for number, name in sorted(told_of)]


def _rank(one: Found) -> tuple[bool, bool, float, str]:
    """A sleeping machine before a change of habits, the surest first, then the newest machine."""
    left = one.worth.purchase.range.central if one.worth and one.worth.purchase else 0.0
    dormant = one.double.pattern is Pattern.DORMANT_SECOND
    return not dormant, one.double.evidence.value > "A", -left, one.double.laptop


def _given(one: Double) -> str:
    return one.laptop if one.proposal is Proposal.GIVE_UP_LAPTOP else one.desktop


def _computers(estate: Estate, member: str | None) -> int:
    kinds = {Kind.LAPTOP, Kind.DESKTOP}
    return sum(
        one.kind in kinds and member in (None, one.member) for one in estate.devices.values()
    )


def worth_lines(sums: Worth) -> list[str]:
    """What machines are worth, a line for each figure that a source gives."""
    named = (
        ("purchases avoided", sums.purchase), ("EUR of purchases", sums.price),
        ("kgCO2e of making", sums.embodied), ("kWh a year", sums.energy),
        ("kgCO2e of use a year", sums.use_carbon), ("EUR of power a year", sums.energy_price),
    )  # fmt: skip
    return [f"  {name:22}{as_text(figure)}" for name, figure in named if figure is not None]


def as_text(figure: Figure) -> str:
    """Low, central and high, once each."""
    return " - ".join(dict.fromkeys(_number(n) for n in _three(figure)))


def _three(figure: Figure) -> tuple[float, float, float]:
    return figure.range.low, figure.range.central, figure.range.high


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}"


# -- for programs -------------------------------------------------------------------------------


def _document(
    listed: Told, estate: Estate, use: Use, window: Window, member: str | None
) -> dict[str, Any]:
    found = listed.found
    sums = total(one.worth for one in found if one.worth is not None)
    return {
        "from": window.start.isoformat(),
        "until": window.end.isoformat(),
        "computers": _computers(estate, member),
        "session_rows": {
            "attached": use.attached, "unattached": use.unattached, "outside": use.outside,
        }
        if _is_told(use, estate)
        else None,
        "verdicts": {p.value: sum(o.double.pattern is p for o in found) for p in ORDER}
        if listed.crowded or not found
        else None,
        "worth": worth_document(sums),
        "doubles": [
            {
                "person": one.double.user,
                "member": {"siren": one.double.member, "name": estate.member(one.double.member)},
                "verdict": one.double.pattern.value,
                "evidence": one.double.evidence.value,
                "counts": dict(
                    zip(("laptop", "desktop", "both", "either"), one.counts, strict=True)
                )
                if one.days_told
                else None,
                "laptop": _machine(estate.devices[one.double.laptop]),
                "desktop": _machine(estate.devices[one.double.desktop]),
                "proposal": one.double.proposal.value,
                "held_by": list(one.double.held_by),
                "programs_known": one.double.programs_known,
                "reason": one.reason,
                "worth": worth_document(one.worth) if one.worth is not None else None,
            }
            for one in found
        ],
    }  # fmt: skip


def _machine(one: Device) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "model": one.model, "serial": one.serial}


def worth_document(one: Worth) -> dict[str, Any]:
    """Every figure of a worth with its unit and sources; null where no source gives it."""
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
        double = one.double
        laptop, desktop = estate.devices[double.laptop], estate.devices[double.desktop]
        given = one.worth
        figures = (
            (given.purchase, given.price, given.embodied, given.energy) if given else (None,) * 4
        )
        left = given.years_left if given else None
        texts: list[object] = [
            estate.member(double.member), double.member, double.user, double.pattern.value,
            double.evidence.value, double.proposal.value, laptop.id, laptop.name, desktop.id,
            desktop.name, *one.counts,
            ", ".join(double.held_by), f"{left.range.central:.1f}" if left else "",
        ]  # fmt: skip
        cells = [rows.cell(cell) for cell in texts]
        # figures as they are: a sum must find those below zero too
        for figure in figures:
            cells += [f"{n:.2f}" for n in _three(figure)] if figure else ["", "", ""]
        writer.writerow([*cells, rows.cell(one.reason)])
    return stream.getvalue().encode("utf-8-sig")
