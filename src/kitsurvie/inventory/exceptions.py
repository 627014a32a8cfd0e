"""A measure that is off somewhere: why, until when, and what contradicts that.

Off for good is `<measure>__mode: off`. Off until a day is `<measure>__off_until`, which leaves
`<measure>__mode` alone: the mode that a wider scope says holds again the day after, in kitsurvie
and in plain Ansible alike, since neither has to know which line would hold without the exception.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.inventory.provenance import nearer
from kitsurvie.inventory.resolved import Record, Resolved, Settings, Variables
from kitsurvie.inventory.values import day
from kitsurvie.model import Measure, Mode

# the month in which a member's council meets
SOON = timedelta(days=30)


def problems(resolved: Resolved, measures: Mapping[str, Measure], today: date) -> Iterator[Problem]:
    """What is wrong with the measures switched off, each told once however many hosts have it."""
    told: set[tuple[str, str]] = set()
    for record in resolved.records:
        variables, settings = resolved.variables(record), resolved.settings_of(record)
        for name in measures:
            for problem in _of(record, name, variables, settings, today):
                if (problem.where, problem.remedy) not in told:
                    told.add((problem.where, problem.remedy))
                    yield problem


def _of(
    record: Record, name: str, variables: Variables, settings: Settings, today: date
) -> Iterator[Problem]:
    until = day(variables.get(f"{name}__off_until"))
    word = variables.get(f"{name}__mode", variables.get("kit__mode"))
    for_good = word is False or word == Mode.OFF
    if not for_good and until is None:
        return
    reason = variables.get(f"{name}__off_reason")
    if not isinstance(reason, str) or not reason.strip():
        off = f"{name}__mode" if until is None else f"{name}__off_until"
        yield Problem(
            _line(settings, off) or _line(settings, "kit__mode") or record.name,
            f"The measure {name} is off on {record.name} and nothing says why.",
            f"Write {name}__off_reason beside {off}: it is shown in the report.",
        )
    if until is None:
        return
    yield from _contradictions(record, name, settings)
    yield from _ending(name, until, settings, today)


def _contradictions(record: Record, name: str, settings: Settings) -> Iterator[Problem]:
    """A mode that stands nearer to the machine than the exception, or says the same for ever."""
    modes, untils = settings.get(f"{name}__mode"), settings.get(f"{name}__off_until")
    if not modes or not untils:
        return
    said, until = modes[-1], untils[-1]
    if (said.scope, said.name) == (until.scope, until.name) and said.value in (False, Mode.OFF):
        yield Problem(
            said.where,
            f"The measure {name} is off for good here, and until {until.value} on {until.where}.",
            f"Take {name}__mode out: the day alone switches it off, and afterwards the mode of the "
            "member, EPCI or syndicate holds again. Or take the day out, if it is for good.",
        )
    elif nearer(said.scope, until.scope) and said.value not in (False, Mode.OFF):
        yield Problem(
            said.where,
            f"{name}__mode does not hold on {record.name} before {until.value}: the measure is off "
            f"until then for {until.name}, on {until.where}.",
            f'Write {name}__off_until: "" beside it, if it is to hold now.',
        )


def _ending(name: str, until: date, settings: Settings, today: date) -> Iterator[Problem]:
    where = _line(settings, f"{name}__off_until")
    if until < today:
        yield Problem(
            where,
            f"The exception to {name} ended on {until}: the mode holds again.",
            f"Take {name}__off_until and its reason out, or decide anew and change the day.",
            Severity.WARNING,
        )
    elif until - today <= SOON:
        yield Problem(
            where,
            f"The exception to {name} ends on {until}; the day after, its mode holds again.",
            "Ask the member now whether it may end, or decide anew and change the day.",
            Severity.WARNING,
        )


def _line(settings: Settings, name: str) -> str:
    chain = settings.get(name)
    return chain[-1].where if chain else ""
