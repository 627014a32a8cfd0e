"""`kitsurvie assets collect`: what kitsurvie itself sees of the fleet, into the register."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from kitsurvie import inventory as inventories
from kitsurvie.assets import packing, places
from kitsurvie.assets.readers import Item, Settings, dates, fleet
from kitsurvie.cli import output, reach, told
from kitsurvie.cli.assets import clock, importing, keeping, people
from kitsurvie.cli.assets import estate as estates
from kitsurvie.cli.context import who
from kitsurvie.cli.options import Json, Limit, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.cli.survey import AWAY, COMMAND_S, MOST_ANSWER_BYTES
from kitsurvie.cli.view import expected_up
from kitsurvie.errors import ExitCode, HostError
from kitsurvie.fleet.client import Fleet, Reply
from kitsurvie.fleet.trouble import explain
from kitsurvie.inventory import consultations
from kitsurvie.ledger.register import Import
from kitsurvie.model import Host, Profile
from kitsurvie.observe import answers, request
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

# whose use says something of a person's equipment: not a server's, nor a public PC's
USED_BY_ONE = frozenset({Profile.DESKTOP, Profile.LAPTOP})
_NOTHING = {"new": 0, "changed": 0, "same": 0, "twice": 0, "older": 0, "days": 0, "refused": 0}


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of asking one host: what it is, or in `trouble` why that is not known."""

    host: Host
    items: tuple[Item, ...] = ()
    trouble: str = ""
    away: bool = False

    @property
    def state(self) -> str:
        """`taken`, `unreachable` or `error`."""
        return "taken" if not self.trouble else "unreachable" if self.away else "error"


def collect(limit: Limit = None, json: Json = False, workspace: Workspace = None) -> int:
    """Ask the Linux machines of the fleet what they are, and take it into the register.

    A command of its own and not a source of `assets import`: it reads no file, and needs the rights
    of an administrator, since serial numbers are root's to read; the observer's key may not ask
    this. Days of use are asked for only of PCs and laptops of members at which somebody was
    consulted (inventory/consultations.yml).

    Exit code: 0 all that should be up have answered, 2 configuration, 3 some are out of reach or in
    error; the others are taken all the same.
    """
    place = find(workspace)
    inventory = inventories.load(place)
    hosts = [inventory.hosts[name] for name in inventories.select(inventory, limit)]
    consulted = consultations.load(place, inventory)
    today = clock.today()
    unasked = Counter(
        host.member for host in hosts if host.profile in USED_BY_ONE and not _may(host, consulted)
    )
    with opened(place.ledger_url) as ledger:
        settings = Settings(
            places=places.known(inventory),
            pseudonyms=people.pseudonyms(place),
            today=today,
            zone=dates.paris(),
        )
        heard = _heard(place, hosts, consulted, settings)
        items = [item for one in heard for item in one.items]
        done = None
        if items:
            done = ledger.register.take(
                who(), ["the fleet" if limit is None else f"the fleet, {limit}"],
                lambda to: importing.Giving(consulted, keeping.oldest(today))(to, items),
                packing.seen,
            )  # fmt: skip
        keeping.purge(ledger.register, place, consulted, today)
        estate = estates.load(ledger.register, place)
        estates.settle(estate)
    counts = {**_NOTHING, **(done.counts if done else {}), "devices": len(estate.devices)}
    counts["proposals"] = len(estate.identity.proposals)
    counts["not_consulted"] = unasked.total()
    if json:
        output.document("assets_collect", _document(done, counts, heard))
    else:
        _say(done, heard, counts)
        if unasked:
            names = [output.printable(estate.member(one)) for one, _ in unasked.most_common()]
            output.say(
                f"Who uses it was not asked of {told.count(unasked.total(), 'machine')}: nobody "
                "was consulted, as far as inventory/consultations.yml says, for "
                f"{told.names(names)}."
            )
    bad = any(one.trouble and (not one.away or expected_up(one.host)) for one in heard)
    return ExitCode.HOSTS if bad else ExitCode.COMPLIANT


def _may(host: Host, consulted: consultations.Consultations) -> bool:
    return consulted.of(host.member) is not None


def _heard(
    place: Place,
    hosts: Sequence[Host],
    consulted: consultations.Consultations,
    settings: Settings,
) -> list[Heard]:
    """What each host says, one execution each, in the order of the inventory."""
    asked = {host.name: _asked(host, consulted) for host in hosts}
    named = {host.name: host for host in hosts}
    found = {}
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        console=output.stderr(), transient=True, disable=not output.stderr().is_terminal,
    )  # fmt: skip
    targets = reach.targets(place, hosts)
    with bar, Fleet(targets, reach.limits(place), place.known_hosts) as road:
        task = bar.add_task("Collect", total=len(hosts))
        for name, commands in asked.items():
            road.submit(name, request.COMMAND, _request(place, commands))
        for reply in road.replies():
            road.finish(reply.host)
            host = named[reply.host]
            found[reply.host] = _take(host, asked[reply.host], reply, settings)
            bar.advance(task)
    return [found[host.name] for host in hosts]


def _asked(host: Host, consulted: consultations.Consultations) -> tuple[str, ...]:
    used = host.profile in USED_BY_ONE and _may(host, consulted)
    return (*fleet.FACTS, fleet.SESSIONS) if used else fleet.FACTS


def _request(place: Place, commands: tuple[str, ...]) -> bytes:
    return request.build(
        commands,
        command_s=COMMAND_S,
        deadline_s=place.observe_timeout_s,
        max_answer_bytes=MOST_ANSWER_BYTES,
    )


def _take(host: Host, commands: tuple[str, ...], reply: Reply, settings: Settings) -> Heard:
    if reply.trouble is not None:
        away = reply.trouble in AWAY and not reply.logged_in
        return Heard(host, trouble=str(explain(reply)), away=away)
    try:
        said = answers.decode(host.name, commands, reply.stdout, reply.stderr).answers
        items = tuple(fleet.read(host, said, datetime.now(UTC), settings))
    except HostError as error:
        return Heard(host, trouble=str(error))
    except fleet.Unsaid as error:
        return Heard(host, trouble=f"{host.name} {error}. Look at its load and its disk.")
    return Heard(host, items)


def _say(done: Import | None, heard: Sequence[Heard], counts: Mapping[str, int]) -> None:
    if done is not None:
        output.say(f"Import {done.id}: {importing.kept(done)}.")
    else:
        output.say("No machine answered: nothing was imported.")
    for one in heard:
        if one.trouble:
            output.say(f"  {output.printable(one.trouble)}")
        for note in _notes(one):
            output.say(f"  {one.host.name}: {output.printable(note)}")
    output.say(f"The register has {told.count(counts['devices'], 'device')}.")
    if counts["proposals"]:
        ones = told.count(counts["proposals"], "pair")
        output.say(f"{ones} of records may be one machine: kitsurvie assets identical")
    if done is not None:
        output.say(f"To take it back: kitsurvie assets undo {done.id}")


def _notes(one: Heard) -> Iterator[str]:
    for item in one.items:
        yield from getattr(item, "left_aside", ())


def _document(
    done: Import | None, counts: Mapping[str, int], heard: Sequence[Heard]
) -> dict[str, Any]:
    hosts = [
        {
            "name": one.host.name,
            "state": one.state,
            "detail": one.trouble,
            "left_aside": list(_notes(one)),
        }
        for one in heard
    ]
    return {"import": done.id if done else None, "counts": dict(counts), "hosts": hosts}
