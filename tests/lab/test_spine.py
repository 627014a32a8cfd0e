"""The main job on real machines: deploy, see a drift, mend it alone, and never twice."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lab.spine import Desk, enforced

from kitsurvie import lab

MEASURES = {"updates", "support_contact", "accounts", "ssh_hardening", "firewall"}


@pytest.fixture(scope="module")
def desk(lab_fleet: lab.Lab) -> Iterator[Desk]:
    """A desk whose syndicate has chosen to enforce the spine of the kit everywhere, once."""
    for machine in lab_fleet.machines:
        if machine.state != "up":
            lab.wake(lab_fleet, machine.name)
    here = Desk(lab_fleet.folder)
    with here.variables("group:all", **enforced(), kit__guard_delay_s=60):
        first = here.run("deploy", "--yes", "--json")
        assert first.code == 0, first.why()
        yield here


@pytest.fixture(autouse=True)
def compliant_again(desk: Desk) -> Iterator[None]:
    """Whatever a test broke is mended before the next one begins."""
    yield
    mended = desk.run("deploy", "--yes", "--json")
    assert mended.code == 0, mended.why()


def break_it(fleet: lab.Lab, host: str, command: str) -> None:
    done = fleet.machine(host).run(["/bin/sh", "-c", command])
    assert done.returncode == 0, done.stderr


def member_of(fleet: lab.Lab, host: str) -> str:
    return fleet.machine(host).member


def names(fleet: lab.Lab) -> list[str]:
    return [machine.name for machine in fleet.machines]


def test_a_second_deployment_runs_no_ansible_at_all(desk: Desk, lab_fleet: lab.Lab) -> None:
    again = desk.run("deploy", "--yes", "--json")
    assert again.code == 0, again.why()
    assert again.ran() == set()
    assert again.document["summary"]["done"] == len(lab_fleet.machines)
    logs = desk.workspace / ".kitsurvie" / "runs" / str(again.document["run"])
    assert not logs.exists()


def test_a_broken_measure_is_named_then_mended_there_and_nowhere_else(
    desk: Desk, lab_fleet: lab.Lab
) -> None:
    host = names(lab_fleet)[0]
    break_it(lab_fleet, host, "rm /etc/motd && echo 'buy my product' > /etc/motd")
    seen = desk.run("compliance", "run", "--json")
    assert seen.code == 1, seen.why()
    assert {"/".join(drift.split("/")[:2]) for drift in seen.drifts()} == {
        f"{host}/support_contact"
    }
    assert seen.host(host)["member"]["siren"] == member_of(lab_fleet, host)
    drifting = [c for c in seen.measure(host, "support_contact")["checks"] if c["found"]]
    assert drifting
    assert all(check["expected"] and check["commands"] for check in drifting)
    table = desk.run("compliance", "show").out
    for word in (host, seen.host(host)["member"]["name"], "support_contact", "expected", "found"):
        assert word in table
    mended = desk.run("deploy", "--yes", "--json")
    assert mended.code == 0, mended.why()
    assert mended.ran() == {f"{host}/support_contact"}
    assert desk.run("compliance", "run").code == 0


def test_a_variable_of_one_member_makes_only_its_hosts_due(desk: Desk, lab_fleet: lab.Lab) -> None:
    member = member_of(lab_fleet, names(lab_fleet)[0])
    hosts = {m.name for m in lab_fleet.machines if m.member == member}
    assert 0 < len(hosts) < len(lab_fleet.machines)
    with desk.variables(f"group:member_{member}", support_contact__hours="le mardi"):
        planned = desk.run("plan", "--json")
        due = {
            f"{h['name']}/{m['id']}"
            for h in planned.document["hosts"]
            for m in h["measures"]
            if m["due"]
        }
        assert due == {f"{host}/support_contact" for host in hosts}
        deployed = desk.run("deploy", "--yes", "--json")
        assert (deployed.code, deployed.ran()) == (0, due)


def test_what_is_only_observed_is_never_touched(desk: Desk, lab_fleet: lab.Lab) -> None:
    host = names(lab_fleet)[1]
    with desk.variables(f"host:{host}", kit__mode="observe"):
        break_it(lab_fleet, host, "echo changed > /etc/motd")
        deployed = desk.run("deploy", "--yes", "--json")
        assert deployed.code == 1
        assert deployed.ran() == set()
        assert lab_fleet.machine(host).run(["cat", "/etc/motd"]).stdout == b"changed\n"


def test_without_a_yes_and_without_a_terminal_nothing_is_changed(
    desk: Desk, lab_fleet: lab.Lab
) -> None:
    host = names(lab_fleet)[0]
    break_it(lab_fleet, host, "echo changed > /etc/motd")
    refused = desk.run("deploy")
    assert refused.code == 2, refused.why()
    assert "give --yes" in refused.err
    assert lab_fleet.machine(host).run(["cat", "/etc/motd"]).stdout == b"changed\n"


def test_outside_its_windows_a_host_is_left_for_later_unless_it_is_urgent(
    desk: Desk, lab_fleet: lab.Lab
) -> None:
    host = names(lab_fleet)[0]
    break_it(lab_fleet, host, "echo changed > /etc/motd")
    freeze = [{"from": "2020-01-01", "until": "2099-12-31", "reason": "élections"}]
    with desk.variables(f"host:{host}", kit__freezes=freeze):
        held = desk.run("deploy", "--yes", "--json")
        assert held.code == 1
        assert held.host(host)["state"] == "held"
        assert "élections" in held.host(host)["detail"]
        urgent = desk.run("deploy", "--yes", "--json", "--urgent", "ransomware next door")
        assert (urgent.code, urgent.ran()) == (0, {f"{host}/support_contact"})
    with sqlite3.connect(desk.workspace / ".kitsurvie" / "ledger.sqlite") as ledger:
        (options,) = ledger.execute("select options from runs order by id desc").fetchone()
    assert "ransomware next door" in options


def test_an_unplugged_host_is_named_and_finished_by_resume_once_it_is_back(
    desk: Desk, lab_fleet: lab.Lab
) -> None:
    away, here = names(lab_fleet)[0], names(lab_fleet)[3]
    for host in (away, here):
        break_it(lab_fleet, host, "echo changed > /etc/motd")
    lab.sleep(lab_fleet, away, unplug=True)
    try:
        partial = desk.run("deploy", "--yes", "--json")
    finally:
        lab.wake(lab_fleet, away)
    assert partial.code == 3, partial.why()
    assert partial.host(away)["state"] == "unreachable"
    assert away in partial.host(away)["detail"]
    assert partial.ran() == {f"{here}/support_contact"}
    resumed = desk.run("deploy", "--resume", "--yes", "--json")
    assert resumed.code == 0, resumed.why()
    assert [h["name"] for h in resumed.document["hosts"]] == [away]
    assert resumed.ran() == {f"{away}/support_contact"}
    assert "left no host undone" in desk.run("deploy", "--resume", "--yes").err


def test_canaries_that_fail_keep_the_rest_from_being_begun(desk: Desk, lab_fleet: lab.Lab) -> None:
    for host in names(lab_fleet):
        # a folder where the file should be: Ansible refuses to replace it
        break_it(lab_fleet, host, "rm -f /etc/motd; mkdir -p /etc/motd/x")
    try:
        stopped = desk.run("deploy", "--yes", "--json", "--canary", "1")
        assert stopped.code == 1
        states = sorted(h["state"] for h in stopped.document["hosts"])
        assert states == ["failed", "pending", "pending", "pending"]
        assert "canaries" in stopped.document["notes"][0]
    finally:
        for host in names(lab_fleet):
            break_it(lab_fleet, host, "rm -rf /etc/motd")


def test_a_deployment_makes_no_administrator_of_somebodys_account(
    desk: Desk, lab_fleet: lab.Lab
) -> None:
    host = names(lab_fleet)[0]
    break_it(lab_fleet, host, "useradd -m -p of-the-secretary marie")
    key = Path(f"{lab_fleet.admin_key}.pub").read_text().strip()
    people = [{"name": name, "keys": [key]} for name in ("admin1", "marie")]
    with desk.variables(f"host:{host}", accounts__administrators=people):
        refused = desk.run("deploy", "--yes", "--json")
    assert refused.code == 1, refused.why()
    said = refused.measure(host, "accounts")["ansible"]
    assert (said["state"], said["changes"]) == ("failed", [])
    assert "an account named marie with a password" in said["message"]
    break_it(lab_fleet, host, "! id -nG marie | grep -w sudo && test ! -e ~marie/.ssh")


def test_plan_diff_previews_and_changes_nothing(desk: Desk, lab_fleet: lab.Lab) -> None:
    host = names(lab_fleet)[0]
    break_it(lab_fleet, host, "echo changed > /etc/motd")
    planned = desk.run("plan", "--diff")
    assert planned.code == 1, planned.why()
    assert "support_contact" in planned.out
    assert "-changed" in planned.out
    assert lab_fleet.machine(host).run(["cat", "/etc/motd"]).stdout == b"changed\n"


def _newest_run(desk: Desk) -> int:
    with sqlite3.connect(desk.workspace / ".kitsurvie" / "ledger.sqlite") as ledger:
        return int(ledger.execute("select max(id) from runs").fetchone()[0])


def _all_done(desk: Desk) -> bool:
    """Whether the newest run has nothing left to do, though it may not have said so yet."""
    with sqlite3.connect(desk.workspace / ".kitsurvie" / "ledger.sqlite") as ledger:
        query = "select distinct state from run_hosts where run_id = (select max(id) from runs)"
        return [state for (state,) in ledger.execute(query)] == ["done"]


def _started(desk: Desk, limit: str) -> subprocess.Popen[str]:
    """A deployment that has just written in the ledger that it began."""
    before = _newest_run(desk)
    process = desk.start("deploy", "--yes", "--json", "--limit", limit)
    while _newest_run(desk) == before:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    return process


def _kill_after(desk: Desk, limit: str, seconds: float) -> bool:
    """Kill -9 a deployment that long after it began; False when it was over before."""
    process = _started(desk, limit)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        return not _all_done(desk)
    return False


# near the beginning, in the middle, near the end; what lies between is left to `make test-all`
@pytest.mark.parametrize(
    "tenths",
    [(0, 4, 8), pytest.param((1, 2, 3, 5, 6, 7, 9), marks=pytest.mark.slow)],
    ids=["three", "seven"],
)
def test_killed_at_ten_moments_a_deployment_is_finished_by_resume(
    desk: Desk, lab_fleet: lab.Lab, tenths: tuple[int, ...]
) -> None:
    first, second = names(lab_fleet)[:2]
    limit = f"{first},{second}"

    def break_all() -> None:
        for host in (first, second):
            break_it(lab_fleet, host, "echo changed > /etc/motd; : > /etc/issue")
        # a guarded measure too, so that some kills fall between arming and disarming
        break_it(lab_fleet, first, "nft flush ruleset")

    break_all()
    process = _started(desk, limit)
    begun = time.monotonic()
    process.communicate()
    assert process.returncode == 0
    whole = time.monotonic() - begun
    for tenth in tenths:
        break_all()
        # a busy machine measured too long a whole: what was over before its moment is tried again
        while not _kill_after(desk, limit, whole * (tenth + 0.5) / 10):
            whole *= 0.8
            break_all()
        after = desk.run("deploy", "--resume", "--yes", "--json")
        assert after.code == 0, after.why()
        assert "Resuming" in after.err
        final = desk.run("deploy", "--yes", "--json")
        assert (final.code, final.ran()) == (0, set()), f"left undone, killed at {tenth}"
        _ledger_is_sound(desk)


def _ledger_is_sound(desk: Desk) -> None:
    with sqlite3.connect(desk.workspace / ".kitsurvie" / "ledger.sqlite") as ledger:
        assert ledger.execute("pragma integrity_check").fetchone() == ("ok",)
        assert ledger.execute("pragma foreign_key_check").fetchall() == []
