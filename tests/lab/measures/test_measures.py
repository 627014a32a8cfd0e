"""Compliant, broken as life does, seen, mended, compliant again, and then left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from kitsurvie import lab
from kitsurvie.lab import scenario

from . import proved
from .conftest import LEFT_OUT, for_profile

ROLES = Path(__file__).parents[3] / "roles"
SCENARIOS = {
    measure.name: sorted((measure / "scenarios").glob("drift_*.sh"))
    for measure in sorted(x for x in ROLES.iterdir() if (x / "measure.yml").exists())
}
# what no two machines have in common, however alike
# what the tools of accounts keep of a list before its last change is not the machine's state, nor
# is the session that we came in by
OF_ITS_OWN = re.compile(
    r"^/etc/(ssh/ssh_host_|machine-id|hostname|hosts|systemd/network/|\.pwd\.lock)"
    r"|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)- |\.scope transient$"
    # read line by line instead: which number an account gets depends on who came before
    r"|^/etc/(passwd|group|shadow|gshadow) [0-9a-f]{64}$"
)
# whose it is, where it lives, what opens it, and for how long: all but numbers and days
ACCOUNTS = (
    "awk -F: '{print \"account\", $1, $5, $6, $7}' /etc/passwd; "
    "awk -F: '{print \"account of group\", $1, $4}' /etc/group; "
    'awk -F: \'{print "account opened", $1, ($2 ~ /^[!*]/ ? "by no password" : $2), '
    "$4, $5, $6, $7, $8}' /etc/shadow; "
    "awk -F: '{print \"account of group opened\", $1, $2, $3, $4}' /etc/gshadow"
)


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
    for name in names:
        kit.a_person_mends(name)
    return names


@pytest.fixture
def machines_for(kit) -> Iterator:
    """One machine of each release for a measure, of a profile that it is for."""
    with ExitStack() as stack:

        def choose(measure: str) -> list[str]:
            profiles = yaml.safe_load((ROLES / measure / "measure.yml").read_text())["profiles"]
            chosen = []
            for release in ("bookworm", "trixie"):
                there = [m.name for m in kit.fleet.machines if m.release == release]
                fitting = [name for name in there if kit.profiles[name] in profiles]
                if not fitting:
                    stack.enter_context(kit.used_as(there[0], profiles[0]))
                chosen.append((fitting or there)[0])
            return chosen

        yield choose


def test_a_preview_of_a_bare_machine_ends_well_and_changes_nothing(kit) -> None:
    names = [m.name for m in kit.fleet.machines][2:3]
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


def test_a_measure_for_another_profile_is_not_played(kit) -> None:
    server = next(name for name, profile in kit.profiles.items() if profile == "server")
    others = sorted(set(SCENARIOS) - set(for_profile("server")) - set(LEFT_OUT))
    assert others
    played = kit.play("--check", "--limit", server, "--tags", ",".join(others))
    assert played.status == 0, played.said[-3000:]
    assert [role for role in others if f"[{role} : " in played.said] == []


def test_both_releases_end_compliant(kit, pair) -> None:
    for name in pair:
        assert kit.drifting(name) == [], name


@pytest.mark.slow
def test_a_second_play_changes_nothing(kit, pair) -> None:
    """Of the whole; of each measure alone where it is broken and mended below."""
    again = kit.play("--limit", ",".join(pair))
    assert again.status == 0, again.said[-3000:]
    assert again.count("changed") == dict.fromkeys(pair, 0), again.said


def break_and_mend(kit, names: list[str], measure: str, rounds: int) -> None:
    """In one round each machine is broken in one way, the other one in the next."""
    with kit.scene(names, measure):
        _break_and_mend(kit, names, measure, rounds)


def _break_and_mend(kit, names: list[str], measure: str, rounds: int) -> None:
    scripts = SCENARIOS[measure]
    play = ("--limit", ",".join(names), "--tags", measure, "-e", f"{measure}__mode=enforce")
    applied = kit.play(*play)
    assert applied.status == 0, applied.said[-3000:]
    for name in names:
        kit.a_person_mends(name, measure)
    for number in range(rounds):
        for place, name in enumerate(names):
            script = scripts[(number + place) % len(scripts)]
            scenario.act(kit.fleet.machine(name), f"{measure}/{script.stem}", [ROLES])
            text = script.read_text(encoding="utf-8")
            expected = set(re.findall(r"^# breaks: (\w+)$", text, re.MULTILINE))
            seen = {check.partition("/")[2] for check in kit.drifting(name, measure)}
            assert expected <= seen, f"{name}, {script.stem}: not seen {sorted(expected - seen)}"
        mended = kit.play(*play)
        assert mended.status == 0, mended.said[-3000:]
        for name in names:
            kit.a_person_mends(name, measure)
            assert kit.drifting(name, measure) == [], f"{name}, round {number}"
    again = kit.play(*play)
    assert again.count("changed") == dict.fromkeys(names, 0), again.said


@pytest.mark.parametrize("measure", [m for m in SCENARIOS if not proved.holds(m)])
def test_what_changed_is_broken_seen_and_mended(kit, machines_for, measure: str) -> None:
    """Two ways to break each measure that changed since all were proved, one on each release."""
    if measure in LEFT_OUT:
        pytest.skip("too heavy for every day: make test-all")
    break_and_mend(kit, machines_for(measure), measure, 1)


@pytest.mark.slow
@pytest.mark.parametrize("measure", SCENARIOS)
def test_every_way_to_break_a_measure_is_seen_and_mended(kit, machines_for, measure: str) -> None:
    """Every scenario on both releases."""
    break_and_mend(kit, machines_for(measure), measure, len(SCENARIOS[measure]))
    proved.remember(measure)


def state(fleet: lab.Lab, name: str) -> set[str]:
    """What a measure may change: files of /etc with their digests, packages, units, accounts."""
    asked = (
        "find /etc -type f -exec sha256sum {} + | sed 's/^\\([^ ]*\\)  \\(.*\\)/\\2 \\1/'; "
        "find /etc /usr/local -printf '%p %M %u %g\\n'; "
        "dpkg-query -W -f '${Package} ${db:Status-Status}\\n'; "
        "systemctl list-unit-files --no-legend --plain | awk '{print $1, $2}'; " + ACCOUNTS
    )
    said = fleet.machine(name).run(["/bin/sh", "-c", asked]).stdout.decode()
    return {line for line in said.splitlines() if not OF_ITS_OWN.search(line)}


@pytest.mark.slow
def test_any_order_gives_the_same_machine(kit) -> None:
    """One server gets the kit in one play, the other measure by measure, the last one first."""
    whole, alone = [m.name for m in kit.fleet.machines if m.release == "trixie"]
    for name in (whole, alone):
        lab.renew(kit.fleet, name)
    with kit.used_as(whole, "server"), kit.used_as(alone, "server"):
        assert kit.play("--limit", whole).status == 0
        plays = yaml.safe_load((ROLES.parent / "playbooks" / "kit.yml").read_text())
        for measure in reversed([play["tags"][0] for play in plays]):
            played = kit.play("--limit", alone, "--tags", measure)
            assert played.status == 0, played.said[-3000:]
        for name in (whole, alone):
            kit.a_person_mends(name)
            assert kit.drifting(name) == []
        again = kit.play("--limit", f"{whole},{alone}")
        assert again.count("changed") == {whole: 0, alone: 0}, again.said
    assert state(kit.fleet, whole) ^ state(kit.fleet, alone) == set()
