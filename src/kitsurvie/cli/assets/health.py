"""`kitsurvie assets health`: what inventories say of machines that are not touched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Literal

import typer

from kitsurvie.assets.devices import Device
from kitsurvie.assets.finding import URGENCY, Check, Limits
from kitsurvie.assets.health import is_blind_spot, is_put_away, judge
from kitsurvie.assets.life import State
from kitsurvie.assets.record import Kind, Record
from kitsurvie.assets.support import extendable
from kitsurvie.cli import output
from kitsurvie.cli.assets import clock, health_export, health_screen
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.judged import Health, Judged
from kitsurvie.cli.assets.listing import MemberName
from kitsurvie.cli.language import language
from kitsurvie.cli.options import Csv, Json, Workspace, one_shape
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError, WorkspaceError
from kitsurvie.model import Status
from kitsurvie.workspace import CONFIG_NAME, find
from kitsurvie.workspace import Workspace as Place

# whose disk can be asked to be encrypted: what is judged
_KINDS = (Kind.DESKTOP, Kind.LAPTOP, Kind.SERVER, Kind.TABLET)


def health(
    device: Annotated[
        str | None,
        typer.Argument(
            metavar="[DEVICE]",
            help="This device alone, in full: its id, its serial number, its name, or a record.",
            show_default=False,
        ),
    ] = None,
    member: MemberName = None,
    check: Annotated[
        list[Check] | None, typer.Option("--check", help="Only this check; may be repeated.")
    ] = None,
    state: Annotated[
        Literal["drift", "unknown", "compliant", "not_applicable"] | None,
        typer.Option("--state", help="List what is in this state; on the screen, drift otherwise."),
    ] = None,
    extended: Annotated[
        list[str] | None,
        typer.Option(
            "--extended",
            metavar="SYSTEM",
            help="Its paid extension was bought, such as windows-10; also health_extended in "
            "kitsurvie.toml; may be repeated.",
        ),
    ] = None,
    lang: Annotated[
        Literal["fr", "en"] | None, typer.Option(help="The language; else that of LANG.")
    ] = None,
    csv_: Csv = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Say how computers are that kitsurvie does not touch, Windows PCs above all, by inventories.

    End of support, antivirus, firewall, encryption, free space, age. What no recent inventory says
    is unknown. Exit code: 0 no drift, 1 drift, 2 configuration.
    """
    one_shape(csv=csv_, json=json)
    place = find(workspace)
    limits = limits_of(place, extended or ())
    with opened(place.ledger_url) as ledger:
        estate = estates.load(ledger.register, place)
    estates.check_member(estate, place, member)
    one = estate.device(device) if device is not None else None
    found = _judged(estate, one, member, frozenset(check or Check), limits)
    wanted = Status(state) if state else None
    said = language(lang)
    if csv_:
        output.raw(health_export.table(found, estate, wanted, said))
    elif json:
        output.document("assets_health", health_export.document(found, estate, wanted))
    elif one is not None:
        health_screen.one(one, found, estate, wanted, said)
    else:
        health_screen.show(found, estate, wanted, said)
    return found.exit_code


def limits_of(place: Place, extended: Iterable[str]) -> Limits:
    """The limits that kitsurvie.toml sets, and the extensions of the command line with them.

    Raises WorkspaceError or UsageError for a kind or a system that cannot be meant.
    """
    config = str(place.root / CONFIG_NAME)
    kinds = {kind.value: kind for kind in _KINDS}
    for kind in place.health_encrypted:
        if kind not in kinds:
            raise WorkspaceError(
                f"health_encrypted has {kind!r}, which is no kind of machine that is judged.",
                where=config,
                remedy=f"The kinds are: {', '.join(kinds)}.",
            )
    known = extendable()
    remedy = f"Paid extensions are known of: {', '.join(sorted(known))}."
    for system in place.health_extended:
        if system not in known:
            raise WorkspaceError(
                f"health_extended has {system!r}, of which no paid extension is known.",
                where=config,
                remedy=remedy,
            )
    for system in extended:
        if system not in known:
            raise UsageError(
                f"--extended {system!r}: no paid extension of it is known.", remedy=remedy
            )
    return Limits(
        stale_days=place.health_stale_days,
        years=place.health_years,
        encrypted=frozenset(kinds[kind] for kind in place.health_encrypted),
        extended=frozenset((*place.health_extended, *extended)),
    )


def _judged(
    estate: Estate,
    only: Device | None,
    member: str | None,
    checks: frozenset[Check],
    limits: Limits,
) -> Health:
    """A device that is asked for by name is judged whatever its register says of it."""
    today = clock.today()
    judged: list[Judged] = []
    others = away = 0
    for device in estate.devices.values() if only is None else [only]:
        if member is not None and device.member != member:
            continue
        records = [estate.records[record] for record in device.records]
        findings = judge(device, records, today, limits)
        if not findings:
            others += 1
        elif only is None and _is_put_away(device, records, estate, today, limits):
            away += 1
        else:
            kept = tuple(one for one in findings if one.check in checks)
            judged.append(Judged(device, kept, is_blind_spot(findings)))
    judged.sort(key=lambda one: _rank(one, estate))
    return Health(today, limits, tuple(judged), others, away)


def _is_put_away(
    device: Device, records: Sequence[Record], estate: Estate, today: date, limits: Limits
) -> bool:
    """Whether it was discarded here, or is in no service by what its register says."""
    discarded = estate.life(device.id).state is State.DISCARDED
    return discarded or is_put_away(device, records, today, limits)


def _rank(one: Judged, estate: Estate) -> tuple[Sequence[int], bool, str, str, str]:
    """The most urgent drift first, then a server, which everybody depends on."""
    urgent = [int(all(f.check is not check for f in one.drifts)) for check in URGENCY]
    server = one.device.kind is Kind.SERVER
    name = one.device.name.casefold()
    return urgent, not server, estate.member(one.device.member), name, one.device.id
