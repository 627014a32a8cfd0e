"""What the syndicate does not negotiate: a measure that nobody may make weaker than it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from kitsurvie.inventory.problem import Problem
from kitsurvie.inventory.resolved import Resolved, Settings, Variables
from kitsurvie.inventory.values import day, is_mode
from kitsurvie.model import Measure, Mode, Scope

_STRENGTH = (Mode.OFF, Mode.OBSERVE, Mode.ENFORCE)


def problems(resolved: Resolved, measures: Mapping[str, Measure], today: date) -> Iterator[Problem]:
    """Every line that makes a measure of `kit__not_negotiable` weaker than `all` has it."""
    told: set[tuple[str, str]] = set()
    for record in resolved.records:
        variables, settings = resolved.variables(record), resolved.settings_of(record)
        for name in listed(settings):
            measure = measures.get(name)
            if measure is None or variables.get("kit__profile") not in measure.profiles:
                continue
            for problem in _weaker(name, variables, settings, today):
                if (problem.where, problem.what) not in told:
                    told.add((problem.where, problem.what))
                    yield problem


def listed(settings: Settings) -> Iterator[str]:
    """The list of `all`; what another scope says of it is an error of its own."""
    for setting in settings.get("kit__not_negotiable", ()):
        if setting.scope is Scope.ALL and isinstance(setting.value, list):
            yield from (name for name in setting.value if isinstance(name, str))


def _weaker(name: str, variables: Variables, settings: Settings, today: date) -> Iterator[Problem]:
    wanted = _of_all(name, settings)
    own = f"{name}__mode"
    deciding = own if own in variables else "kit__mode"
    said = variables.get(deciding)
    until = day(variables.get(f"{name}__off_until"))
    for source, mode in (
        (deciding, _mode(said)),
        (f"{name}__off_until", Mode.OFF if until and today <= until else wanted),
    ):
        chain = settings.get(source)
        if chain and chain[-1].scope is not Scope.ALL and _weak(mode, wanted):
            does = "switches it off" if mode is Mode.OFF else "only observes it"
            yield Problem(
                chain[-1].where,
                f"The syndicate does not negotiate {name}, which it has in mode {wanted.value}, "
                f"and {source} of {chain[-1].name} {does}.",
                "Take that line out, or ask the syndicate to take the measure out of "
                "kit__not_negotiable.",
            )


def _weak(mode: Mode, wanted: Mode) -> bool:
    return _STRENGTH.index(mode) < _STRENGTH.index(wanted)


def _of_all(name: str, settings: Settings) -> Mode:
    """The mode that the syndicate itself gives the measure."""
    for source in (f"{name}__mode", "kit__mode"):
        said = [one.value for one in settings.get(source, ()) if one.scope is Scope.ALL]
        if said:
            return _mode(said[-1])
    return Mode.OBSERVE


def _mode(word: object) -> Mode:
    if word is None or not is_mode(word):  # no mode at all is told of where it stands
        return Mode.OBSERVE
    return Mode.OFF if word is False else Mode(str(word))
