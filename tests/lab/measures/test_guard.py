"""A change that locks the administrator out comes back by itself, whatever becomes of the run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from kitsurvie.errors import LabError

ROOT = Path(__file__).parents[3]

DELAY_S = 45
LOCKED_OUT = {
    "firewall": {"firewall__ssh_open": False},
    "ssh_hardening": {"ssh_hardening__allow_users": ["nobody"]},
    "accounts": {"accounts__sudo_rules": ["nobody ALL=(ALL:ALL) ALL"]},
    # so long a countdown that only the start of the machine can be what restores it
    "firewall, then a reboot": {"firewall__ssh_open": False, "kit__guard_delay_s": 900},
}


def enters(fleet, name: str) -> bool:
    """Whether the administrator comes in by a new connection and has sudo."""
    done = subprocess.run(
        ["ssh", "-F", "none", "-i", fleet.admin_key, "-o", "BatchMode=yes", "-o",
         "ConnectTimeout=2", "-o", f"HostKeyAlias={name}", "-o", "StrictHostKeyChecking=yes", "-o",
         f"UserKnownHostsFile={fleet.folder / 'inventory' / 'known_hosts'}",
         f"admin1@{fleet.machine(name).address}", "sudo -n true"],
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def seconds_until_all_enter(fleet, names: list[str], limit_s: float) -> float:
    start = time.monotonic()
    waiting = list(names)
    while waiting:
        waiting = [name for name in waiting if not enters(fleet, name)]
        assert time.monotonic() - start < limit_s, f"still locked out of {waiting}"
        time.sleep(0.5)
    return time.monotonic() - start


@pytest.fixture(scope="module")
def proved(kit):
    """Every machine with the three measures that can lock out on it, each with its stamp."""
    played = kit.play("--tags", "accounts,ssh_hardening,firewall")
    assert played.status == 0, played.said[-3000:]
    for machine in kit.fleet.machines:
        machine.run(["mkdir", "-p", "/var/lib/kitsurvie/stamps"])
        for measure in ("accounts", "ssh_hardening", "firewall"):
            machine.run(["sh", "-c", f"echo was >/var/lib/kitsurvie/stamps/{measure}"])
    return kit


@pytest.fixture
def victims(proved, turn: int) -> Iterator[dict[str, str]]:
    """Machine name to the way it is locked out, by its variables; `turn` shifts the releases."""
    names = [machine.name for machine in proved.fleet.machines]
    names = names[turn:] + names[:turn]
    chosen = dict(zip(names, LOCKED_OUT, strict=True))
    folder = proved.fleet.folder / "inventory" / "host_vars"
    folder.mkdir(exist_ok=True)
    for name, way in chosen.items():
        values = {"kit__guard_delay_s": DELAY_S, **LOCKED_OUT[way]}
        (folder / f"{name}.yml").write_text(yaml.safe_dump(values), encoding="utf-8")
    try:
        yield chosen
    finally:
        for name in chosen:
            (folder / f"{name}.yml").unlink(missing_ok=True)


# what CI sees of it, through kitsurvie itself, is tests/lab/test_lockout.py
@pytest.mark.slow
@pytest.mark.parametrize("turn", [0, 1])
def test_every_way_to_lock_oneself_out_comes_back_by_itself(proved, victims, turn: int) -> None:
    fleet = proved.fleet
    measures = {name: way.partition(",")[0] for name, way in victims.items()}
    start = time.monotonic()
    played = proved.play("--tags", "accounts,ssh_hardening,firewall")
    assert played.status != 0
    assert played.count("failed") == dict.fromkeys(sorted(victims), 1), played.said[-3000:]
    assert set(played.count("unreachable").values()) == {0}
    for name, measure in measures.items():
        assert f"The change of {measure} was not proved" in played.said, name
    assert "The guard will restore this machine by itself" in played.said
    assert time.monotonic() - start < 180, "the run waited for dead connections"

    rebooted = next(name for name, way in victims.items() if "reboot" in way)
    assert not enters(fleet, rebooted)
    fleet.machine(rebooted).run(["systemctl", "reboot"])
    took = seconds_until_all_enter(fleet, list(victims), limit_s=DELAY_S + 30)
    assert took < DELAY_S + 30

    for name, measure in measures.items():
        machine = fleet.machine(name)
        units = machine.run(["sh", "-c", "ls /etc/systemd/system/*/kitsurvie-guard-* || true"])
        assert b"kitsurvie-guard" not in units.stdout, name
        stamps = machine.run(["ls", "/var/lib/kitsurvie/stamps"]).stdout.decode().split()
        assert measure not in stamps, f"{name}: the stamp of what was taken back is still there"
        assert f"{measure}/test_the_last_change_was_proved" in proved.drifting(name, measure)


@pytest.mark.slow
def test_once_the_variable_is_mended_the_machines_are_compliant_again(proved) -> None:
    played = proved.play("--tags", "accounts,ssh_hardening,firewall")
    assert played.status == 0, played.said[-3000:]
    for machine in proved.fleet.machines:
        assert proved.drifting(machine.name, "accounts", "ssh_hardening", "firewall") == []


def test_a_second_change_does_not_bury_the_snapshot_of_the_first(proved) -> None:
    """A run that died between change and proof leaves its guard; the next one starts from there."""
    machine = proved.fleet.machines[0]
    guard = "/var/lib/kitsurvie/guard/guard"
    file = "/etc/nftables.d/kitsurvie.nft"
    arm = ["sh", guard, "arm", "firewall", "600", "/usr/bin/python3", "", "", file]
    before = machine.run(["cat", file]).stdout
    assert machine.run(arm).returncode == 0
    machine.run(["sh", "-c", f"echo '# half a change' >>{file}"])
    assert machine.run(arm).returncode == 0
    assert machine.run(["cat", file]).stdout == before
    assert machine.run(["sh", guard, "disarm", "firewall"]).returncode == 0
    again = machine.run(["sh", guard, "disarm", "firewall"])
    assert again.returncode == 3
    assert b"already put the machine back" in again.stderr


def until(happened: Callable[[], bool], limit_s: float, what: str, every_s: float = 0.5) -> None:
    start = time.monotonic()
    while not happened():
        assert time.monotonic() - start < limit_s, f"never happened: {what}"
        time.sleep(every_s)


@pytest.mark.parametrize("measure", ["firewall", "accounts"])
def test_a_run_that_comes_back_too_late_changes_nothing(proved, measure: str) -> None:
    """Ansible stands still for longer than the countdown, as over a link that stalls."""
    fleet = proved.fleet
    machine = fleet.machines[0]
    values = {**LOCKED_OUT[measure], "kit__mode": "enforce", "kit__guard_delay_s": 10}
    watched = "nft -s list table inet kitsurvie; cat /etc/nftables.d/kitsurvie.nft /etc/sudoers.d/*"
    before = machine.run(["sh", "-c", watched]).stdout
    timer = f"/etc/systemd/system/kitsurvie-guard-{measure}.timer"

    def armed() -> bool:
        return machine.run(["test", "-e", timer]).returncode == 0

    run = subprocess.Popen(
        [Path(sys.executable).parent / "ansible-playbook", "-i", proved.hosts, "playbooks/kit.yml",
         "--tags", measure, "--limit", machine.name, "-e", json.dumps(values)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
    )  # fmt: skip
    try:
        until(armed, 60, "the guard is armed", every_s=0.02)
        os.killpg(run.pid, signal.SIGSTOP)
        until(lambda: not armed(), 40, "the guard fires")
    finally:
        os.killpg(run.pid, signal.SIGCONT)
    said = run.communicate(timeout=120)[0]
    assert run.returncode != 0
    assert "already put the machine back" in said, said[-3000:]
    assert machine.run(["sh", "-c", watched]).stdout == before
    assert enters(fleet, machine.name)
    # the same machine takes the same measure afterwards
    assert proved.play("--tags", measure, "--limit", machine.name).status == 0


def test_whatever_nftables_service_is_told_the_rules_stay(proved) -> None:
    ask = "nft list table inet kitsurvie >/dev/null && echo there"
    for machine in proved.fleet.machines[:2]:
        for verb in ("start", "reload", "restart", "stop", "start", "stop"):
            done = machine.run(["sh", "-c", f"systemctl {verb} nftables.service && {ask}"])
            assert done.stdout == b"there\n", f"{machine.name}: {verb}"


def test_the_next_start_puts_the_rules_of_the_kit_in_force_and_no_others(proved) -> None:
    """Where nftables.service was never enabled, its file is a draft; where it is, it goes first."""
    fleet = proved.fleet
    draft, own = fleet.machines[:2]
    closed = (
        "flush ruleset; table inet draft "
        "{ chain i { type filter hook input priority 0; policy drop; }; }"
    )
    flushing = "flush ruleset; table inet own { }"
    line = 'include "/etc/nftables.d/kitsurvie.nft"'
    draft.run(["sh", "-c", f"printf '%s\n' '{closed}' '{line}' >/etc/nftables.conf"])
    own.run(["sh", "-c", f"printf '%s\n' '{flushing}' >/etc/nftables.conf"])
    own.run(["systemctl", "--quiet", "enable", "nftables.service"])
    names = [draft.name, own.name]
    assert proved.drifting(draft.name, "firewall") == [
        "firewall/test_the_rules_come_back_at_every_start"
    ]
    assert proved.play("--tags", "firewall", "--limit", ",".join(names)).status == 0
    assert draft.run(["cat", "/etc/nftables.conf"]).stdout.decode() == f"{closed}\n"

    def started_anew() -> bool:
        with suppress(LabError):
            return all(
                fleet.machine(name).run(["test", "!", "-e", "/run/before"]).returncode == 0
                and enters(fleet, name)
                for name in names
            )
        return False

    for name in names:
        fleet.machine(name).run(["touch", "/run/before"])
        fleet.machine(name).run(["systemctl", "reboot"])
    until(started_anew, 60, "both machines are back, and let the administrator in")
    tables = {name: fleet.machine(name).run(["nft", "list", "tables"]).stdout for name in names}
    assert tables[draft.name] == b"table inet kitsurvie\n"
    assert sorted(tables[own.name].splitlines()) == [b"table inet kitsurvie", b"table inet own"]
    for name in names:
        assert proved.drifting(name, "firewall") == []
