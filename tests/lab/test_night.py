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
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from tests.lab.spine import Desk, silent
from tests.unit.spool.conftest import handed

from kitsurvie import lab
from kitsurvie.cli.survey import RELEASE, STAMPS
from kitsurvie.lab import Lab, Machine

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PLACE = "/srv/kitsurvie"
NIGHT = "kitsurvie-night.service"
INGEST = "kitsurvie-ingest.service"
METRICS = "/var/lib/prometheus/node-exporter"
PAGE = "/var/lib/kitsurvie-night/morning.html"
COUNTS = f"{METRICS}/kitsurvie.prom"
SPOOL = "/var/lib/kitsurvie-spool"


@dataclass
class Node:
    """The control node, and the machines that it looks at."""

    machine: Machine
    others: list[str]
    given: dict[str, Any]

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

    def start(self, unit: str = NIGHT) -> None:
        self.sh(f"systemctl reset-failed; systemctl start {unit}")

    def wait(self, unit: str = NIGHT, *, running: bool = False, timeout_s: float = 180) -> str:
        """Until the night is over (or at work on hosts); gives systemd's word for its end."""
        deadline = time.monotonic() + timeout_s
        asked = f"systemctl show -P ActiveState {unit}"
        while True:
            state = self.sh(asked)
            if running and self.some_are_seen():
                return ""
            if not running and state in {"inactive", "failed"}:
                return self.sh(f"systemctl show -P Result {unit}")
            assert time.monotonic() < deadline, f"{state} {self.said(unit)}"
            time.sleep(0.3)

    def some_are_seen(self) -> bool:
        return self.ledger(
            "select r.state, count(*) from runs r join observations o "
            "on o.run_id = r.id where r.id = (select max(id) from runs)"
        ).startswith("running ")

    def ledger(self, query: str) -> str:
        """What the ledger answers, a line a row; nothing while it cannot be asked."""
        program = (
            "import sqlite3, sys; c = sqlite3.connect('file:ledger.sqlite?mode=ro', uri=True); "
            "[print(*row) for row in c.execute(sys.argv[1])]"
        )
        ask = f"python3 -c {shlex.quote(program)} {shlex.quote(query)} 2>/dev/null || true"
        return self.sh(f"cd {PLACE}/.kitsurvie/ledger && {ask}")

    def said(self, unit: str = NIGHT) -> str:
        return self.sh(f"journalctl -u {unit} -o cat --no-pager | tail -n 40")

    def metrics(self, name: str = "night") -> dict[str, float]:
        said = self.sh(f"cat {METRICS}/kitsurvie_{name}.prom").splitlines()
        lines = [x.removeprefix(f"kitsurvie_{name}_") for x in said if not x.startswith("#")]
        return {k: float(v) for k, v in (x.split() for x in lines)}

    @contextmanager
    def instead(self, unit: str, command: str) -> Iterator[None]:
        """The unit runs another command, under all else that holds it."""
        drop = f"/run/systemd/system/{unit}.d"
        text = f"[Service]\nExecStart=\nExecStart={command}\n".encode()
        self.sh(f"mkdir -p {drop}")
        self.machine.run(
            ["/bin/sh", "-c", f"cat >{drop}/try.conf && systemctl daemon-reload"], text
        )
        try:
            yield
        finally:
            self.sh(f"rm -r {drop}; systemctl daemon-reload")

    def hand_in(self, slot: str, host: str = "") -> int:
        """What the key of a machine has put into its slot, by the program that sshd runs."""
        time.sleep(1.1)  # moments are whole seconds, and this one is after all before it
        moment = int(time.time())
        data = handed(host or slot, moment, {STAMPS: b"", RELEASE: b"debian 12\n"})
        done = self.machine.run(
            ["runuser", "-u", "kitsurvie-spool", "--", "/usr/lib/kitsurvie-spool/spool", slot],
            data,
        )
        assert done.returncode == 0, done.stderr
        return moment

    def ingest(self) -> str:
        self.start(INGEST)
        return self.wait(INGEST)

    def left(self) -> str:
        return self.sh(f"find {SPOOL}/slots -type f -name '[0-9]*'")


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


def play(
    fleet: Lab, machine: Machine, folder: Path, role: str = "control_node", **variables: Any
) -> str:
    """A role as a sysadmin plays it: plain ansible-playbook, from the checkout."""
    (folder / "node.yml").write_text(json.dumps(variables), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i",
         fleet.folder / "inventory/hosts.yml", f"playbooks/{role}.yml",
         "-e", f"{role}={machine.name}",
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
        "control_node__night_options": [
            "--limit", ",".join(others), f"--output=html={PAGE}", f"--output=prometheus={COUNTS}",
        ],
        "control_node__backup_to": "/var/backups/kitsurvie",
        "control_node__mail_to": "sysadmins@syndicat.example",
    }  # fmt: skip
    said = play(lab_fleet, machine, folder, **given)
    key = re.search(r"observer__keys: \[\\?\"(ssh-ed25519 [^\\\"]+)", said)
    assert key, said[-1500:]
    made = Node(machine, others, given)
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
        "systemctl list-timers --all --no-legend "
        "kitsurvie-night.timer kitsurvie-backup.timer kitsurvie-ingest.timer"
    )
    assert len(timers.splitlines()) == 3
    for unit in (NIGHT, INGEST):
        exposure = node.sh(f"systemd-analyze security --no-pager {unit} | tail -n 1")
        found = re.search(r"level for \S+: ([0-9.]+)", exposure)
        assert found, exposure
        assert float(found[1]) <= 3.0, exposure


def wrote(node: Node, unit: str, allowed: str) -> set[str]:
    """Which of these files, and of those that nobody of us is to change, the unit could write."""
    tried = (
        "inventory/hosts.yml kitsurvie.toml keys/observer inventory/new .kitsurvie/new "
        ".kitsurvie/run.lock .kitsurvie/ingest.lock .kitsurvie/ledger/new .kitsurvie/refused/new "
        "/etc/passwd /opt/kitsurvie/bin/kitsurvie /home/alice/x /usr/lib/kitsurvie-night/night "
        f"{SPOOL}/new {SPOOL}/keys/list {SPOOL}/keys/new {SPOOL}/slots/new"
    )
    assert set(allowed.split()) <= set(tried.split())
    script = (
        f"for x in {tried}; do (: >>$$x) 2>/dev/null && echo wrote:$$x; done; "
        "cat keys/observer >/dev/null 2>&1 && echo read:key; exit 0"
    )
    try:
        with node.instead(unit, f"/bin/sh -c '{script}'"):
            since = node.sh("date '+%F %T'")
            node.start(unit)
            node.wait(unit)
            said = node.sh(f"journalctl -u {unit} -o cat --since '{since}'").splitlines()
    finally:
        folders = f"{PLACE}/.kitsurvie/ledger {PLACE}/.kitsurvie/refused {SPOOL}/slots"
        node.sh(f"for x in {folders}; do rm -f $x/new; done")
    return {x.removeprefix("wrote:") for x in said if x.startswith(("wrote:", "read:"))}


def test_of_the_workspace_the_night_may_change_the_ledger_and_the_lock_alone(node: Node) -> None:
    allowed = ".kitsurvie/run.lock .kitsurvie/ledger/new"
    assert wrote(node, NIGHT, allowed) == {*allowed.split(), "read:key"}


def test_the_page_of_the_morning_and_the_counts_are_there_for_those_they_are_for(
    node: Node,
) -> None:
    assert node.sh(f"stat -c '%U %G %a' {PAGE} {COUNTS}").splitlines() == [
        "kitsurvie kitsurvie 640", "kitsurvie kitsurvie 644",
    ]  # fmt: skip
    page = node.sh(f"runuser -u alice -- cat {PAGE}")
    assert all(name in page for name in node.others)
    # node_exporter runs under an account of its own
    counts = node.sh(f"runuser -u nobody -- cat {COUNTS}")
    assert f"kitsurvie_compliance_run_hosts {len(node.others)}.0" in counts
    assert node.sh(f"runuser -u nobody -- cat {PAGE} 2>/dev/null || echo no") == "no"
    assert [name for name in node.sh(f"ls -A {METRICS}").split() if name[0] == "."] == []


def test_a_page_that_is_asked_for_elsewhere_is_refused_before_the_night(node: Node) -> None:
    before = node.show()["run"]
    command = "/opt/kitsurvie/bin/kitsurvie compliance run --as-observer"
    with node.instead(NIGHT, f"{command} --output=html={PLACE}/morning.html"):
        node.start()
        assert node.wait() == "exit-code"
    assert "The html file cannot be written" in node.said()
    assert node.show()["run"] == before
    node.wait("kitsurvie-failed@night.service")
    node.sh("rm -f /var/tmp/mail")
    node.start()
    assert node.wait() == "success", node.said()


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
    away = lab_fleet.machine(node.others[-1])
    node.sh(f"cp -a {PLACE}/kitsurvie.toml /var/tmp/toml")
    node.sh(f"echo 'connect_timeout_s = 20' >>{PLACE}/kitsurvie.toml")
    with silent(away, node.machine.address):
        yield away.name
    node.sh(f"cp -a /var/tmp/toml {PLACE}/kitsurvie.toml")


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


def test_where_nothing_is_handed_in_no_ingest_begins(node: Node) -> None:
    node.start(INGEST)
    assert node.sh(f"systemctl show -P ConditionResult {INGEST}") == "no"
    assert node.sh(f"ls {METRICS} | grep ingest || echo none") == "none"


@pytest.fixture(scope="module")
def spool(node: Node, lab_fleet: Lab, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """PCs hand in here; the tests begin what the timer would, and nothing comes between."""
    play(lab_fleet, node.machine, tmp_path_factory.mktemp("spool"), "spool")
    node.sh("systemctl stop kitsurvie-ingest.timer")
    return node


def test_an_ingest_may_change_the_ledger_and_what_was_handed_in_alone(spool: Node) -> None:
    allowed = (
        ".kitsurvie/ingest.lock .kitsurvie/ledger/new .kitsurvie/refused/new "
        f"{SPOOL}/slots/new"
    )  # fmt: skip
    assert wrote(spool, INGEST, allowed) == set(allowed.split())


def test_what_a_pc_handed_in_is_taken_and_told(spool: Node) -> None:
    pc = spool.others[0]
    moment = spool.hand_in(pc)
    assert spool.ingest() == "success", spool.said(INGEST)
    assert spool.ledger("select host, at from hand_ins") == f"{pc} {moment}.0", spool.said(INGEST)
    newest = "from runs where kind = 'ingest' order by id desc limit 1"
    assert spool.ledger(f"select state, by_whom {newest}").startswith("ended kitsurvie@")
    assert spool.left() == ""
    assert "1 looks of 1 host taken" in spool.said(INGEST)
    told = spool.metrics("ingest")
    assert (told["failed"], "last_refused_timestamp_seconds" in told) == (0, False)
    assert told["last_success_timestamp_seconds"] >= moment


def test_the_timer_does_it_by_itself(spool: Node) -> None:
    pc = spool.others[0]
    drop = "/run/systemd/system/kitsurvie-ingest.timer.d"
    text = "[Timer]\\nOnCalendar=\\nOnCalendar=*:*:0/5\\nAccuracySec=1s\\n"
    spool.sh(f"mkdir {drop}; printf '{text}' >{drop}/soon.conf; systemctl daemon-reload")
    moment = spool.hand_in(pc)
    try:
        spool.sh("systemctl start kitsurvie-ingest.timer")
        deadline = time.monotonic() + 60
        while spool.ledger("select at from hand_ins") != f"{moment}.0":
            assert time.monotonic() < deadline, spool.said(INGEST)
            time.sleep(0.5)
    finally:
        spool.sh(
            f"systemctl stop kitsurvie-ingest.timer; rm -r {drop}; systemctl daemon-reload"
        )  # fmt: skip
    assert spool.wait(INGEST) == "success"


def test_what_is_refused_is_told_and_no_failure(spool: Node) -> None:
    since = spool.sh("date '+%F %T'")
    before = int(spool.sh("date +%s"))
    one, other = spool.others[:2]
    spool.hand_in(one, other)
    assert spool.ingest() == "success", spool.said(INGEST)
    warned = spool.sh(f"journalctl -u {INGEST} -p warning -o cat --since '{since}'")
    assert "something that was handed in was refused" in warned
    assert f"it speaks for {other}, and the key is that of {one}" in spool.said(INGEST)
    told = spool.metrics("ingest")
    assert told["failed"] == 0
    assert told["last_refused_timestamp_seconds"] >= before
    assert f"it speaks for {other}" in spool.sh(
        f"runuser -u bob -- cat {PLACE}/.kitsurvie/refused/refused.log"
    )
    assert spool.left() == ""


def test_an_ingest_goes_on_beside_a_night(spool: Node, one_away: str) -> None:
    pc = spool.others[0]
    spool.start()
    spool.wait(running=True)
    time.sleep(2)  # the others have been seen by now
    moment = spool.hand_in(pc)
    assert spool.ingest() == "success", spool.said(INGEST)
    assert spool.sh(f"systemctl show -P ActiveState {NIGHT}") == "active"
    assert spool.ledger("select at from hand_ins") == f"{moment}.0"
    assert spool.wait() == "success", spool.said()
    shown = spool.show()
    assert {h["state"] for h in shown["hosts"] if h["name"] != one_away} <= {"done", "drift"}
    assert {h["name"] for h in shown["hosts"]} == set(spool.others)
    # the night writes what it saw of it before, and the newer look stands
    last = "select max(at) from observations where coverage_id is not null and host_id = "
    last += f"(select id from hosts where name = '{pc}')"
    newest = last.replace("max(at)", "at") + " order by id desc limit 1"
    assert spool.ledger(newest) == spool.ledger(last) == f"{moment}.0"


def test_an_ingest_waits_for_that_of_a_sysadmin(spool: Node) -> None:
    pc = spool.others[0]
    moment = spool.hand_in(pc)
    program = (
        "import time; from pathlib import Path; from kitsurvie.cli import run_lock\n"
        f"with run_lock.hold(Path('{PLACE}/.kitsurvie/ingest.lock'), run_lock.INGEST, "
        "wait_for_orphan=False, tell=print): time.sleep(8)"
    )
    spool.sh(
        f"cd /; runuser -u alice -- /opt/kitsurvie/bin/python -c {shlex.quote(program)} "
        ">/dev/null 2>&1 &"
    )
    assert spool.ingest() == "success", spool.said(INGEST)
    assert "Waiting for the end of an ingest, process " in spool.said(INGEST)
    assert "by alice@" in spool.said(INGEST)
    assert spool.ledger("select at from hand_ins") == f"{moment}.0"


def test_who_comes_during_that_of_the_timer_is_told_how_to_stop_it(spool: Node) -> None:
    program = (
        "import time; from pathlib import Path; from kitsurvie.cli import run_lock\n"
        f"with run_lock.hold(Path('{PLACE}/.kitsurvie/ingest.lock'), run_lock.INGEST, "
        "wait_for_orphan=False, tell=print): time.sleep(60)\n"
    )
    spool.sh(f"printf %s {shlex.quote(program)} >/var/tmp/long.py; chmod 644 /var/tmp/long.py")
    with spool.instead(INGEST, "/opt/kitsurvie/bin/python /opt/kitsurvie/long.py"):
        spool.sh("cp /var/tmp/long.py /opt/kitsurvie/long.py")
        spool.start(INGEST)
        deadline = time.monotonic() + 20
        while "An ingest is under way here already, process " not in (
            said := spool.kitsurvie("ingest", "bob", check=False)
        ):
            assert time.monotonic() < deadline, said
            time.sleep(0.5)
        assert "by kitsurvie@" in said
        assert "systemctl stop kitsurvie-ingest" in said
        spool.sh(f"systemctl stop {INGEST}; rm /opt/kitsurvie/long.py")


def test_slots_of_before_are_not_refused_and_the_role_mends_them(
    spool: Node, lab_fleet: Lab, tmp_path: Path
) -> None:
    one, other = spool.others[:2]
    slot = f"{SPOOL}/slots/{one}"
    # as an earlier spooler left them
    spool.sh(
        f"rm -rf {slot}; install -d -o kitsurvie-spool -g kitsurvie {slot}; chmod 00770 {slot}"
    )
    moment = spool.hand_in(one)
    later = spool.hand_in(other)
    refused = spool.sh(f"cat {PLACE}/.kitsurvie/refused/refused.log")
    assert spool.ingest() == "exit-code"
    assert f"What {one} handed in cannot be read: Permission denied." in spool.said(INGEST)
    assert "must be in the group kitsurvie " in spool.said(INGEST)
    assert spool.ledger("select at from hand_ins order by at desc limit 1") == f"{later}.0"
    assert f"{slot}/" in spool.left()
    assert spool.sh(f"cat {PLACE}/.kitsurvie/refused/refused.log") == refused
    said = play(lab_fleet, spool.machine, tmp_path, "spool")
    assert "changed=1 " in said
    assert "changed=0 " in play(lab_fleet, spool.machine, tmp_path, "spool")
    assert spool.ingest() == "success", spool.said(INGEST)
    assert spool.ledger(f"select at from hand_ins where host = '{one}'") == f"{moment}.0"
    assert spool.left() == ""


def test_what_root_tells_follows_no_link_that_the_ingest_has_put(spool: Node) -> None:
    spool.sh("install -m 600 /dev/null /var/tmp/victim; echo kept >/var/tmp/victim")
    # whichever number its process gets
    program = (
        f"import os; os.chdir('{METRICS}'); [os.symlink('/var/tmp/victim', "
        "f'.kitsurvie_backup.prom.{number}') for number in range(1, 32769)]"
    )
    spool.sh(
        f"ln -sf /var/tmp/victim {METRICS}/kitsurvie_backup.prom; "
        f"cd /; runuser -u kitsurvie -- python3 -c {shlex.quote(program)}"
    )
    try:
        spool.sh("systemctl start kitsurvie-backup.service")
        assert spool.wait("kitsurvie-backup.service") == "success"
        spool.sh("systemctl start kitsurvie-failed@backup.service")
        assert spool.sh("cat /var/tmp/victim; stat -c '%U %a' /var/tmp/victim") == "kept\nroot 600"
        assert spool.metrics("backup")["failed"] == 1
        owner = spool.sh(f"stat -c '%U %F' {METRICS}/kitsurvie_backup.prom")
        assert owner == "kitsurvie regular file"
    finally:
        spool.sh(f"find {METRICS} -type l -delete; rm /var/tmp/victim")


def test_the_backup_reads_everything_and_overrides_no_rights(spool: Node) -> None:
    file = f"{PLACE}/.kitsurvie/refused/of-alice"
    spool.sh(f"install -o alice -m 600 /dev/null {file}")
    script = (
        f"cat {file} && echo may:read; (: >>{file}) && echo may:write; "
        f"chown bob {file} && echo may:give; exit 0"
    )
    try:
        with spool.instead("kitsurvie-backup.service", f"/bin/sh -c '{script}'"):
            since = spool.sh("date '+%F %T'")
            spool.start("kitsurvie-backup.service")
            spool.wait("kitsurvie-backup.service")
            said = spool.sh(f"journalctl -u kitsurvie-backup -o cat --since '{since}'")
    finally:
        spool.sh(f"rm {file}")
    assert re.findall(r"may:\w+", said) == ["may:read"]


def mails_a_failure(spool: Node) -> bool:
    """Have an ingest fail; whether that was told by mail. It is in the journal each time."""
    spool.sh("rm -f /var/tmp/mail")
    since = spool.sh("sleep 1; date '+%F %T'")
    assert spool.ingest() == "exit-code"
    deadline = time.monotonic() + 30
    while "kitsurvie: the ingest failed (exit-code, status 2)." not in spool.sh(
        f"journalctl -t kitsurvie -p err -o cat --since '{since}'"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert spool.wait("kitsurvie-failed@ingest.service") == "success"
    return "the ingest failed" in spool.sh("cat /var/tmp/mail 2>/dev/null || true")


def test_an_ingest_that_fails_again_and_again_is_one_mail_until_it_ends_well(spool: Node) -> None:
    hosts = f"{PLACE}/inventory/hosts.yml"
    spool.sh("rm -f /run/kitsurvie-failed/ingest")
    spool.sh(f"cp {hosts} /var/tmp/kept; echo '  broken: [' >>{hosts}; cp {hosts} /var/tmp/broken")
    try:
        assert [mails_a_failure(spool), mails_a_failure(spool)] == [True, False]
        assert spool.metrics("ingest")["failed"] == 1
        spool.sh(f"cp /var/tmp/kept {hosts}")
        assert spool.ingest() == "success", spool.said(INGEST)
        assert spool.metrics("ingest")["failed"] == 0
        spool.sh(f"cp /var/tmp/broken {hosts}")
        assert [mails_a_failure(spool), mails_a_failure(spool)] == [True, False]
    finally:
        spool.sh(f"cp /var/tmp/kept {hosts}")
    assert spool.ingest() == "success", spool.said(INGEST)


def test_the_backup_comes_back_as_the_same_workspace(spool: Node) -> None:
    node = spool
    node.sh("systemctl start kitsurvie-backup.service")
    deadline = time.monotonic() + 120
    while (state := node.sh("systemctl show -P ActiveState kitsurvie-backup")) not in {
        "inactive",
        "failed",
    }:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert state == "inactive", node.said("kitsurvie-backup.service")
    run = node.show()["run"]
    before = node.show(f"--run {run}")
    # one from before there was an ingest
    node.sh(f"cd {PLACE}/.kitsurvie; rm -rf refused ingest.lock; systemctl start kitsurvie-backup")
    assert node.wait("kitsurvie-backup.service") == "success"
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
    moment = node.hand_in(node.others[0])
    assert node.ingest() == "success", node.said(INGEST)
    assert f"{moment}.0" in node.ledger("select at from hand_ins").splitlines()


def test_what_is_no_longer_asked_for_ends(node: Node, lab_fleet: Lab, tmp_path: Path) -> None:
    given = {**node.given, "control_node__ingest": "", "control_node__backup_to": ""}
    play(lab_fleet, node.machine, tmp_path, **given)
    timers = "systemctl list-timers --all --no-legend 'kitsurvie-*'; ls /etc/systemd/system"
    said = node.sh(timers)
    assert "kitsurvie-night.timer" in said
    assert not {"kitsurvie-ingest", "kitsurvie-backup"} & set(re.findall(r"kitsurvie-\w+", said))
    # what they said last would be an alert for ever
    assert set(node.sh(f"ls {METRICS}").split()) == {"kitsurvie.prom", "kitsurvie_night.prom"}
    again = play(lab_fleet, node.machine, tmp_path, **given)
    assert re.search(rf"^{node.machine.name}\s.*\bchanged=0\b", again, re.MULTILINE), again[-2500:]
