"""Read the check functions of a measure: plain testinfra functions in `checks/test_<id>.py`."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kitsurvie.errors import KitError
from kitsurvie.model import Measure

_PARAM = type(pytest.param())


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a function, and the arguments one `parametrize` case gives it.

    `name` is what pytest shows between the file and the host: `test_x` or `test_x[case]`.
    `sentence` is the docstring: what a secretary reads.
    """

    measure: str
    name: str
    sentence: str
    function: Callable[..., None]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    wants_params: bool = False


def checks_file(measure: Measure) -> Path:
    """Where the checks of a measure stand."""
    return measure.path / "checks" / f"test_{measure.id}.py"


def read_digest(measure: Measure) -> str:
    """SHA-256 (hex) of the measure's check code: a verdict holds for that code only."""
    return hashlib.sha256(checks_file(measure).read_bytes()).hexdigest()


def load(measure: Measure) -> tuple[Check, ...]:
    """Every check of the measure, in the order of the file.

    Raises KitError when the file cannot be imported, holds no check, or asks for a fixture that
    cannot be given outside pytest.
    """
    path = checks_file(measure)
    module = _import(path, measure.id)
    for name, what in vars(module).items():
        if name.startswith("Test") and inspect.isclass(what) and what.__module__ == module.__name__:
            raise KitError(
                f"{name} is a class, and only functions are judged.",
                where=str(path),
                remedy="Write its tests as functions test_... of the file.",
            )
    checks = [
        check
        for name, function in vars(module).items()
        if name.startswith("test_") and inspect.isfunction(function)
        for check in _cases(measure.id, name, function, path)
    ]
    if not checks:
        raise KitError(
            f"The measure {measure.id} has no check.",
            where=str(path),
            remedy="Write one function named test_... there: without it nothing is proved.",
        )
    names = [check.name for check in checks]
    for name in names:
        if names.count(name) > 1:
            raise KitError(
                f"Two checks of {measure.id} are named {name}.",
                where=str(path),
                remedy="Give parametrize ids=[...] that tell its cases apart.",
            )
    return tuple(checks)


def _import(path: Path, measure: str) -> ModuleType:
    if not path.is_file():
        raise KitError(
            f"The measure {measure} has no check file.",
            where=str(path),
            remedy="Write its checks there, one function test_... each.",
        )
    module = ModuleType(f"kitsurvie_checks_{measure}")
    module.__file__ = str(path)
    try:
        # optimize=0: under `python -O` an assertion is no code at all, and all would be compliant
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True, optimize=0)
        exec(code, vars(module))  # noqa: S102 (the kit's own code, as pytest would import it)
    except (Exception, SystemExit) as error:
        raise KitError(
            f"The checks of {measure} cannot be loaded: {type(error).__name__}: {error}.",
            where=str(path),
            remedy=f"Run `python {path}` to see where, and mend it.",
        ) from error
    return module


def _cases(measure: str, name: str, function: Callable[..., None], path: Path) -> list[Check]:
    cases: list[tuple[str, dict[str, Any]]] = [("", {})]
    # pytest applies the decorator nearest the function first; so do we
    for mark in getattr(function, "pytestmark", []):
        if mark.name != "parametrize":
            raise KitError(
                f"{name} carries the mark {mark.name}, which has no meaning here.",
                where=str(path),
                remedy="Only parametrize may be used; pytest.skip() says 'not applicable'.",
            )
        cases = [
            (f"{label}-{more}" if label else more, {**arguments, **added})
            for (label, arguments), (more, added) in product(cases, _parameters(mark, name, path))
        ]
    wanted = set(inspect.signature(function).parameters)
    known = {"host", "params", *cases[0][1]}
    if not wanted <= known or "host" not in wanted:
        raise KitError(
            f"{name} asks for {', '.join(sorted(wanted - known)) or 'no host'}.",
            where=str(path),
            remedy="A check takes host, params, and what its parametrize gives; nothing else.",
        )
    sentence = " ".join((inspect.getdoc(function) or "").split())
    return [
        Check(
            measure=measure,
            name=f"{name}[{label}]" if label else name,
            sentence=sentence,
            function=function,
            arguments=arguments,
            wants_params="params" in wanted,
        )
        for label, arguments in cases
    ]


def _parameters(mark: Any, check: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    ids = mark.kwargs.get("ids")
    plain = len(mark.args) == 2 and set(mark.kwargs) <= {"ids"}
    if not plain or not (ids is None or isinstance(ids, list | tuple)):
        raise KitError(
            f"The parametrize of {check} is written in a way that is not read here.",
            where=str(path),
            remedy='Write it as parametrize("name", [values]), with ids=[...] if need be.',
        )
    names_given, values = mark.args
    names = (
        [n.strip() for n in names_given.split(",")]
        if isinstance(names_given, str)
        else list(names_given)
    )
    cases = []
    for index, value in enumerate(values):
        if isinstance(value, _PARAM):
            raise KitError(
                f"The parametrize of {check} holds a pytest.param.",
                where=str(path),
                remedy="Write the values themselves, and their names in ids=[...].",
            )
        row = tuple(value) if len(names) > 1 else (value,)
        label = (
            str(ids[index])
            if ids
            else "-".join(_label(n, v, index) for n, v in zip(names, row, strict=True))
        )
        cases.append((label, dict(zip(names, row, strict=True))))
    return cases


def _label(name: str, value: object, index: int) -> str:
    """The id pytest would give this value."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, int | float | bool):
        return str(value)
    return f"{name}{index}"
