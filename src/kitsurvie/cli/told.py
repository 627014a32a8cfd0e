"""What is said alike everywhere: whose a machine is, when and by whom something was, names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from kitsurvie.cli import output
from kitsurvie.cli.episodes import Recurrent
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Run
from kitsurvie.model import Inventory, Verdict

DAY_S = 86_400.0
NAMES_SHOWN = 6
LONGEST = 200
# what is judged of the machine itself, under the name `kit`, where it drifts alone
SUPPORTED_RELEASE = "supported_release"
# what is said of a check that a machine which observes itself was not told of
NOT_LISTED = (
    "The machine's own list of commands is older than this check: kitsurvie deploy renews it."
)


def member(inventory: Inventory, host: str) -> str:
    """The name of a machine's member; `-` for a machine that the inventory lost."""
    known = inventory.hosts.get(host)
    return "-" if known is None else member_name(inventory, known.member)


def member_name(inventory: Inventory, siren: str) -> str:
    """The member's name, its SIREN when the inventory names none."""
    known = inventory.members.get(siren)
    return known.name if known else siren


def of_member(inventory: Inventory, host: str) -> dict[str, Any] | None:
    """The member as the documents have it; null for a machine no longer in the inventory."""
    known = inventory.hosts.get(host)
    return None if known is None else {"siren": known.member, "name": member(inventory, host)}


def day(moment: float) -> str:
    """A day and hour as people say it."""
    return f"{datetime.fromtimestamp(moment):%a %d %B %Y at %H:%M}"


def date_of(option: str, written: str) -> date:
    """The day that an option gives. Raises UsageError."""
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise UsageError(
            f"{option} {written!r} is no date.", remedy="Write it as YEAR-MONTH-DAY."
        ) from error


def iso(moment: float | None) -> str | None:
    """A time as the documents have it."""
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()


def by_run(runs: Mapping[int, Run], number: int) -> str:
    """A run with what it was and who made it, as far as it is still known."""
    run = runs.get(number)
    if run is None:
        return f"run {number}"
    return f"run {number}, {run.kind} by {output.printable(run.by_whom)}"


def run_reference(runs: Mapping[int, Run], number: int) -> dict[str, Any]:
    """A run that a document refers to, with what it was and who made it, as far as it is known."""
    run = runs.get(number)
    return {
        "run": number, "command": run.kind if run else None, "by": run.by_whom if run else None,
    }  # fmt: skip


def recurs(one: Recurrent, inventory: Inventory, days: int) -> str:
    """A measure that drifts again and again on a machine, in words."""
    named = f"{one.host} ({member(inventory, one.host)})"
    return f"{one.measure} on {named}: {one.times} drifts in {days} days"


def recurrent_document(one: Recurrent, inventory: Inventory, days: int) -> dict[str, Any]:
    """The same as the documents have it."""
    return {
        "host": one.host, "member": of_member(inventory, one.host), "measure": one.measure,
        "times": one.times, "days": days, "checks": list(one.checks),
    }  # fmt: skip


def run_words(run: Run) -> str:
    """What a run was asked for."""
    measures = f", {', '.join(run.measures)} alone" if run.measures else ""
    return f"{output.printable(run.limit) if run.limit else 'every machine'}{measures}"


def run_document(run: Run) -> dict[str, Any]:
    """A run as the documents have it."""
    return {
        "run": run.id, "command": run.kind, "state": run.state.value, "by": run.by_whom,
        "started": iso(run.started_at), "ended": iso(run.ended_at),
        "limit": run.limit, "measures": list(run.measures),
    }  # fmt: skip


def names(listed: Sequence[str]) -> str:
    """Names while they are few."""
    more = f" and {len(listed) - NAMES_SHOWN} more" if len(listed) > NAMES_SHOWN else ""
    return f"{', '.join(listed[:NAMES_SHOWN])}{more}"


def check_name(verdict: Verdict) -> str:
    """A check as `compliance evidence` takes it."""
    return f"{verdict.measure}/{verdict.check}"


def cut(text: str, most: int = LONGEST) -> str:
    """What a host answered, on one line that cannot drive the terminal."""
    line = output.printable(" ⏎ ".join(text.splitlines()) or "(nothing)")
    return line if len(line) <= most else f"{line[:most]}..."


def count(number: int, what: str) -> str:
    """So many of something."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def hosts_of(found: Iterable[Any]) -> int:
    """How many machines these are about."""
    return len({one.host for one in found})
