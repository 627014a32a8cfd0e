"""Run checks against evidence: a verdict each, and the commands still to be asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import pytest

from kitsurvie.judge.checks import Check
from kitsurvie.judge.memory import Memory
from kitsurvie.judge.replay import NotAsked, NotWhole, fresh_host
from kitsurvie.model import Evidence, Status, Verdict

# what a report shows of one side of an assertion; longer values are cut, and say so
LONGEST_SIDE = 2000

_FLAWS = {
    "timeout": "it did not answer within its time limit",
    "truncated": "its answer was longer than the limit",
    "deadline": "the time for the whole observation was over before its turn",
    "unlisted": "it is not on the host's list for observers, which kitsurvie deploy renews",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the checks said, and the commands whose answers were missing (in order of need).

    A check that lacked an answer has no verdict yet.
    """

    verdicts: tuple[Verdict, ...]
    missing: tuple[str, ...]


def judge(
    checks: Iterable[Check],
    params: Mapping[str, Mapping[str, Any]],
    evidence: Evidence,
    memory: Memory | None = None,
) -> Judgement:
    """Judge one host. `params` maps a measure to its variables as resolved for that host.

    A pure function of its arguments: no clock, file or environment is read. With a `memory`, a
    check whose answers gave a verdict before, on whichever host, is not run again.
    """
    verdicts: list[Verdict] = []
    missing: dict[str, None] = {}
    memory = Memory() if memory is None else memory
    told = {measure: memory.canonical(given) for measure, given in params.items()}
    for check in checks:
        key = memory.key(check, told.get(check.measure, ""))
        verdict = memory.recall(key, evidence.answers)
        if verdict is None:
            try:
                verdict = _one(check, params.get(check.measure, {}), evidence)
            except NotAsked as gap:
                missing[gap.command] = None
                continue
            memory.keep(key, verdict.commands, evidence.answers, verdict)
        verdicts.append(verdict)
    return Judgement(tuple(verdicts), tuple(missing))


def _one(check: Check, params: Mapping[str, Any], evidence: Evidence) -> Verdict:
    host, backend = fresh_host(evidence.host, evidence.answers)
    arguments = dict(check.arguments)
    if check.wants_params:
        arguments["params"] = params

    def verdict(status: Status, message: str = "", found: str = "", expected: str = "") -> Verdict:
        return Verdict(
            check.measure, check.name, status, found, expected, tuple(backend.read), message
        )

    try:
        check.function(host, **arguments)
    except NotWhole as cut:
        why = _FLAWS.get(cut.flaw, cut.flaw)
        return verdict(Status.UNKNOWN, f"The command `{cut.command}` gave no whole answer: {why}.")
    except pytest.skip.Exception as skipped:
        return verdict(Status.NOT_APPLICABLE, str(skipped.msg))
    except AssertionError as failed:
        sides = _sides(failed.__traceback__, check)
        if sides is None:
            return verdict(Status.ERROR, f"The check could not conclude: {_first_line(failed)}")
        return verdict(Status.DRIFT, "", *sides)
    except (Exception, SystemExit, pytest.exit.Exception, pytest.fail.Exception) as error:
        # a check that ends the program would end the night of all hosts, and may say 0 as it goes
        return verdict(
            Status.ERROR, f"The check itself failed: {type(error).__name__}: {_first_line(error)}"
        )
    return verdict(Status.COMPLIANT)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:300]


def _sides(trace: TracebackType | None, check: Check) -> tuple[str, str] | None:
    """`found` and `expected` of the check's frame, when the failed assertion is its own."""
    last = trace
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or last.tb_frame.f_code is not check.function.__code__:
        return None
    names = last.tb_frame.f_locals
    if "found" not in names or "expected" not in names:
        return None
    found, expected = _differing(names["found"], names["expected"])
    return _shown(found), _shown(expected)


def _differing(found: object, expected: object) -> tuple[object, object]:
    """Of two dictionaries, only the entries that differ: the rest would hide them."""
    if not (isinstance(found, dict) and isinstance(expected, dict)):
        return found, expected
    same = {key for key in found.keys() & expected.keys() if found[key] == expected[key]}
    return (
        {key: value for key, value in found.items() if key not in same},
        {key: value for key, value in expected.items() if key not in same},
    )


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(_ordered(value))
    if len(text) > LONGEST_SIDE:
        return f"{text[:LONGEST_SIDE]}... ({len(text)} characters)"
    return text


def _ordered(value: object) -> object:
    """The same value with sets as sorted lists, so that a hash seed cannot change a verdict."""
    if isinstance(value, set | frozenset):
        return sorted((_ordered(v) for v in value), key=repr)
    if isinstance(value, dict):
        return {k: _ordered(v) for k, v in sorted(value.items(), key=lambda kv: repr(kv[0]))}
    if isinstance(value, list):
        return [_ordered(v) for v in value]
    if isinstance(value, tuple):
        return tuple(_ordered(v) for v in value)
    return value
