"""Plain ansible-playbook leaves alone what kitsurvie leaves alone, dates included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kitsurvie import kit
from kitsurvie.model import Measure, Mode

TASKS = Path(__file__).parents[2] / "playbooks" / "tasks"
TODAY = date.today()
DAY = timedelta(days=1)
HOSTS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "enforced": {"m__mode": "enforce"},
    "by-the-kit": {"kit__mode": "enforce"},
    "off": {"kit__mode": "enforce", "m__mode": "off"},
    "off-as-yaml-reads-it": {"kit__mode": "enforce", "m__mode": False},
    "until-today": {"m__mode": "enforce", "m__off_until": str(TODAY)},
    "until-next-year": {"m__mode": "enforce", "m__off_until": str(TODAY + 365 * DAY)},
    "until-yesterday": {"m__mode": "enforce", "m__off_until": str(TODAY - DAY)},
    "ended-where-it-is-observed": {"m__off_until": str(TODAY - DAY)},
    "ended-where-the-kit-enforces": {"kit__mode": "enforce", "m__off_until": str(TODAY - DAY)},
    "an-exception-taken-back": {"m__mode": "enforce", "m__off_until": ""},
    "another-measure-s": {"m__mode": "enforce", "n__off_until": str(TODAY + DAY)},
}


def applied(folder: Path, *words: str, way: str = "mode") -> set[str]:
    """The hosts that a play of `m` (or, by way of `absent`, its undoing) goes on with."""
    inventory = {
        "all": {"hosts": {n: {**v, "ansible_connection": "local"} for n, v in HOSTS.items()}}
    }
    (folder / "hosts.json").write_text(json.dumps(inventory))
    go_on = {"name": "Go on", "ansible.builtin.debug": {"msg": "applied"}}
    respect = {
        "name": "Respect", "ansible.builtin.import_tasks": str(TASKS / f"{way}.yml"),
        "vars": {f"{way}_measure": "m"},
    }  # fmt: skip
    play = [{"hosts": "all", "gather_facts": False, "tasks": [respect, go_on]}]
    (folder / "play.json").write_text(json.dumps(play))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder / "hosts.json"),
         str(folder / "play.json"), *words],
        check=True, capture_output=True, text=True, cwd=folder,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1",
             "ANSIBLE_INVENTORY_ENABLED": "yaml", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    return {name for name in HOSTS if f"ok: [{name}]" in done.stdout}


def test_plain_ansible_applies_a_measure_where_kitsurvie_would(
    tmp_path: Path, measure: Measure
) -> None:
    enforced = {n for n, v in HOSTS.items() if kit.mode(measure, v, TODAY) is Mode.ENFORCE}
    assert applied(tmp_path) == enforced
    assert "until-yesterday" in enforced


def test_a_preview_meets_what_is_observed_and_never_what_is_off(
    tmp_path: Path, measure: Measure
) -> None:
    on = {n for n, v in HOSTS.items() if kit.mode(measure, v, TODAY) is not Mode.OFF}
    assert applied(tmp_path, "--check") == on


@pytest.mark.parametrize("words", [(), ("--check",)])
def test_what_is_off_is_undone_and_nothing_else(
    tmp_path: Path, measure: Measure, words: tuple[str, ...]
) -> None:
    off = {n for n, v in HOSTS.items() if kit.mode(measure, v, TODAY) is Mode.OFF}
    assert applied(tmp_path, *words, way="absent") == off


@pytest.fixture
def measure() -> Measure:
    real = next(iter(kit.load([TASKS.parents[1] / "roles"]).values()))
    return Measure(**{f: getattr(real, f) for f in real.__slots__} | {"id": "m"})
