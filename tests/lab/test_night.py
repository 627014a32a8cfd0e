"""The night as it is installed on a control node: it looks, it is heard, it survives what happens.

One machine of the lab is the control node, from bare Debian: kitsurvie is installed from a wheel of
this tree and the wheels of its dependencies, the workspace is brought there as a backup.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from tests.lab.spine import Desk

from kitsurvie import lab
from kitsurvie.lab import Lab, Machine

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PLACE = "/srv/kitsurvie"
NIGHT = "kitsurvie-night.service"
METRICS = "/var/lib/prometheus/node-exporter/kitsurvie_night.prom"


@dataclass
class Node:
    """The control node, and the machines that it looks at."""

    machine: Machine
    others: list[str]

    def sh(self, script: str, *, check: bool = True, timeout_s: float = 300) -> str:
        done = self.machine.run(["/bin/sh", "-c", script], timeout_s=timeout_s)
        assert not check or done.returncode == 0, (done.stdout + done.stderr).decode()[-2000:]
        return done.stdout.decode(errors="replace").strip()

    def kitsurvie(self, words: str, who: str = "alice", *, check: bool = True) -> str:
        home = f"HOME=/home/{who}"
        program = "/opt/kitsurvie/bin/kitsurvie"
        command = f"cd {PLACE} && runuser -u {who} -- env {home} {program} {words} 2>&1"
        return self.sh(command, check=check)

    def show(self, words: str = "") -> dict[str, Any]:
        said = self.kitsurvie(f"compliance show --json {words}", check=False)
        return dict(json.loads(said.splitlines()[-1]))

    def start(self) -> None:
        self.sh(f"systemctl reset-failed; systemctl start {NIGHT}")

    def wait(self, *, running: bool = False, timeout_s: float = 180) -> str:
        """Until the night is over (or at work on hosts); gives systemd's word for its end."""
        deadline = time.monotonic() + timeout_s
        asked = f"systemctl show -P ActiveState {NIGHT}"
        while True:
            state = self.sh(asked)
            if running and self.some_are_seen():
                return ""
            if not running and state in {"inactive", "failed"}:
                return self.sh(f"systemctl show -P Result {NIGHT}")
            assert time.monotonic() < deadline, f"{state} {self.said()}"
            time.sleep(0.3)

    def some_are_seen(self) -> bool:
        asked = (
            "import sqlite3; c = sqlite3.connect('file:ledger.sqlite?mode=ro', uri=True); "
            'print(*c.execute("select r.state, count(*) from runs r join observations o '
            'on o.run_id = r.id where r.id = (select max(id) from runs)").fetchone())'
        )
        ask = f"python3 -c {shlex.quote(asked)} 2>/dev/null || true"
        said = self.sh(f"cd {PLACE}/.kitsurvie/ledger && {ask}")
        return said.startswith("running ")

    def said(self, unit: str = NIGHT) -> str:
        return self.sh(f"journalctl -u {unit} -o cat --no-pager | tail -n 40")

    def metrics(self) -> dict[str, float]:
        lines = [x for x in self.sh(f"cat {METRICS}").splitlines() if not x.startswith("#")]
        return {k.removeprefix("kitsurvie_night_"): float(v) for k, v in (x.split() for x in lines)}


def wheels(folder: Path) -> Path:
    """A wheel of this tree, and those of what it needs, for the Python of Debian 12."""
    build = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT)
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = folder.glob("kitsurvie-*.whl")
    text = re.sub(r"\s*\\?\n?\s*--hash=\S+", "", (ROOT / "constraints.txt").read_text("utf-8"))
    (folder / "pins.txt").write_text(text, encoding="utf-8")
    (folder / "all").mkdir()
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", "--python-version", "3.11",
         "--only-binary=:all:", "-d", folder / "all", "-c", folder / "pins.txt", wheel],
        check=True, capture_output=True,
    )  # fmt: skip
    return wheel


def play(fleet: Lab, machine: Machine, folder: Path, **variables: Any) -> str:
    """The role as a sysadmin plays it: plain ansible-playbook, from the checkout."""
    (folder / "node.yml").write_text(json.dumps(variables), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i",
         fleet.folder / "inventory/hosts.yml", "playbooks/control_node.yml",
         "-e", f"control_node={machine.name}",
         "-e", f"@{folder / 'node.yml'}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


@pytest.fixture(scope="module")
def node(lab_fleet: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    folder = tmp_path_factory.mktemp("node")
    machine = next(m for m in lab_fleet.machines if m.release == "bookworm")
    others = [m.name for m in lab_fleet.machines if m.name != machine.name]
    for each in lab_fleet.machines:
        lab.renew(lab_fleet, each.name)
    wheel = wheels(folder)
    desk = Desk(lab_fleet.folder)
    machine.run(["useradd", "--create-home", "alice"])
    machine.run(["useradd", "--create-home", "bob"])
    fake = "#!/bin/sh\ncat >/var/tmp/mail\n"
    machine.run(
        ["/bin/sh", "-c", f"printf '{fake}' >/usr/sbin/sendmail; chmod 755 /usr/sbin/sendmail"]
    )
    given = {
        "control_node__workspace": PLACE,
        "control_node__sysadmins": ["alice", "bob"],
        "control_node__wheel": str(wheel),
        "control_node__wheelhouse": str(folder / "all"),
        "control_node__night_options": ["--limit", ",".join(others)],
        "control_node__backup_to": "/var/backups/kitsurvie",
        "control_node__mail_to": "sysadmins@syndicat.example",
    }
    said = play(lab_fleet, machine, folder, **given)
    key = re.search(r"observer__keys: \[\\?\"(ssh-ed25519 [^\\\"]+)", said)
    assert key, said[-1500:]
    made = Node(machine, others)
    with desk.variables("group:all", observer__mode="enforce", observer__keys=[key[1]]):
        done = desk.run("deploy", "--yes", "--json", "--limit", ",".join(others))
        assert done.code in {0, 1}, done.why()
        _bring(made, desk)
        again = play(lab_fleet, machine, folder, **given)
        assert "changed=" in again
        third = play(lab_fleet, machine, folder, **given)
        assert re.search(rf"^{machine.name}\s.*\bchanged=0\b", third, re.MULTILINE), third[-2500:]
        yield made


def _bring(node: Node, desk: Desk) -> None:
    """What the desk has, but its ledger and keys, as git would bring it."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(desk.workspace / "inventory", "inventory")
    done = node.machine.run(["tar", "-C", PLACE, "--no-same-owner", "-xf", "-"], packed.getvalue())
    assert done.returncode == 0, done.stderr


def test_a_night_looks_at_every_machine_and_says_so(node: Node) -> None:
    before = node.sh("date +%s")
    node.start()
    assert node.wait() == "success", node.said()
    shown = node.show()
    assert {h["name"] for h in shown["hosts"]} == set(node.others)
    assert {h["state"] for h in shown["hosts"]} <= {"done", "drift"}
    statuses = {c["status"] for h in shown["hosts"] for m in h["measures"] for c in m["checks"]}
    assert "unknown" not in statuses
    assert shown["by"].startswith("kitsurvie@")
    told = node.metrics()
    assert told["failed"] == 0
    assert (
        int(before)
        <= told["last_started_timestamp_seconds"]
        <= told["last_ended_timestamp_seconds"]
    )


def test_the_timer_is_set_and_the_unit_is_held_back(node: Node) -> None:
    timers = node.sh(
        "systemctl list-timers --all --no-legend kitsurvie-night.timer kitsurvie-backup.timer"
    )
    assert len(timers.splitlines()) == 2
    exposure = node.sh(f"systemd-analyze security --no-pager {NIGHT} | tail -n 1")
    found = re.search(r"level for \S+: ([0-9.]+)", exposure)
    assert found, exposure
    assert float(found[1]) <= 3.0, exposure


def test_of_the_workspace_the_night_may_change_the_ledger_and_the_lock_alone(node: Node) -> None:
    tried = (
        "inventory/hosts.yml kitsurvie.toml keys/observer inventory/new .kitsurvie/new "
        "/etc/passwd /opt/kitsurvie/bin/kitsurvie /home/alice/x /usr/lib/kitsurvie-night/night"
    )
    allowed = ".kitsurvie/run.lock .kitsurvie/ledger/new"
    script = f"for x in {tried} {allowed}; do (: >>$x) 2>/dev/null && echo wrote:$x; done; exit 0"
    drop = "/run/systemd/system/kitsurvie-night.service.d"
    text = f"[Service]\nExecStart=\nExecStart=/bin/sh -c '{script.replace('$', '$$')}'\n"
    node.machine.run(["mkdir", "-p", drop])
    node.machine.run(
        ["/bin/sh", "-c", f"cat >{drop}/try.conf && systemctl daemon-reload"], text.encode()
    )
    try:
        since = node.sh("date '+%F %T'")
        node.start()
        node.wait()
        said = node.sh(f"journalctl -u {NIGHT} -o cat --since '{since}'")
        wrote = {line.partition(":")[2] for line in said.splitlines() if line.startswith("wrote:")}
        assert wrote == set(allowed.split())
    finally:
        node.sh(f"rm -r {drop} {PLACE}/.kitsurvie/ledger/new; systemctl daemon-reload")


def test_two_sysadmins_share_the_ledger_and_each_is_named(node: Node) -> None:
    for who in ("alice", "bob"):
        # without a key of theirs the machines refuse them: what counts here is who wrote it down
        node.kitsurvie("compliance run --json", who, check=False)
        assert node.show()["by"].startswith(f"{who}@")
    node.sh(
        f"cd {PLACE}; SUDO_USER=bob /opt/kitsurvie/bin/kitsurvie compliance run --json "
        ">/dev/null 2>&1 || true"
    )
    assert node.show()["by"].startswith("bob@")
    odd = f"find {PLACE}/.kitsurvie ! -group kitsurvie -o -name '*ledger*' ! -perm -660"
    assert node.sh(odd) == ""


def test_a_night_that_cannot_read_the_inventory_is_told(node: Node) -> None:
    node.sh(f"cd {PLACE}/inventory; cp hosts.yml /var/tmp/kept; echo '  broken: [' >>hosts.yml")
    try:
        since = node.sh("date '+%F %T'")
        node.start()
        assert node.wait() == "exit-code"
        deadline = time.monotonic() + 30
        while not (told := node.sh(f"journalctl -t kitsurvie -p err -o cat --since '{since}'")):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert "kitsurvie: the night failed (exit-code, status 2)." in told
        assert node.metrics()["failed"] == 1
        while not (mail := node.sh("cat /var/tmp/mail 2>/dev/null || true")):
            assert time.monotonic() < deadline
            time.sleep(0.5)
        assert "To: sysadmins@syndicat.example" in mail
        assert "hosts.yml" in mail
    finally:
        node.sh(f"cp /var/tmp/kept {PLACE}/inventory/hosts.yml")
    node.start()
    assert node.wait() == "success", node.said()
    assert node.metrics()["failed"] == 0


@pytest.fixture
def one_away(node: Node, lab_fleet: Lab) -> Iterator[str]:
    """A machine that does not answer, so that a night lasts some seconds."""
    away = node.others[-1]
    lab.sleep(lab_fleet, away, unplug=True)
    yield away
    lab.wake(lab_fleet, away)


def test_a_night_that_is_stopped_keeps_what_it_knows(node: Node, one_away: str) -> None:
    node.start()
    node.wait(running=True)
    time.sleep(2)  # the others have been seen by now, and are not written down yet
    node.sh(f"systemctl stop {NIGHT}")
    shown = node.show()
    states = {host["name"]: host["state"] for host in shown["hosts"]}
    assert states.pop(one_away) == "pending"
    assert set(states.values()) <= {"done", "drift"}
    assert "did not come to its end" in shown["notes"][0]
    assert node.sh("pgrep -u kitsurvie || true") == ""
    assert node.metrics()["failed"] == 1


def test_two_at_once_are_refused_with_the_name_of_the_first(node: Node, one_away: str) -> None:
    node.start()
    node.wait(running=True)
    said = node.kitsurvie("compliance run", "bob", check=False)
    assert "Another run is under way here: a compliance run, process " in said
    assert "by kitsurvie@" in said
    assert node.wait() == "success", node.said()


def test_after_a_night_that_was_killed_the_next_one_is_right(node: Node, one_away: str) -> None:
    node.start()
    node.wait(running=True)
    node.sh(f"systemctl kill --kill-whom=main -s KILL {NIGHT}")
    assert node.wait() == "signal"
    assert "did not come to its end" in node.show()["notes"][0]
    node.start()
    assert node.wait() == "success", node.said()
    shown = node.show()
    assert {h["state"] for h in shown["hosts"] if h["name"] != one_away} <= {"done", "drift"}
    assert {h["state"] for h in shown["hosts"] if h["name"] == one_away} == {"unreachable"}
    assert shown["notes"] == []


def test_the_backup_comes_back_as_the_same_workspace(node: Node) -> None:
    node.sh("systemctl start kitsurvie-backup.service")
    deadline = time.monotonic() + 120
    while (state := node.sh("systemctl show -P ActiveState kitsurvie-backup")) not in {
        "inactive",
        "failed",
    }:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert state == "inactive", node.said("kitsurvie-backup.service")
    before = node.show()
    run = before["run"]
    node.sh(
        f"systemctl stop kitsurvie-night.timer; rm -rf {PLACE}/inventory {PLACE}/.kitsurvie/ledger"
    )
    restored = node.sh(
        f"/opt/kitsurvie/bin/kitsurvie restore /var/backups/kitsurvie {PLACE} --overwrite"
    )
    assert f"{PLACE} is as it was" in restored
    node.sh("systemctl start kitsurvie-night.timer")
    assert node.show(f"--run {run}") == before
    node.start()
    assert node.wait() == "success", node.said()
    assert node.show()["run"] > run
