"""Every rule of the norms has one place, and only one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from kitsurvie import kit
from kitsurvie.errors import KitError

from .conftest import Run

ROLES = Path(__file__).parents[3] / "roles"
TEXT = {"fr": "Parce que.", "en": "Because."}


def measure(*norms: str) -> SimpleNamespace:
    return SimpleNamespace(id="mine", norms=norms)


@pytest.fixture
def statements(tmp_path: Path) -> Callable[..., Path]:
    """Every rule left out, but for what the test says."""

    def write(**sections: dict[str, object]) -> Path:
        elsewhere = {rule for one in sections.values() for rule in one}
        left_out = {r.id: TEXT for r in kit.rules() if r.id not in elsewhere}
        content = {"left_out": left_out, **sections}
        (tmp_path / "coverage.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return tmp_path

    return write


def test_the_norms_have_80_and_42_rules() -> None:
    found = Counter(rule.id.partition("/")[0] for rule in kit.rules())
    assert found == {"BP-028": 80, "GH-42": 42}
    minimal = [rule.id for rule in kit.rules() if rule.level == "minimal"]
    assert len(minimal) == 11


def test_the_kit_places_every_rule() -> None:
    measures = kit.load([ROLES])
    found = {one.rule.id: one for one in kit.coverage(measures.values(), [ROLES])}
    assert len(found) == 122
    assert found["BP-028/v2.0/R59"].measures == ("updates",)
    assert found["BP-028/v2.0/R15"].how is kit.How.LEFT_OUT
    assert all(one.text for one in found.values() if not one.measures)


def test_a_rule_that_a_measure_names_is_automated(statements: Callable[..., Path]) -> None:
    rule = "BP-028/v2.0/R33"
    folder = statements(partly={rule: TEXT}, left_out={
        r.id: TEXT for r in kit.rules() if r.id != rule
    })  # fmt: skip
    found = {one.rule.id: one for one in kit.coverage([measure(rule)], [folder])}
    assert (found[rule].how, found[rule].measures) == (kit.How.AUTOMATED, ("mine",))
    assert found[rule].text is not None


@pytest.mark.parametrize(
    ("sections", "norms", "what"),
    [
        ({}, ["BP-028/v2.0/R33"], "R33 has 2 places"),
        ({"attested": {}, "left_out": {}}, [], "R1 has 0 places"),
        ({"partly": {"BP-028/v2.0/R1": TEXT}}, [], "R1 has 0 places"),
        ({"attested": {"BP-028/v2.0/R99": TEXT}}, [], "R99 is no rule"),
        ({"attested": {"BP-028/v2.0/R1": {"fr": "Oui."}}}, [], "does not hold a text"),
        ({"attested": ["BP-028/v2.0/R1"]}, [], "does not hold rules"),
        ({"by_the_way": {}}, [], "it holds by_the_way"),
    ],
)
def test_a_contradiction_is_said(
    statements: Callable[..., Path], sections: dict[str, object], norms: list[str], what: str
) -> None:
    folder = statements(**sections)
    with pytest.raises(KitError, match=what):
        kit.coverage([measure(*norms)], [folder])


def test_a_measure_of_the_syndicate_may_name_other_norms(statements: Callable[..., Path]) -> None:
    assert len(kit.coverage([measure("ISO-27001/2022/8.8")], [statements()])) == 122


def test_a_missing_file_of_statements_is_said(tmp_path: Path) -> None:
    with pytest.raises(KitError, match="written nowhere"):
        kit.coverage([], [tmp_path])


def test_the_command_prints_one_document(kitsurvie: Run) -> None:
    said = kitsurvie("kit", "coverage", "--norm", "bp-028", "--level", "minimal", "--json").document
    assert said["kind"] == "kit_coverage"
    assert sum(said["summary"].values()) == len(said["rules"]) == 11


def test_the_table_speaks_the_language_asked_for(kitsurvie: Run) -> None:
    assert "noyau" in kitsurvie("kit", "coverage", "--level", "high", "--lang", "fr").out
    assert "kernel" in kitsurvie("kit", "coverage", "--level", "high", "--lang", "en").out


def test_a_level_that_no_rule_has_is_said(kitsurvie: Run) -> None:
    said = kitsurvie("kit", "coverage", "--level", "maximal")
    assert (said.code, said.out) == (2, "")
    assert "minimal" in said.err
