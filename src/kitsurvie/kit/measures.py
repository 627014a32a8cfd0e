"""Read `roles/*/measure.yml`: strictly, for a typo in a measure must not pass unseen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from kitsurvie.errors import KitError
from kitsurvie.kit import options, plain
from kitsurvie.model import Measure, Option, Profile, Step, Text

_ID = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_NORM = re.compile(r"[A-Z][A-Z0-9-]*/[A-Za-z0-9.]+/[A-Za-z0-9.]+")
_TEXTS = ("title", "why", "changes", "on_failure", "fallback", "absent")
_REQUIRED = ("id", "step", *_TEXTS, "profiles", "norms", "lockout_risk", "reboot", "undo", "budget")
_OPTIONAL = ("footprint", "applies", "reads")
_FOOTPRINT = ("disk_mb", "memory_mb", "cpu_s_per_day", "network_kb_per_day")
# said of every measure, and no business of its role
RESERVED = ("mode", "off_reason", "off_until", "change_windows", "freezes")


def load(roles_dirs: Iterable[Path]) -> Mapping[str, Measure]:
    """The measures of these role folders by id, in the order of the programme's steps.

    A role without `measure.yml` is an ordinary role and no measure. When two folders hold the
    same id the first folder wins, so that a workspace may replace a measure of the kit.
    Raises KitError with the file at the first measure that is incomplete or contradicts itself.
    """
    found: dict[str, Measure] = {}
    for folder in roles_dirs:
        if not folder.is_dir():
            continue
        for path in sorted(folder.glob("*/measure.yml")):
            if path.parent.name not in found:
                found[path.parent.name] = read(path.parent)
    steps = list(Step)
    ordered = sorted(found.values(), key=lambda m: (steps.index(m.step), m.id))
    return {measure.id: measure for measure in ordered}


def read(role: Path) -> Measure:
    """One measure from its role folder. Raises KitError."""
    file = role / "measure.yml"
    document = mapping(file)
    _keys(file, document, _REQUIRED, _OPTIONAL, "")
    identity = document["id"]
    if not isinstance(identity, str) or not _ID.fullmatch(identity) or identity == "kit":
        raise _fault(file, f"id is {identity!r}, not a name in small letters such as ssh_hardening")
    if identity != role.name:
        raise _fault(file, f"id is {identity!r} but the folder is named {role.name!r}")
    texts = {key: _text(file, key, document[key]) for key in _TEXTS}
    return Measure(
        id=identity,
        step=_choice(file, "step", document["step"], Step),
        **texts,
        profiles=_profiles(file, document["profiles"]),
        norms=_norms(file, document["norms"]),
        lockout_risk=_flag(file, "lockout_risk", document["lockout_risk"]),
        reboot=_flag(file, "reboot", document["reboot"]),
        undo=_undo(file, document["undo"]),
        path=role,
        defaults=_defaults(role, identity),
        footprint=_figures(file, "footprint", document.get("footprint") or {}),
        budget=_figures(file, "budget", document["budget"], whole=True),
        options=_options(role),
        applies=_flag(file, "applies", document.get("applies", True)),
        reads=_patterns(file, "reads", document.get("reads") or []),
    )


def mapping(file: Path) -> dict[str, Any]:
    """A YAML file that holds one mapping; empty when the file says nothing. Raises KitError."""
    try:
        document = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise KitError(
            f"This is not valid YAML: {error.problem}.",
            where=f"{file}:{line}",
            remedy="Mend that line or the one above.",
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise _fault(file, f"it is not valid YAML ({error})") from error
    except OSError as error:
        raise KitError(
            f"A file of this measure cannot be read: {error.strerror}.",
            where=str(file),
            remedy="Put it there: every measure has measure.yml and defaults/main.yml.",
        ) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise _fault(file, "it does not hold names and values")
    return document


def _fault(file: Path, what: str) -> KitError:
    return KitError(
        f"The measure {file.parent.name if file.name == 'measure.yml' else file.parent.parent.name}"
        f" cannot be used: {what}.",
        where=str(file),
        remedy="Mend that file; DESIGN section 5 and roles/*/measure.yml show what is expected.",
    )


def _keys(
    file: Path,
    document: Mapping[Any, Any],
    required: tuple[str, ...],
    optional: tuple[str, ...],
    inside: str,
) -> None:
    place = f" in {inside}" if inside else ""
    for key in required:
        if key not in document:
            raise _fault(file, f"the key {key!r} is missing{place}")
    for key in document:
        if key not in required and key not in optional:
            raise _fault(file, f"the key {key!r} is unknown{place}")


def _text(file: Path, key: str, value: object) -> Text:
    if not isinstance(value, dict):
        raise _fault(file, f"{key} must hold fr and en")
    _keys(file, value, ("fr", "en"), (), key)
    for language, text in value.items():
        if not isinstance(text, str) or not text.strip():
            raise _fault(file, f"{key}.{language} is not a text")
    return Text(fr=value["fr"].strip(), en=value["en"].strip())


def _choice(file: Path, key: str, value: Any, enum: type[Step]) -> Step:
    try:
        return enum(value)
    except ValueError as error:
        words = ", ".join(item.value for item in enum)
        raise _fault(file, f"{key} is {value!r}, not one of {words}") from error


def _profiles(file: Path, value: object) -> frozenset[Profile]:
    known = {profile.value: profile for profile in Profile}
    if not isinstance(value, list) or not value:
        raise _fault(file, f"profiles must be a list of {', '.join(known)}")
    for name in value:
        if not isinstance(name, str) or name not in known:
            raise _fault(file, f"profiles holds {name!r}, not one of {', '.join(known)}")
    return frozenset(known[name] for name in value)


def _norms(file: Path, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _fault(file, "norms must be a list")
    for norm in value:
        if not isinstance(norm, str) or not _NORM.fullmatch(norm):
            raise _fault(
                file, f"norms holds {norm!r}, not a reference with version such as BP-028/v2.0/R33"
            )
    return tuple(value)


def _flag(file: Path, key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _fault(file, f"{key} is {value!r}, not true or false")
    return value


def _patterns(file: Path, key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(p, str) and "__" in p for p in value):
        raise _fault(
            file, f"{key} is not a list of names of variables such as kit__mode or *__mode"
        )
    return tuple(value)


def _undo(file: Path, value: object) -> bool:
    undo = _flag(file, "undo", value)
    if undo != (file.parent / "tasks" / "absent.yml").exists():
        raise _fault(file, "undo is true where there is a tasks/absent.yml, and only there")
    return undo


def _figures(file: Path, name: str, value: object, *, whole: bool = False) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _fault(file, f"{name} must hold names and numbers")
    _keys(file, value, _FOOTPRINT if whole else (), _FOOTPRINT, name)
    for key, figure in value.items():
        if isinstance(figure, bool) or not isinstance(figure, int | float) or figure < 0:
            raise _fault(file, f"{name}.{key} is {figure!r}, not a number")
    return {key: float(figure) for key, figure in value.items()}


def _options(role: Path) -> dict[str, Option]:
    """What `meta/argument_specs.yml` says of the variables; nothing when there is no such file."""
    file = role / "meta" / "argument_specs.yml"
    if not file.exists():
        return {}
    try:
        return options.read(mapping(file)["argument_specs"]["main"].get("options") or {})
    except (KeyError, TypeError, AttributeError) as error:
        raise _fault(file, "it has no argument_specs.main.options") from error
    except ValueError as error:
        raise _fault(file, str(error)) from error


def _defaults(role: Path, identity: str) -> dict[str, Any]:
    file = role / "defaults" / "main.yml"
    defaults = mapping(file)
    for name in defaults:
        own = isinstance(name, str) and name.startswith(f"{identity}__")
        if not own or name.removeprefix(f"{identity}__") in ("", *RESERVED):
            raise _fault(file, f"{name!r} is no variable of its own ({identity}__something)")
    for name, value in defaults.items():
        try:
            defaults[name] = plain.data(value)
        except ValueError as error:
            raise _fault(file, f"{name} is not plain data: {error}") from error
    return defaults
