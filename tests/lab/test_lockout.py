"""A change that would lock everybody out comes back by itself, and the run says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from tests.lab.spine import Desk, Said, enforced

from kitsurvie import lab
from kitsurvie.errors import LabError

DELAY_S = 60
# what a member's variables may do wrong, and the measure that must come back
LOCKOUTS = {
    "firewall": {"firewall__ssh_open": False},
    "ssh_hardening": {"ssh_hardening__allow_users": ["nobody"]},
    "accounts": {"accounts__sudo_rules": ["root ALL=(ALL:ALL) ALL"]},
}


@pytest.fixture(scope="module")
def desk(lab_fleet: lab.Lab) -> Iterator[Desk]:
    for machine in lab_fleet.machines:
        if machine.state != "up":
            lab.wake(lab_fleet, machine.name)
    here = Desk(lab_fleet.folder)
    with here.variables("group:all", **enforced(), kit__guard_delay_s=DELAY_S):
        first = here.run("deploy", "--yes", "--json")
        assert first.code == 0, first.why()
        yield here
        # the machines are left as they were found: the next tests share them
        last = here.run("deploy", "--yes", "--json")
        assert last.code == 0, last.why()


def _reboot_once_armed(fleet: lab.Lab, name: str, rebooted: threading.Event) -> None:
    timer = "/etc/systemd/system/kitsurvie-guard-firewall.timer"
    shut = f"test -e {timer} && ! nft list table inet kitsurvie | grep -q 'dport 22 accept'"
    for _ in range(2400):
        with suppress(LabError):
            machine = lab.load(fleet.folder).machine(name)
            if machine.run(["/bin/sh", "-c", shut]).returncode == 0:
                rebooted.set()
                machine.run(["systemctl", "reboot"])
                return
        time.sleep(0.1)


def test_each_lockout_comes_back_by_itself_and_is_reported_as_failed(
    desk: Desk, lab_fleet: lab.Lab
) -> None:
    """Three ways to lock oneself out on three hosts, and a reboot while the guard is armed."""
    hosts = [machine.name for machine in lab_fleet.machines]
    measures = dict(zip(hosts, [*LOCKOUTS, "firewall"], strict=True))
    rebooted = threading.Event()
    watcher = threading.Thread(
        target=_reboot_once_armed, args=(lab_fleet, hosts[3], rebooted), daemon=True
    )
    with ExitStack() as stack:
        for host, measure in measures.items():
            stack.enter_context(desk.variables(f"host:{host}", **LOCKOUTS[measure]))
        watcher.start()
        begun = time.monotonic()
        locked = desk.run("deploy", "--yes", "--json")
        took = time.monotonic() - begun
        watcher.join(10)
    assert rebooted.is_set(), "the machine was never caught with its guard armed"
    assert locked.code == 1, locked.why()
    for host, measure in measures.items():
        assert locked.host(host)["state"] == "failed", locked.why()
        assert measure in locked.host(host)["detail"]
        # the one that reboots may be gone before it has answered that its rules are loaded
        states = {"failed", "unreachable"} if host == hosts[3] else {"failed"}
        assert locked.measure(host, measure)["ansible"]["state"] in states, locked.why()
    # the run waits for the guards, and not for ever
    assert took < 60 + 3 * DELAY_S + 120
    _everyone_can_come_in(desk, hosts)


def _everyone_can_come_in(desk: Desk, hosts: list[str]) -> Said:
    seen = desk.run("compliance", "run", "--json")
    assert seen.code in {0, 1}, seen.why()
    assert {h["name"] for h in seen.document["hosts"] if h["seen"]} == set(hosts)
    return seen
