"""How long it was on, how often it was started, and who, as a number, was there."""

from __future__ import annotations

import json

import pytest
from tests.unit.probe.conftest import NOON, QUARTER, SYS, Machine

from kitsurvie.energy import totals
from kitsurvie.model import Answer, Evidence

DAY = 86_400.0


def session(machine: Machine, number: str, **said: str) -> None:
    lines = {
        "CLASS": "user",
        "STATE": "active",
        "TYPE": "x11",
        "USER": "someone",
        "UID": "1000",
        **said,
    }
    machine.put(f"run/systemd/sessions/{number}", "\n".join(f"{k}={v}" for k, v in lines.items()))


def test_time_awake_and_asleep_is_counted(machine: Machine) -> None:
    machine.read()
    machine.passes(600, asleep=3000)
    found = machine.read()
    assert found["powered_seconds_total"] == 600
    assert found["suspended_seconds_total"] == 3000


def test_what_was_before_the_first_reading_is_not_counted(machine: Machine) -> None:
    found = machine.read()
    assert "powered_seconds_total" not in found
    assert found["boots_total"] == 1


def test_counters_outlive_a_restart_and_have_what_came_after_it(machine: Machine) -> None:
    machine.since()
    machine.restarts("two", after=120)
    machine.busy(5, 45)
    found = machine.read()
    assert found["boots_total"] == 2
    assert found["powered_seconds_total"] == QUARTER + 120


def test_a_clock_that_is_set_back_or_far_ahead_changes_no_duration(machine: Machine) -> None:
    machine.since()
    machine.wall -= 40 * DAY
    machine.passes()
    assert machine.read()["powered_seconds_total"] == 2 * QUARTER
    machine.wall += 4000 * DAY
    machine.passes()
    assert machine.read()["powered_seconds_total"] == 3 * QUARTER


def test_screens_are_those_with_a_cable_beside_the_panel(machine: Machine) -> None:
    assert "screens_connected" not in machine.read()
    for name, status in (
        ("card0-HDMI-A-1", "connected"), ("card0-DP-1", "disconnected"),
        ("card0-eDP-1", "connected"), ("card1-DP-2", "connected"),
    ):  # fmt: skip
        machine.put(f"{SYS}/drm/{name}/status", status)
    machine.put(f"{SYS}/drm/version", "drm 1.1.0")
    assert machine.read()["screens_connected"] == 2


# -- use


def test_use_is_not_looked_at_unless_it_is_said(machine: Machine) -> None:
    session(machine, "1")
    found = machine.since()
    assert not any("session" in one or "used" in one for one in found)
    kept = (machine.state / "state").read_text()
    assert "last_used" not in kept
    assert "active_days" not in kept


def test_sessions_are_counted_by_kind_and_nobody_is_named(machine: Machine) -> None:
    machine.options = ["--use"]
    session(machine, "1")
    session(machine, "2", TYPE="wayland")
    session(machine, "3", TYPE="tty")
    session(machine, "c4", TYPE="tty", REMOTE="1")
    session(machine, "5", CLASS="greeter")
    session(machine, "6", STATE="closing")
    for number, uid in (("8", "0"), ("9", "999"), ("10", "61184"), ("11", ""), ("12", "x")):
        session(machine, number, TYPE="tty", UID=uid)
    session(machine, "7.ref")
    found = machine.read()
    kinds = {"graphical": 2, "text": 1, "remote": 1}
    assert {kind: found[f"sessions{{{kind}}}"] for kind in kinds} == kinds
    assert found["used_dates_total"] == 1
    assert found["last_used_timestamp_seconds"] == NOON - NOON % DAY
    written = machine.textfile.read_text() + (machine.state / "state").read_text()
    assert "someone" not in written


def test_each_date_counts_once_and_a_date_without_a_session_does_not(machine: Machine) -> None:
    machine.options = ["--use"]
    session(machine, "1")
    for _ in range(3):
        machine.passes()
        machine.read()
    machine.take("run/systemd/sessions/1")
    machine.wall += DAY
    machine.passes()
    found = machine.read()
    assert found["used_dates_total"] == 1
    assert found["sessions{graphical}"] == 0
    session(machine, "2")
    machine.wall += DAY
    machine.passes()
    assert machine.read()["used_dates_total"] == 2


def test_whoever_comes_from_afar_is_no_use_of_the_machine(machine: Machine) -> None:
    machine.options = ["--use"]
    session(machine, "1", TYPE="tty", REMOTE="1")
    session(machine, "2", TYPE="unspecified")
    found = machine.read()
    assert found["sessions{remote}"] == 1
    assert found["sessions{text}"] == 0
    assert found["used_dates_total"] == 0
    assert "last_used_timestamp_seconds" not in found


def test_use_that_may_no_longer_be_collected_is_forgotten(machine: Machine) -> None:
    machine.options = ["--use"]
    session(machine, "1")
    machine.read()
    machine.options = []
    machine.passes()
    assert "used_dates_total" not in machine.read()
    assert "last_used" not in (machine.state / "state").read_text()


# -- the totals of a day


def handed_over(machine: Machine) -> object:
    said = (machine.state / "totals.json").read_bytes()
    evidence = Evidence("pc-1", {totals.COMMAND: Answer(0, said, b"")})
    return totals.reading(evidence, machine.wall)


def test_the_totals_are_those_of_the_end_of_the_last_day_and_stay_until_the_next(
    machine: Machine,
) -> None:
    machine.options = ["--use"]
    machine.package(0, 0)
    session(machine, "1")
    machine.read()
    machine.passes()
    machine.package(0, 60_000_000)
    machine.busy(110, 990)
    machine.read()
    assert not (machine.state / "totals.json").exists()
    machine.wall += DAY
    machine.passes()
    machine.package(0, 100_000_000)
    machine.read()
    first = (machine.state / "totals.json").read_bytes()
    found = handed_over(machine)
    assert found is not None
    assert (found.day, found.since) == ("2026-11-20", "2026-11-20")  # type: ignore[attr-defined]
    assert (found.machine, found.chassis) == ("physical", "desktop")  # type: ignore[attr-defined]
    assert found.joules == {"rapl": 60.0}  # type: ignore[attr-defined]
    assert found.modelled[1] == pytest.approx(70 * QUARTER)  # type: ignore[attr-defined]
    assert found.seconds["powered"] == QUARTER  # type: ignore[attr-defined]
    assert found.last_used == "2026-11-20"  # type: ignore[attr-defined]
    machine.passes()
    machine.read()
    assert (machine.state / "totals.json").read_bytes() == first
    assert (machine.state / "totals.json").stat().st_mode & 0o777 == 0o600


def test_a_clock_that_begins_in_1970_hands_no_day_over(machine: Machine) -> None:
    machine.wall = 1000.0
    machine.since()
    machine.wall = NOON
    machine.passes()
    machine.read()
    assert not (machine.state / "totals.json").exists()


def test_the_totals_of_a_virtual_machine_have_no_energy_and_no_use(machine: Machine) -> None:
    machine.put("run/systemd/container", "lxc")
    session(machine, "1")
    machine.since()
    machine.wall += DAY
    machine.read()
    said = json.loads((machine.state / "totals.json").read_text())
    assert (said["joules"], said["modelled"], said["last_used"]) == ({}, {}, None)
    assert said["seconds"] == {"powered": QUARTER, "suspended": 0.0}
    assert handed_over(machine) is not None
