"""`kitsurvie energy report`: what the fleet spends, how that is known, and of how much of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets import factors
from kitsurvie.assets.factors import Factors, Figure
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.listing import MemberName
from kitsurvie.cli.energy import fleet
from kitsurvie.cli.energy.fleet import SMALL, Fleet
from kitsurvie.cli.formats import rows
from kitsurvie.cli.options import Csv, FactorsFile, Json, Workspace, one_shape
from kitsurvie.cli.recording import opened
from kitsurvie.energy.lines import JOULES_PER_KWH, Bounds, Line, Method, lines, total
from kitsurvie.energy.spent import spent
from kitsurvie.errors import UsageError
from kitsurvie.workspace import find

DAYS = 30
SHOWN = 20
ALL = "*"
METHODS = (Method.RAPL, Method.BATTERY, Method.MODELLED, Method.PAPER)
WORDS = {
    Method.RAPL: "measured, processors alone",
    Method.BATTERY: "measured, whole, on battery",
    Method.MODELLED: "modelled by the probe, whole",
    Method.PAPER: "on paper: kind and working days",
    Method.NONE: "nothing is known",
}
HEADINGS = {
    Method.RAPL: "processors",
    Method.BATTERY: "on battery",
    Method.MODELLED: "modelled",
    Method.PAPER: "paper",
}
COLUMNS = (
    "member", "siren", "kind", "machines", "method", "covered", "kwh_low", "kwh", "kwh_high",
    "eur_low", "eur", "eur_high", "kgco2e_low", "kgco2e", "kgco2e_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rates:
    """What a kWh costs in EUR and in kgCO2e; None is what no source gives."""

    price: Figure | None
    grid: Figure | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """From the beginning of `start` to the end of `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days + 1


def report(
    member: MemberName = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="DATE", help="The first day; 30 days in all otherwise."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="The last day; else yesterday.")
    ] = None,
    factors_file: FactorsFile = None,
    csv_: Csv = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say what machines spent by member and kind, how it is known, and of how many.

    What is measured and what is modelled are kept apart and never added: the probe's sensors see
    the processors alone, or a laptop on its battery. Readings of fewer than five PCs are told of
    several members together.
    """
    one_shape(csv=csv_, json=json)
    period = _period(since, until, clock.today())
    figures = factors.load(factors_file)
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        read = ledger.readings(period.start, period.end)
    estates.check_member(estate, place, member)
    counted = spent(read, period.start, period.end)
    found = fleet.gather(estate, counted, figures, period.days, member)
    rates = _rates(figures)
    if csv_:
        output.raw(_table(found, estate, rates))
    elif json:
        output.document("energy_report", _document(found, estate, rates, period))
    else:
        _say(found, estate, rates, period)
    return 0


def _period(since: str | None, until: str | None, today: date) -> Period:
    end = told.date_of("--until", until) if until else today - timedelta(days=1)
    start = told.date_of("--since", since) if since else end - timedelta(days=DAYS - 1)
    if start > end:
        raise UsageError(
            f"The period begins on {start} and ends on {end}.",
            remedy="Give --since a day that is not after --until.",
        )
    if end > today:
        raise UsageError(
            f"The period ends on {end}, which is still to come.",
            remedy="End it today at the latest.",
        )
    return Period(start, end)


def _rates(figures: Factors) -> Rates:
    price, grid = figures.price(), figures.grid()
    kinds = (one for kind in fleet.KINDS if (one := figures.energy(kind)))
    given = (*kinds, *(one for one in (price, grid) if one))
    return Rates(price, grid, tuple(dict.fromkeys(s for one in given for s in one.sources)))


def _name(whose: str, estate: Estate) -> str:
    if whose == ALL:
        return "all members"
    if not whose.startswith(SMALL):
        return estate.member(whose)
    return estate.small(whose.removeprefix(SMALL))


# -- on a terminal ------------------------------------------------------------------------------


def _say(found: Fleet, estate: Estate, rates: Rates, period: Period) -> None:
    every = total(found.machines)
    machines = told.count(every.machines, "machine")
    output.say(f"{machines}, {period.start} to {period.end} ({told.count(period.days, 'day')}).")
    if not every.machines:
        output.say(
            "Nothing is known of equipment here: kitsurvie assets collect, or kitsurvie assets "
            "import (docs/how-to/equipment.md)."
        )
        return
    _methods(every, rates)
    listed = sorted(lines(found.machines), key=lambda one: (-_whole(one), one.whose, one.kind))
    if len({one.whose for one in listed}) > 1:
        _lines("All of them", lines(replace(one, whose=ALL) for one in found.machines), estate)
    _lines("By member, the most first", listed[:SHOWN], estate)
    if len(listed) > SHOWN:
        output.say(f"and {told.count(len(listed) - SHOWN, 'line')} more (--member, --csv, --json)")
    for note in _notes(found, every):
        output.say(note)
    output.say("\nkWh are low - central - high. Sources:")
    for source in rates.sources:
        output.say(output.printable(f"  {source}"))


def _methods(every: Line, rates: Rates) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("how it is known", "of how many", "kWh", "EUR", "kgCO2e"):
        table.add_column(heading, justify="left" if heading == "how it is known" else "right")
    for method in (*METHODS, Method.NONE):
        covered = every.covered.get(method, 0)
        share = f"{covered} ({_share(covered, every.machines)})"
        kwh = _kwh(every.joules.get(method))
        table.add_row(WORDS[method], share, *map(_three, (kwh, *_worth(kwh, rates))))
    output.stdout().print(table)


def _share(part: int, whole: int) -> str:
    """A percentage in which a few are not none, and all but a few not all."""
    share = part / whole
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.99 < share < 1 else f"{share:.0%}"


def _whole(line: Line) -> float:
    return line.whole.central if line.whole else 0.0


def _lines(title: str, listed: Sequence[Line], estate: Estate) -> None:
    """A row for each line, a column for each method that says something of one."""
    methods = [one for one in METHODS if any(line.covered.get(one) for line in listed)]
    table = Table(title=f"\n{title}, kWh", title_justify="left", box=None, pad_edge=False)
    for heading in ("member", "kind", "machines", *(HEADINGS[one] for one in methods)):
        text = heading in {"member", "kind"}
        table.add_column(heading, justify="left" if text else "right", overflow="fold")
    for line in listed:
        table.add_row(
            output.printable(_name(line.whose, estate)), line.kind, str(line.machines),
            *(_cell(line, method) for method in methods),
        )  # fmt: skip
    output.stdout().print(table)


def _cell(line: Line, method: Method) -> str:
    covered = line.covered.get(method, 0)
    if not covered:
        return "-"
    of = "" if covered == line.machines else f" ({covered})"
    return f"{_three(_kwh(line.joules.get(method)))}{of}"


def _notes(found: Fleet, every: Line) -> Iterable[str]:
    if not any(every.covered.get(method) for method in METHODS[:3]):
        yield (
            "\nNo probe has handed a day of this period over: everything above is on paper. The "
            "measure metrics_probe counts on machines, and its first figures come on the second "
            "day (kitsurvie kit show metrics_probe)."
        )
    if found.withheld:
        yield (
            f"\nThe readings of {told.count(found.withheld, 'PC')} are not told: fewer than five."
        )
    if found.virtual:
        yield (
            f"\n{told.count(found.virtual, 'virtual machine')} left out: the machine that carries "
            "them spends the energy."
        )


def _kwh(joules: Bounds | None) -> Bounds | None:
    return None if joules is None else Bounds(*(one / JOULES_PER_KWH for one in joules))


def _worth(kwh: Bounds | None, rates: Rates) -> tuple[Bounds | None, Bounds | None]:
    """What these kWh cost in EUR and in kgCO2e."""
    found: list[Bounds | None] = []
    for rate in (rates.price, rates.grid):
        if kwh is None or rate is None:
            found.append(None)
        else:
            held = rate.range
            found.append(kwh.times(Bounds(held.low, held.central, held.high)))
    return found[0], found[1]


def _three(found: Bounds | None) -> str:
    if found is None:
        return "-"
    return " - ".join(dict.fromkeys(_number(one) for one in found))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}" if value else "0"


# -- for programs -------------------------------------------------------------------------------


def _document(found: Fleet, estate: Estate, rates: Rates, period: Period) -> dict[str, Any]:
    return {
        "from": period.start.isoformat(),
        "until": period.end.isoformat(),
        "days": period.days,
        "virtual_left_out": found.virtual,
        "readings_withheld": found.withheld,
        "total": _line(total(found.machines), rates),
        "lines": [
            {
                "member": None if one.whose.startswith(SMALL) else {
                    "siren": one.whose, "name": estate.member(one.whose),
                },
                "small_members_of": one.whose.removeprefix(SMALL)
                if one.whose.startswith(SMALL) else None,
                "kind": one.kind,
                **_line(one, rates),
            }
            for one in lines(found.machines)
        ],
        "sources": list(rates.sources),
    }  # fmt: skip


def _line(line: Line, rates: Rates) -> dict[str, Any]:
    methods = {}
    for method in (*METHODS, Method.NONE):
        kwh = _kwh(line.joules.get(method))
        price, carbon = _worth(kwh, rates)
        methods[method.value] = {
            "machines": line.covered.get(method, 0),
            "kwh": _range(kwh), "eur": _range(price), "kgco2e": _range(carbon),
        }  # fmt: skip
    return {"machines": line.machines, "methods": methods}


def _range(found: Bounds | None) -> dict[str, float] | None:
    return None if found is None else found._asdict()


def _table(found: Fleet, estate: Estate, rates: Rates) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines(found.machines):
        siren = "" if line.whose.startswith(SMALL) else line.whose
        for method in (*METHODS, Method.NONE):
            covered = line.covered.get(method, 0)
            if not covered:
                continue
            kwh = _kwh(line.joules.get(method))
            figures = [
                f"{n:.3f}" if one else ""
                for one in (kwh, *_worth(kwh, rates))
                for n in one or "   "
            ]
            texts = (_name(line.whose, estate), siren, line.kind)
            writer.writerow(
                [*map(rows.cell, texts), line.machines, method.value, covered, *figures]
            )
    return stream.getvalue().encode("utf-8-sig")
