"""Compliant, broken as life does, seen, mended, compliant again, and then left alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kitsurvie import lab
from kitsurvie.lab import scenario

ROLES = Path(__file__).parents[3] / "roles"
SCENARIOS = {
    measure.name: sorted((measure / "scenarios").glob("drift_*.sh"))
    for measure in sorted(x for x in ROLES.iterdir() if (x / "measure.yml").exists())
}
QUICK = (0, 2)
ROUNDS = max(len(scripts) for scripts in SCENARIOS.values())


def one_of_each_release(fleet: lab.Lab) -> list[str]:
    first = {m.release: m.name for m in reversed(fleet.machines)}
    assert sorted(first) == ["bookworm", "trixie"]
    return [first["bookworm"], first["trixie"]]


def listing(fleet: lab.Lab, name: str) -> list[str]:
    """Every file and folder of /etc with its mode, size and time."""
    done = fleet.machine(name).run(["find", "/etc", "-printf", f"{name} %p %m %s %T+\n"])
    return done.stdout.decode().splitlines()


@pytest.fixture(scope="module", autouse=True)
def bare(lab_fleet: lab.Lab) -> None:
    for machine in lab_fleet.machines:
        lab.renew(lab_fleet, machine.name)


@pytest.fixture(scope="module")
def pair(kit) -> list[str]:
    """One machine of each release with the whole kit on it."""
    names = one_of_each_release(kit.fleet)
    played = kit.play("--limit", ",".join(names))
    assert played.status == 0, played.said[-3000:]
    return names


def test_a_preview_of_a_bare_machine_ends_well_and_changes_nothing(kit) -> None:
    names = [m.name for m in kit.fleet.machines][2:]
    before = {line for n in names for line in listing(kit.fleet, n)}
    played = kit.play("--check", "--limit", ",".join(names))
    assert played.status == 0, played.said[-3000:]
    assert min(played.count("changed").values()) > 5
    after = {line for n in names for line in listing(kit.fleet, n)}
    assert after ^ before == set()


def test_where_the_mode_is_observe_nothing_is_touched(kit) -> None:
    names = [m.name for m in kit.fleet.machines][2:]
    played = kit.play("-e", "kit__mode=observe", "--limit", ",".join(names))
    assert played.status == 0, played.said[-3000:]
    assert set(played.count("changed").values()) <= {0}
    assert "Install" not in played.said


def test_both_releases_end_compliant_and_a_second_play_changes_nothing(kit, pair) -> None:
    for name in pair:
        assert kit.drifting(name) == [], name
    again = kit.play("--limit", ",".join(pair))
    assert again.status == 0, again.said[-3000:]
    assert again.count("changed") == dict.fromkeys(pair, 0), again.said


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow], id=f"round-{n}")
        for n in range(ROUNDS)
    ],
)
def test_every_measure_is_broken_seen_and_mended(kit, pair, number: int) -> None:
    """In one round each machine has one scenario of every measure, the other one the next.

    The quick rounds: four scenarios of each measure. All rounds: every scenario on both releases.
    """
    expected: dict[str, set[str]] = {}
    for place, name in enumerate(pair):
        for measure, scripts in SCENARIOS.items():
            script = scripts[(number + place) % len(scripts)]
            scenario.act(kit.fleet.machine(name), f"{measure}/{script.stem}", [ROLES])
            text = script.read_text(encoding="utf-8")
            names = re.findall(r"^# breaks: (\w+)$", text, re.MULTILINE)
            expected.setdefault(name, set()).update(f"{measure}/{check}" for check in names)

    for name in pair:
        seen = {check.partition("[")[0] for check in kit.drifting(name)}
        assert expected[name] <= seen, f"{name}: not seen {sorted(expected[name] - seen)}"

    mended = kit.play("--limit", ",".join(pair))
    assert mended.status == 0, mended.said[-3000:]
    for name in pair:
        assert kit.drifting(name) == [], name
    again = kit.play("--limit", ",".join(pair))
    assert again.count("changed") == dict.fromkeys(pair, 0), again.said
