"""What is switched off is taken away once; what asks for a restart gets it, and comes back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lab.spine import Desk

from kitsurvie import lab

NOTE = "/run/kitsurvie/reboot-wanted/updates"
OFF = {"updates__mode": "off", "updates__off_reason": "the supplier's word"}


def one_of_each_release(fleet: lab.Lab) -> list[str]:
    first = {m.release: m.name for m in reversed(fleet.machines)}
    return [first["bookworm"], first["trixie"]]


def out(fleet: lab.Lab, name: str, *command: str) -> str:
    return fleet.machine(name).run(list(command)).stdout.decode().strip()


@pytest.fixture(scope="module")
def desk(lab_fleet: lab.Lab) -> Iterator[Desk]:
    """A workspace in which one small measure is enforced, and restarts are given."""
    made = Desk(lab_fleet.folder)
    with made.variables("group:all", updates__mode="enforce", kit__reboot="auto"):
        yield made


@pytest.fixture(scope="module")
def pair(lab_fleet: lab.Lab, desk: Desk) -> list[str]:
    names = one_of_each_release(lab_fleet)
    said = desk.run("deploy", "--yes", "--limit", ",".join(names), "--measure", "updates", "--json")
    assert [said.host(name)["state"] for name in names] == ["done", "done"], said.why()
    return names


def test_a_measure_switched_off_is_undone_once(
    lab_fleet: lab.Lab, desk: Desk, pair: list[str]
) -> None:
    words = ("--limit", ",".join(pair), "--measure", "updates", "--json")
    with desk.variables("group:all", **OFF):
        planned = desk.run("plan", *words)
        assert planned.measure(pair[0], "updates")["action"] == "undo", planned.why()
        done = desk.run("deploy", "--yes", *words)
        assert [done.host(name)["state"] for name in pair] == ["done", "done"], done.why()
        for name in pair:
            left = out(lab_fleet, name, "ls", "/etc/apt/apt.conf.d", "/var/lib/kitsurvie/stamps")
            assert "zzz-kitsurvie" not in left
            assert "updates" not in left.partition("stamps")[2]
        assert desk.run("deploy", "--yes", *words).ran() == set()
    back = desk.run("deploy", "--yes", *words)
    assert [back.measure(name, "updates")["ansible"]["state"] for name in pair] == ["changed"] * 2


def test_a_machine_is_restarted_when_nobody_is_logged_in_and_proved(
    lab_fleet: lab.Lab, desk: Desk, pair: list[str]
) -> None:
    free, busy = pair
    boot = ("cat", "/proc/sys/kernel/random/boot_id")
    before = {name: out(lab_fleet, name, *boot) for name in pair}
    for name in pair:
        out(lab_fleet, name, "install", "-D", "/dev/null", NOTE)
    machine = lab_fleet.machine(busy)
    somebody = subprocess.Popen(
        ["ssh", "-o", f"HostKeyAlias={busy}", "-o", "BatchMode=yes",
         "-o", f"UserKnownHostsFile={lab_fleet.folder / 'inventory' / 'known_hosts'}",
         "-i", lab_fleet.admin_key, f"admin1@{machine.address}", "cat"],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        words = ("--limit", ",".join(pair), "--measure", "updates", "--json")
        done = desk.run("deploy", "--yes", *words)
    finally:
        somebody.terminate()
        somebody.wait(20)
    assert done.host(free)["state"] == "done", done.why()
    assert done.host(free)["restart"] == {
        "wanted_by": [], "since": None, "left": "", "done": True,
    }  # fmt: skip
    assert out(lab_fleet, free, *boot) != before[free]
    assert done.host(busy)["state"] == "held", done.why()
    assert "logged in there: admin1" in done.host(busy)["detail"]
    assert out(lab_fleet, busy, *boot) == before[busy]
    out(lab_fleet, busy, "rm", NOTE)


@pytest.mark.slow
def test_a_retired_machine_keeps_neither_the_kit_nor_our_keys(
    spare_request: lab.Request, spare_folder: Path
) -> None:
    fleet = lab.up(spare_folder, replace(spare_request, machines=1, enrolled=True))
    (name,) = [machine.name for machine in fleet.machines]
    desk = Desk(fleet.folder)
    with desk.variables("group:all", updates__mode="enforce"):
        desk.run("deploy", "--yes", "--measure", "updates")
        # the one who installed it could come in, and root
        out(fleet, name, "gpasswd", "--delete", fleet.install_user, "sudo")
        out(fleet, name, "passwd", "--lock", "root")
        refused = desk.run("retire", name, "--yes")
        assert "nobody could administer this machine any more" in refused.err
        assert "zzz-kitsurvie" in out(fleet, name, "ls", "/etc/apt/apt.conf.d")
        done = desk.run("retire", name, "--yes", "--sealed", "--json")
    assert done.code == 0, done.why()
    assert (done.document["undone"], done.document["access"]) == (["updates"], "ended")
    assert (
        out(fleet, name, "find", "/etc", "/home", "/usr/local", "/var/lib", "-name", "*kits*") == ""
    )
    assert out(fleet, name, "getent", "passwd", "admin1") == ""
    assert desk.run("retire", name, "--yes").code == 2, "nobody of that name is known any more"
