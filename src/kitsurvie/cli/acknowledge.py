"""`kitsurvie compliance acknowledge`: answer for a drift until a day, by name."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

import typer

from kitsurvie.cli import acknowledged, output, told
from kitsurvie.cli.context import who
from kitsurvie.cli.options import CheckName, HostName, Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Acknowledgement, Interval
from kitsurvie.model import Status
from kitsurvie.workspace import find

MOST_DAYS = 366


def acknowledge(
    host: HostName,
    check: CheckName,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why it may stand until then.")
    ],
    until: Annotated[
        str, typer.Option("--until", metavar="DATE", help="The last day, as YEAR-MONTH-DAY.")
    ],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="NAME", help="Who answers for it; you, when not given."),
    ] = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Answer for a drift until a day. It stays a drift, and says by whom it is known.

    It is over on its day, or as soon as the drift is mended: one that comes back is new.
    """
    last = _last_day(until)
    why = " ".join(reason.split())
    name = f"{' '.join(by.split())} (entered by {who()})" if by and by.strip() else who()
    if not why:
        raise UsageError("The reason is empty.", remedy="Say why: whoever reads it has no other.")
    place = find(workspace)
    with opened(place.ledger_url) as ledger:
        drift = _drift(ledger.standing(host), host, check)
        said = Acknowledgement(
            host, drift.verdict.measure, drift.verdict.check, name, why, last, time.time()
        )
        ledger.acknowledge(said)
    if json:
        payload = {
            "host": host, "measure": said.measure, "check": said.check,
            "acknowledged": acknowledged.document(said),
        }  # fmt: skip
        output.document("acknowledgement", payload)
    else:
        output.say(f"{host}: {said.measure}/{said.check} is {acknowledged.words(said)}")
    return 0


def _last_day(written: str) -> str:
    today = date.today()
    last = told.date_of("--until", written)
    if last < today:
        raise UsageError(f"--until {written}: that day is past.", remedy="Name a day to come.")
    if last > today + timedelta(days=MOST_DAYS):
        raise UsageError(
            f"--until {written}: that is more than a year from now.",
            remedy="What is meant to stay is a waiver or a setting; an acknowledgement ends.",
        )
    return last.isoformat()


def _drift(stands: Sequence[Interval], host: str, check: str) -> Interval:
    """The one drift that is meant; raises UsageError when there is none, with what there is."""
    if not stands:
        raise UsageError(
            f"The ledger knows no verdict of a host named {host!r}.",
            remedy="Name one it has seen: kitsurvie compliance show",
        )
    measure, _, name = check.rpartition("/")
    meant = [
        one for one in stands
        if one.verdict.check == name and measure in ("", one.verdict.measure)
    ]  # fmt: skip
    drifts = [one for one in meant if one.verdict.status is Status.DRIFT]
    if len(drifts) == 1:
        return drifts[0]
    names = [told.check_name(one.verdict) for one in stands]
    if len(drifts) > 1:
        several = ", ".join(told.check_name(one.verdict) for one in drifts)
        raise UsageError(
            f"{check!r} means several drifts of {host}: {several}.", remedy="Name one of them."
        )
    if meant:
        now = meant[0]
        raise UsageError(
            f"{told.check_name(now.verdict)} does not drift on {host}: it is "
            f"{now.verdict.status.value} since {told.day(now.from_at)}.",
            remedy="Only a drift can be acknowledged; run compliance again if it is stale.",
        )
    near = difflib.get_close_matches(check, names, n=3)
    listed = [told.check_name(o.verdict) for o in stands if o.verdict.status is Status.DRIFT]
    raise UsageError(
        f"No check {check!r} was made on {host}.",
        remedy=f"Did you mean {', '.join(near)}?"
        if near
        else f"What drifts there: {told.names(listed) if listed else 'nothing'}.",
    )
