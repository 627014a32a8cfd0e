"""Days of use are collected on a machine only where a consultation is on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from kitsurvie import inventory, kit
from kitsurvie.model import Measure

from .conftest import FILES, Make

TODAY = date(2026, 11, 26)
USE = "metrics_probe__use: true\n"
AGNEAUX = "group_vars/member_215000027.yml"
BODY = '    body: social committee\n    on: "2026-03-12"\n'


@pytest.fixture
def measures(role: Callable[..., Path]) -> Mapping[str, Measure]:
    defaults = "---\n# Whether days of use are counted.\n{id}__use: false\n"
    return kit.load(
        [role("firewall").parent, role("metrics_probe", defaults=defaults, step="sobriety").parent]
    )


def told(make: Make, measures: Mapping[str, Measure], files: dict[str, str]) -> list[str]:
    problems = inventory.check(make(files), measures, today=TODAY)  # type: ignore[arg-type]
    errors = [problem for problem in problems if problem.severity is inventory.Severity.ERROR]
    assert all(error.remedy for error in errors)
    return [f"{error.where} {error.what}" for error in errors]


def test_use_without_a_consultation_is_refused_at_its_line(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    [problem] = told(make, measures, {AGNEAUX: FILES[AGNEAUX] + USE})
    assert problem == (
        "inventory/group_vars/member_215000027.yml:3 metrics_probe__use is true and no "
        "consultation is on record for 215000027."
    )


@pytest.mark.parametrize("scope", ['member: "215000027"', 'epci: "200066389"', "all: true"])
def test_use_is_accepted_where_its_member_its_epci_or_all_were_consulted(
    make: Make, measures: Mapping[str, Measure], scope: str
) -> None:
    consulted = f"consultations:\n  - {scope}\n{BODY}"
    files = {AGNEAUX: FILES[AGNEAUX] + USE, "consultations.yml": consulted}
    assert told(make, measures, files) == []


def test_the_consultation_of_another_member_is_not_enough(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    consulted = f'consultations:\n  - member: "215005026"\n{BODY}'
    everywhere = {"group_vars/all.yml": FILES["group_vars/all.yml"] + USE}
    [problem] = told(make, measures, {**everywhere, "consultations.yml": consulted})
    assert problem.startswith("inventory/group_vars/all.yml:3 ")
    assert problem.endswith("on record for 215000027, 225005024.")


def test_a_consultation_that_cannot_be_read_is_told_and_covers_nobody(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    consulted = "consultations:\n  - all: true\n    body: x\n    on: tomorrow\n"
    files = {AGNEAUX: FILES[AGNEAUX] + USE, "consultations.yml": consulted}
    problems = told(make, measures, files)
    assert any("on is 'tomorrow', which is no day" in one for one in problems)
    assert any("no consultation is on record" in one for one in problems)


def test_where_no_use_is_collected_consultations_are_not_looked_at(
    make: Make, measures: Mapping[str, Measure]
) -> None:
    files = {
        AGNEAUX: FILES[AGNEAUX] + USE.replace("true", "false"),
        "consultations.yml": "consultations: nonsense\n",
    }
    assert told(make, measures, files) == []
