"""`kitsurvie compliance evidence`: what a host answered to the commands of one check, verbatim."""

from __future__ import annotations

from collections.abc import Iterable

from kitsurvie.cli import context as contexts
from kitsurvie.cli import output
from kitsurvie.cli.options import CheckName, HostName, Json, RunNumber, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.cli.rejudged import NOT_ASKED
from kitsurvie.errors import KitsurvieError, UsageError
from kitsurvie.ledger import Ledger, Seen
from kitsurvie.model import Evidence, Verdict
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

NAMES_SHOWN = 40


def evidence(
    host: HostName,
    check: CheckName,
    run: RunNumber = None,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Show what a host answered to the commands of one check, verbatim.

    Without --run, at the last look that the check was judged by, one of the host itself included. A
    check that did not exist then is judged today by what the host had answered.
    """
    place = find(workspace)
    measure, _, name = check.rpartition("/")
    with opened(place.ledger_url) as ledger:
        number, seen = _look(ledger, host, measure, name, run)
        ((_, whole),) = ledger.evidences([seen])
        verdict = _meant(seen.verdicts, measure, name)
        again = verdict is None and whole is not None
        if verdict is None and whole is not None:
            verdict = _judged_today(place, ledger, seen, whole, measure, name)
    if verdict is None:
        known = _near(f"{v.measure}/{v.check}" for v in seen.verdicts)
        raise UsageError(
            f"No check {check!r} was made on {host} in run {number}.", remedy=f"It has: {known}."
        )
    answers = whole.answers if whole else {}
    exchanges = [
        {
            "command": command,
            "rc": answers[command].rc,
            "stdout": answers[command].stdout.decode("utf-8", "backslashreplace"),
            "stderr": answers[command].stderr.decode("utf-8", "backslashreplace"),
            "flaw": answers[command].flaw,
        }
        for command in verdict.commands
        if command in answers
    ]
    if json:
        output.document(
            "evidence",
            {
                "run": number, "host": host, "measure": verdict.measure, "check": verdict.check,
                "status": verdict.status.value, "again": again, "exchanges": exchanges,
            },
        )  # fmt: skip
        return 0
    today = " by today's checks: it did not exist then" if again else ""
    output.say(
        f"{host}, run {number}: {verdict.measure}/{verdict.check} is {verdict.status.value}{today}"
    )
    for exchange in exchanges:
        output.say(f"\n$ {exchange['command']}")
        said = str(exchange["stdout"]) + str(exchange["stderr"])
        output.say(output.printable(said, lines=True).rstrip())
        output.say(f"(exit status {exchange['rc']}{_flaw(str(exchange['flaw']))})")
    if not exchanges:
        output.say(_why_none(verdict, whole))
    return 0


def _look(ledger: Ledger, host: str, measure: str, name: str, run: int | None) -> tuple[int, Seen]:
    """The run and the look that are meant. Raises UsageError when there is none."""
    number = run
    if number is None:
        last = ledger.last_seen([host]).get(host)
        if last is None:
            raise UsageError(
                f"No run has an answer of a host named {host!r}.",
                remedy="The hosts are listed by: kitsurvie compliance show",
            )
        runs = [past.run for past in last.verdicts if _meant([past.verdict], measure, name)]
        number = max(runs, default=last.run)
    seen = ledger.seen(ledger.run(number).id, [host]).get(host)
    if seen is None:
        raise UsageError(
            f"Run {number} has not seen a host named {host!r}.",
            remedy=f"Name one it has seen: kitsurvie compliance show --run {number}",
        )
    return number, seen


def _meant(verdicts: Iterable[Verdict], measure: str, name: str) -> Verdict | None:
    return next((v for v in verdicts if v.check == name and measure in ("", v.measure)), None)


def _judged_today(
    place: Place, ledger: Ledger, seen: Seen, whole: Evidence, measure: str, name: str
) -> Verdict | None:
    """A check that was not made then, by what the host had answered; None: there is none today."""
    # what judges is read only now: most questions are about what was said then
    from kitsurvie.cli import progress
    from kitsurvie.cli.survey import Survey, read_catalogue

    try:
        world = contexts.prepare(place.root, seen.host, [measure] if measure else [])
    except KitsurvieError:
        # a host or a measure that is no more has no checks of today
        return None
    survey = Survey(
        place, world.inventory, read_catalogue(world.measures.values()), ledger,
        progress.on(output.stderr()),
    )  # fmt: skip
    items = world.lay_out().items[seen.host]
    look = survey.judge_again(seen.host, items, whole, seen.at, NOT_ASKED)
    return _meant(look.verdicts, measure, name)


def _why_none(verdict: Verdict, answers: Evidence | None) -> str:
    if answers is None:
        return "What it answered is no longer kept (evidence_days in kitsurvie.toml)."
    return verdict.message or "It asks the host nothing."


def _flaw(flaw: str) -> str:
    return f", not whole: {flaw}" if flaw else ""


def _near(names: Iterable[str]) -> str:
    listed = sorted(set(names))
    more = " ..." if len(listed) > NAMES_SHOWN else ""
    return ", ".join(listed[:NAMES_SHOWN]) + more if listed else "none"
