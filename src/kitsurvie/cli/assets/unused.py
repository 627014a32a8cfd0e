"""`kitsurvie assets unused`: machines that nobody uses, where, and what they are worth."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from kitsurvie.assets import crowd, factors
from kitsurvie.assets.crowd import Group
from kitsurvie.assets.factors import Factors
from kitsurvie.assets.idle import STEPS, Idle, idle, worths
from kitsurvie.assets.life import State
from kitsurvie.assets.use import WINDOW_DAYS, Use, Window
from kitsurvie.assets.worth import Worth, total, years_left
from kitsurvie.cli import output, told
from kitsurvie.cli.assets import clock
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.doubles import as_text, worth_document, worth_lines
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.listing import MemberName
from kitsurvie.cli.formats import rows
from kitsurvie.cli.options import Csv, FactorsFile, Json, Workspace, one_shape
from kitsurvie.cli.recording import opened
from kitsurvie.workspace import find

SHOWN = 20
COLUMNS = (
    "member", "siren", "device", "kind", "name", "model", "serial", "unused_days", "on_since",
    "years_left", "purchase", "kwh_year",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unused:
    """Machines of which it is known whether they are used, and whose days may be told.

    `groups` are members that are told of together, each of five agents or more; `known` are the
    machines of those, `withheld` how many are of members with too few agents to be told of alone.
    """

    groups: tuple[Group, ...]
    known: tuple[Idle, ...]
    withheld: int

    def of(self, group: Group) -> list[Idle]:
        """The machines of one group."""
        return [one for one in self.known if one.device.member in group.members]


def gather(estate: Estate, use: Use, last_uses: Mapping[str, str], window: Window) -> Unused:
    """What is known of the use of machines in service, where somebody was consulted about it.

    `last_uses` are the last days (ISO) that probes saw, by host.
    """
    standing = [
        one
        for one in estate.devices.values()
        if estate.life(one.id).state is State.IN_SERVICE
        and estate.consulted.of(one.member) is not None
    ]
    probed = {
        device: date.fromisoformat(day)
        for host, day in last_uses.items()
        if (device := estate.device_of(host))
    }
    shared = estate.identity.shared
    found = idle(standing, use, window, probed, shared)
    agents: dict[str, set[str]] = {}
    for one in found:
        # a machine that its probe alone speaks of stands for somebody
        users = use.of(one.device.id).keys() - shared or {one.device.id}
        agents.setdefault(one.device.member or "", set()).update(users)
    groups = crowd.groups(agents, {name: estate.epci(name) for name in agents})
    shown = frozenset(name for group in groups for name in group.members)
    known = tuple(one for one in found if (one.device.member or "") in shown)
    return Unused(groups, known, len(found) - len(known))


def unused(
    days: Annotated[
        int,
        typer.Option("--days", min=1, max=WINDOW_DAYS, help="Unused for so many days or more."),
    ] = STEPS[0],
    member: MemberName = None,
    factors_file: FactorsFile = None,
    csv_: Csv = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say which machines nobody uses, where they are, and what taking them back is worth.

    From session days and from probes, of members at which somebody was consulted alone. Machines of
    members with fewer than five agents are counted with those of others, and not listed.
    """
    one_shape(csv=csv_, json=json)
    figures = factors.load(factors_file)
    place = find(workspace)
    window = Window(clock.today() - timedelta(days=1))
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
        use = estate.use(window)
        last = ledger.last_uses()
    estates.check_member(estate, place, member)
    found = gather(estate, use, last, window)
    alone = frozenset(n for group in found.groups if len(group.members) == 1 for n in group.members)
    listed = sorted(
        (
            one
            for one in found.known
            if one.days >= days
            and one.device.member in alone
            and member in (None, one.device.member)
        ),
        key=lambda one: (-one.days, -_left(one, figures, window), one.device.id),
    )
    if csv_:
        output.raw(_table(listed, estate, figures, window))
    elif json:
        output.document("assets_unused", _document(found, listed, estate, figures, window, days))
    else:
        _say(found, listed, estate, figures, window, days)
    return 0


def _say(
    found: Unused,
    listed: Sequence[Idle],
    estate: Estate,
    figures: Factors,
    window: Window,
    days: int,
) -> None:
    if not found.known:
        output.say(
            "It is not known of any machine whether it is used, or of too few agents to be told. "
            "Record who was consulted (inventory/consultations.yml), then import session days "
            "(docs/reference/exports.md) or set metrics_probe__use."
        )
        return
    machines = told.count(len(found.known), "machine")
    output.say(f"The use of {machines} is known, up to {window.end.isoformat()}.")
    _groups(found, estate)
    idle_now = [one for one in found.known if one.days >= days]
    sums = total(worths(one, figures, window.end) for one in idle_now)
    nobody = told.count(len(idle_now), "machine")
    output.say(f"\nUnused for {told.count(days, 'day')} or more: {nobody}.")
    output.say("Worth of taking them back, low - central - high:")
    for line in worth_lines(sums):
        output.say(line)
    if listed:
        _machines(listed, estate, figures, window)
    if len(listed) < len(idle_now):
        more = told.count(len(idle_now) - len(listed), "machine")
        output.say(f"{more} of members with fewer than five agents, or of others: not listed.")
    if found.withheld:
        output.say(
            f"Of {told.count(found.withheld, 'machine')} more nothing is told: too few agents."
        )


def _groups(found: Unused, estate: Estate) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("member")
    for heading in ("machines", *(f"unused {step} days" for step in STEPS)):
        table.add_column(heading, justify="right")
    lines: list[tuple[list[int], int, str]] = []
    for group in found.groups:
        theirs = found.of(group)
        counts = [sum(one.days >= step for one in theirs) for step in STEPS]
        lines.append((counts, len(theirs), estate.group(group)))
    lines.sort(key=lambda one: ([-n for n in one[0]], one[2]))
    for counts, number, name in lines[:SHOWN]:
        table.add_row(
            output.printable(name), str(number),
            *(f"{n} ({n / number:.0%})" if n else "-" for n in counts),
        )  # fmt: skip
    output.stdout().print(table)
    if len(lines) > SHOWN:
        output.say(f"and {len(lines) - SHOWN} more (--json)")


def _machines(listed: Sequence[Idle], estate: Estate, figures: Factors, window: Window) -> None:
    table = Table(title="\nFirst", title_justify="left", box=None, pad_edge=False)
    for heading in ("member", "machine", "kind", "unused", "since then", "years left"):
        table.add_column(heading, overflow="fold")
    for one in listed[:SHOWN]:
        left = worths(one, figures, window.end).years_left
        table.add_row(
            output.printable(estate.member(one.device.member)),
            output.printable(f"{one.device.id} {one.device.name}"), one.device.kind.value,
            _for(one, window), "on" if one.was_on else "not seen",
            as_text(left) if left else "-",
        )  # fmt: skip
    output.stdout().print(table)
    if len(listed) > SHOWN:
        output.say(f"and {len(listed) - SHOWN} more (--member, --csv, --json)")


def _for(one: Idle, window: Window) -> str:
    return f"{window.days} days or more" if one.days >= window.days else f"{one.days} days"


# -- for programs -------------------------------------------------------------------------------


def _document(
    found: Unused,
    listed: Iterable[Idle],
    estate: Estate,
    figures: Factors,
    window: Window,
    days: int,
) -> dict[str, Any]:
    idle_now = [one for one in found.known if one.days >= days]
    return {
        "until": window.end.isoformat(),
        "days": days,
        "known": len(found.known),
        "withheld": found.withheld,
        "unused": {str(step): sum(one.days >= step for one in found.known) for step in STEPS},
        "worth": worth_document(total(worths(one, figures, window.end) for one in idle_now)),
        "groups": [
            {
                "members": [
                    {"siren": name, "name": estate.member(name)} for name in sorted(group.members)
                ],
                "epci": group.epci or None,
                "known": len(theirs := found.of(group)),
                "unused": {str(step): sum(o.days >= step for o in theirs) for step in STEPS},
                "kinds": dict(sorted(Counter(o.device.kind.value for o in theirs).items())),
            }
            for group in found.groups
        ],
        "devices": [
            {
                "id": one.device.id, "kind": one.device.kind.value, "name": one.device.name,
                "model": one.device.model, "serial": one.device.serial,
                "member": {"siren": one.device.member, "name": estate.member(one.device.member)},
                "unused_days": one.days, "on_since": one.was_on,
                "worth": worth_document(worths(one, figures, window.end)),
            }
            for one in listed
        ],
    }  # fmt: skip


def _table(listed: Iterable[Idle], estate: Estate, figures: Factors, window: Window) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in listed:
        device, given = one.device, worths(one, figures, window.end)
        texts = (
            estate.member(device.member), device.member, device.id, device.kind.value, device.name,
            device.model, device.serial, one.days, "yes" if one.was_on else "no",
        )  # fmt: skip
        numbers = [_central(given, name) for name in ("years_left", "purchase", "energy")]
        writer.writerow([*map(rows.cell, texts), *numbers])
    return stream.getvalue().encode("utf-8-sig")


def _left(one: Idle, figures: Factors, window: Window) -> float:
    left = years_left(one.device, figures, window.end)
    return left.range.central if left else 0.0


def _central(given: Worth, name: str) -> str:
    figure = getattr(given, name)
    return f"{figure.range.central:.2f}" if figure else ""
