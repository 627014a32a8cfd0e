"""What waits for machines that are seldom there: due on them, and where they just came from."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from kitsurvie import plan as planning
from kitsurvie.cli import told
from kitsurvie.cli.context import Context
from kitsurvie.cli.survey import stamps_of
from kitsurvie.cli.told import NOT_LISTED
from kitsurvie.cli.view import HostView
from kitsurvie.ledger import LastHandIn, Ledger, Outcome
from kitsurvie.model import Host, Item

MINUTES = 60


@dataclass(frozen=True, slots=True)
class Waiting:
    """A machine on which something is due by its own account. `why` in words.

    `reachable`: it handed in a moment ago, so that it may be reached where it came from.
    """

    host: Host
    last: LastHandIn
    why: str
    reachable: bool


def waiting(
    ledger: Ledger, world: Context, *, minutes: float = MINUTES, now: float | None = None
) -> tuple[Waiting, ...]:
    """The machines of this command that something waits for, in the order of the inventory."""
    moment = time.time() if now is None else now
    handed = ledger.hand_ins()
    hosts = {host.name: host for host in world.hosts if host.name in handed}
    if not hosts:
        return ()
    items = world.lay_out(hosts).items
    found = {}
    for name, why in _due(ledger, world, items).items():
        last = handed[name]
        fresh = moment - last.arrived <= minutes * 60
        found[name] = Waiting(hosts[name], last, why, fresh and _address(last) is not None)
    return tuple(found[name] for name in hosts if name in found)


def _due(ledger: Ledger, world: Context, items: Mapping[str, tuple[Item, ...]]) -> dict[str, str]:
    """What is due on each of these machines, by the newest look at it, be it its own or ours."""
    last = ledger.last_seen(items)
    by_run: dict[int, list[str]] = {}
    for name, one in last.items():
        by_run.setdefault(one.run, []).append(name)
    found: dict[str, str] = {}
    for run, names in by_run.items():
        for seen, evidence in ledger.evidences(ledger.seen(run, names).values()):
            name = seen.host
            stamps = stamps_of(evidence.answers) if evidence is not None else {}
            view = HostView(
                world.inventory.hosts[name],
                items[name],
                waivers=world.statements.waivers.of(name),
            )
            verdicts = [view.told(one.verdict) for one in last[name].verdicts]
            due = [one.measure for one in planning.due(items[name], verdicts, stamps)]
            if any(verdict.message == NOT_LISTED for verdict in verdicts):
                due.append("its list of commands")
            if due:
                found[name] = ", ".join(dict.fromkeys(due))
    return found


def _address(last: LastHandIn) -> str | None:
    """A whole address; one with a zone means something on the machine that wrote it only."""
    try:
        return None if "%" in last.address else str(ipaddress.ip_address(last.address))
    except ValueError:
        return None


def towards(world: Context, chosen: Iterable[Waiting]) -> Context:
    """The same world with these machines alone, each at the address it came from.

    The address is a hint: the pinned host key says whether that machine is there.
    """
    there = {
        one.host.name: one.host
        if one.last.address == one.host.address
        else replace(one.host, address=_address(one.last) or one.host.address, jump=None)
        for one in chosen
    }
    inventory = replace(world.inventory, hosts={**world.inventory.hosts, **there})
    return replace(world, inventory=inventory, hosts=tuple(there.values()))


def observed_only(
    ledger: Ledger, states: Mapping[str, Outcome], world: Context
) -> tuple[Waiting, ...]:
    """Observed, not converged: of the hosts of a run that were away, those that wait for work.

    They hand in what they see, and nobody has a road to them.
    """
    away = {name for name, state in states.items() if state is Outcome.UNREACHABLE}
    if not away:
        return ()
    hosts = tuple(host for host in world.hosts if host.name in away)
    return waiting(ledger, replace(world, hosts=hosts))


def words(found: Iterable[Waiting]) -> str:
    """The line of the first screen; empty when there is none."""
    names = [one.host.name for one in found]
    if not names:
        return ""
    return (
        f"Observed, not converged: {len(names)} ({told.names(names)}). They hand in and were not "
        "reached: kitsurvie deploy --pending takes them when they come."
    )
