"""What the kit makes of every rule of the norms: automated, attested, or left out with a reason."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

from kitsurvie.errors import KitError
from kitsurvie.kit import measures as catalogue
from kitsurvie.model import Measure, Text

STATEMENTS = "coverage.yml"
_NORMS = ("bp028_v2.csv", "hygiene_42.csv")
_SECTIONS = ("attested", "left_out", "partly", "by_the_kit")


class How(StrEnum):
    """How a rule is met."""

    AUTOMATED = "automated"
    ATTESTED = "attested"
    LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a norm. `level` is that of BP-028, or the theme of the hygiene guide (I to X)."""

    id: str
    title: str
    level: str


@dataclass(frozen=True, slots=True)
class Covered:
    """What the kit makes of a rule.

    `measures` apply and verify it; none where the kit as a whole does. `text` says how it does,
    what a person must state (attested), why it is left out, or what the measures leave open
    (automated; None when they leave nothing).
    """

    rule: Rule
    how: How
    measures: tuple[str, ...]
    text: Text | None


def rules() -> tuple[Rule, ...]:
    """The 80 rules of BP-028 v2.0, then the 42 measures of the hygiene guide (kit/norms/README)."""
    folder = resources.files("kitsurvie.kit") / "norms"
    return tuple(
        Rule(row["id"], row["title"], row["level"])
        for name in _NORMS
        for row in csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines())
    )


def coverage(measures: Iterable[Measure], roles_dirs: Sequence[Path]) -> tuple[Covered, ...]:
    """Every rule, in the order of its norm. Raises KitError when one has no place, or two.

    The statements are read from the first of the role folders that has a coverage.yml.
    """
    file = next((d / STATEMENTS for d in roles_dirs if (d / STATEMENTS).is_file()), None)
    if file is None:
        raise KitError(
            "What the kit leaves out is written nowhere.",
            where=", ".join(str(folder / STATEMENTS) for folder in roles_dirs),
            remedy="Bring the coverage.yml that travels with the kit back.",
        )
    said = _statements(file)
    by_rule: dict[str, list[str]] = {}
    for measure in measures:
        for norm in measure.norms:
            by_rule.setdefault(norm, []).append(measure.id)
    known = rules()
    # a measure of the syndicate's own may name other norms; a statement is about these
    strangers = set().union(*said.values()) - {rule.id for rule in known}
    if strangers:
        raise _fault(file, f"{', '.join(sorted(strangers))} is no rule of a norm it knows")
    return tuple(_covered(file, rule, tuple(by_rule.get(rule.id, ())), said) for rule in known)


def _covered(
    file: Path, rule: Rule, measures: tuple[str, ...], said: Mapping[str, Mapping[str, Text]]
) -> Covered:
    attested, left_out = said["attested"].get(rule.id), said["left_out"].get(rule.id)
    partly, whole = said["partly"].get(rule.id), said["by_the_kit"].get(rule.id)
    claims = {
        "a measure": measures,
        "by_the_kit": whole,
        "attested": attested,
        "left_out": left_out,
    }
    places = [name for name, there in claims.items() if there]
    if len(places) != 1:
        raise _fault(file, f"{rule.id} has {len(places)} places ({', '.join(places) or 'none'})")
    if partly and not measures:
        raise _fault(file, f"{rule.id} is said to be partly met, and no measure names it")
    if measures:
        return Covered(rule, How.AUTOMATED, measures, partly)
    if whole:
        return Covered(rule, How.AUTOMATED, (), whole)
    return Covered(rule, How.ATTESTED if attested else How.LEFT_OUT, (), attested or left_out)


def _statements(file: Path) -> dict[str, dict[str, Text]]:
    document = catalogue.mapping(file)
    strange = set(document) - set(_SECTIONS)
    if strange:
        raise _fault(file, f"it holds {', '.join(sorted(map(str, strange)))}")
    return {section: _texts(file, document.get(section) or {}) for section in _SECTIONS}


def _texts(file: Path, section: Any) -> dict[str, Text]:
    if not isinstance(section, dict):
        raise _fault(file, "a section does not hold rules and their texts")
    found = {}
    for rule, text in section.items():
        fitting = isinstance(text, dict) and set(text) == {"fr", "en"}
        if not fitting or not all(isinstance(x, str) and x.strip() for x in text.values()):
            raise _fault(file, f"{rule} does not hold a text in fr and one in en")
        found[str(rule)] = Text(fr=text["fr"].strip(), en=text["en"].strip())
    return found


def _fault(file: Path, what: str) -> KitError:
    return KitError(
        f"The coverage of the norms contradicts itself: {what}.",
        where=str(file),
        remedy="Every rule is named by a measure, or stands in one section of that file, once.",
    )


def number(rule: Rule) -> str:
    """The rule's short name: `R33`, or `17` of the hygiene guide."""
    return re.sub(r"^.*/", "", rule.id)
