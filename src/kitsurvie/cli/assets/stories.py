"""What is told of the life of a machine: its steps, and where a table contradicts them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kitsurvie.assets.devices import Device
from kitsurvie.assets.life import Life, Step
from kitsurvie.cli.assets.estate import Estate


def sentence_of(step: Step, named: Callable[[str], str]) -> str:
    """One step of a machine's life, as it is told; `named` gives the name of a member."""
    data = step.data
    match step.kind:
        case "loan":
            until = f" until {data['until']}" if data["until"] else ""
            return f"lent to {borrower(data)}, {named(data['member'])}{until}: {data['reason']}"
        case "return":
            owner = f", of {named(data['owner'])}" if data["owner"] else ""
            return f"back in stock{owner}: {data['reason']}"
        case _:
            to = f" to {data['recipient']}" if data.get("recipient") else ""
            return f"discarded, {data['outcome']}{to}"


def borrower(data: Mapping[str, Any]) -> str:
    """To whom a loan is: a service, a pseudonym, or nobody that is known any more."""
    return data["service"] or data["user"] or "somebody who was forgotten"


def taken_back_by(step: Step) -> str:
    """What to do about a step of a machine's life that is not true."""
    if step.id:
        return f"If it is not so, take that back: kitsurvie assets revoke {step.id}"
    return "A table says so: undo its import (kitsurvie assets imports, then undo N)."


def lent_and_discarded(estate: Estate, member: str | None = None) -> list[tuple[Device, Life]]:
    """The machines that were discarded while a loan of them is open, by id; of a member, or all.

    Those that are lent to a member (SIREN) are among its own.
    """
    found = []
    for name, life in sorted(estate.lives.items()):
        if life.discard is not None and life.open_loan is not None:
            one = estate.devices[name]
            if member in (None, one.member, life.owner, life.open_loan.data["member"]):
                found.append((one, life))
    return found


def still_lent(one: Device, life: Life, estate: Estate) -> str:
    """The sentence on a machine that was discarded while a loan of it is open, with what to do."""
    loan, gone = life.open_loan, life.discard
    if loan is None or gone is None:
        return ""
    whom = f"{borrower(loan.data)}, {estate.member(loan.data['member'])}"
    return (
        f"discarded on {gone.day}, but lent to {whom} since {loan.day}, and not known to be back. "
        f"Where it is back: kitsurvie assets return {one.id} --date DATE --reason TEXT. "
        f"Where it was not discarded: {_undone(gone)}"
    )


def _undone(step: Step) -> str:
    if step.id:
        return f"kitsurvie assets revoke {step.id}"
    return "undo the import of that table (kitsurvie assets imports, then undo N)"
