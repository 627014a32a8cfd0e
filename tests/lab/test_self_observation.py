"""PCs that sleep look at themselves and hand in to a real sshd, which lets them do no more."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from tests.lab.handing_in import FOLDER, Estate, estate_of
from tests.lab.spine import Said

from kitsurvie import lab

ROOT = Path(__file__).parents[2]
BESIDE = Path(sys.executable).parent


@pytest.fixture(scope="module")
def estate(lab_fleet: lab.Lab) -> Iterator[Estate]:
    server = next(m for m in lab_fleet.machines if m.profile == "server")
    pcs = tuple(m for m in lab_fleet.machines if m.profile != "server")
    for machine in (server, *pcs):
        lab.renew(lab_fleet, machine.name)
    with estate_of(lab_fleet, server, pcs) as made:
        yield made


@pytest.fixture(scope="module")
def ready(estate: Estate) -> Estate:
    estate.enforce()
    return estate


def by_check(said: Said, name: str) -> dict[str, tuple[str, str]]:
    return {
        f"{measure['id']}/{check['name']}": (check["status"], check["found"])
        for measure in said.host(name)["measures"]
        for check in measure["checks"]
    }


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_second_deployment_has_nothing_to_renew(ready: Estate) -> None:
    names = ",".join(pc.name for pc in ready.pcs)
    again = ready.desk.run("deploy", "--yes", "--limit", names, "--json")
    assert again.ran() == set(), again.why()


def test_a_pc_says_of_itself_what_an_administrator_would_see(ready: Estate) -> None:
    for pc in ready.pcs:
        began = time.time()
        ready.observe(pc)
        assert ready.outbox(pc) == []
        report = ready.ingest()
        (taken,) = report["taken"]
        assert (taken["host"], taken["address"]) == (pc.name, pc.address)
        assert began - 2 <= moment(taken["at"]) <= time.time()
        assert taken["unknown"] == []
        own = ready.desk.run("compliance", "show", "--run", str(report["run"]), "--json")
        pushed = ready.desk.run("compliance", "run", "--limit", pc.name, "--json")
        said, seen = by_check(own, pc.name), by_check(pushed, pc.name)
        assert {c: (said[c], seen[c]) for c in seen if said.get(c) != seen[c]} == {}
        assert set(said) == set(seen)
        assert moment(own.host(pc.name)["seen"]) == moment(taken["at"])


def test_what_looks_cannot_write_or_reach_anybody(ready: Estate) -> None:
    pc = ready.pcs[0]
    control = ready.control.address
    tries = [
        "touch /root/written", "touch /home/written", f"touch {FOLDER}/written",
        "touch /tmp/written", "touch /dev/shm/written", "chmod 777 /etc/hostname",
        "echo 1 >/proc/sys/net/ipv4/ip_forward", "mount -t tmpfs none /mnt", "date -s 2020-01-01",
        f"python3 -c \"import socket as s; s.create_connection(('{control}', 22))\"",
    ]  # fmt: skip
    kept = ready.do(pc, f"cat {FOLDER}/commands.json")
    asked = base64.b64encode(json.dumps(tries).encode()).decode()
    ready.do(pc, f"echo {asked} | base64 -d >{FOLDER}/commands.json")
    try:
        ready.do(ready.control, "systemctl stop ssh.socket ssh.service || systemctl stop ssh")
        ready.do(pc, "systemctl start kitsurvie-self-observation.service")
        ready.settle(pc)
        waiting = ready.outbox(pc)
        data = pc.run(["cat", f"{FOLDER}/outbox/{waiting[-1]}"]).stdout
    finally:
        ready.do(ready.control, "systemctl start ssh")
        whole = base64.b64encode(kept.encode() + b"\n").decode()
        ready.do(pc, f"echo {whole} | base64 -d >{FOLDER}/commands.json; rm -f {FOLDER}/outbox/*")
    from kitsurvie.observe import hand_in

    answers = hand_in.read(data).evidence.answers
    assert [command for command in tries if answers[command].rc == 0] == []


def test_while_the_control_node_is_away_looks_are_kept_and_come_with_their_moments(
    ready: Estate,
) -> None:
    pc = ready.pcs[1]
    lab.sleep(ready.fleet, ready.control.name, unplug=True)
    try:
        moments = [ready.observe(pc), ready.observe(pc)]
        assert len(ready.outbox(pc)) == 2
        assert "later again" in ready.do(pc, "journalctl -u kitsurvie-hand-in -n 20 --no-pager")
        assert ready.ingest()["taken"] == []
    finally:
        lab.wake(ready.fleet, ready.control.name)
    ready.point()
    # the name is still that of nobody for a moment
    for _ in range(10):
        ready.hand_in(pc)
        if not ready.outbox(pc):
            break
        time.sleep(2)
    taken = ready.ingest()["taken"]
    assert [one["host"] for one in taken] == [pc.name] * 2
    assert [moment(one["at"]) for one in taken] == pytest.approx(moments, abs=60)
    assert moment(taken[0]["at"]) < moment(taken[1]["at"]) <= moment(taken[1]["arrived"])


# -- a stolen key -----------------------------------------------------------------------------


@dataclass
class Thief:
    """Whoever has the key of a PC, on a machine of their own."""

    estate: Estate
    pc: lab.Machine
    key: Path

    def words(self, *words: str, user: str = "kitsurvie-spool") -> list[str]:
        hosts = self.key.with_name("known_hosts")
        return [
            "ssh", "-F", "none", "-i", str(self.key), "-o", "IdentitiesOnly=yes",
            "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new",
            "-o", f"UserKnownHostsFile={hosts}", "-o", "ConnectTimeout=20", "-l", user, *words,
        ]  # fmt: skip

    def ssh(
        self, *words: str, stdin: bytes = b"", timeout_s: float = 60, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.words(*words, **more), input=stdin, capture_output=True, check=False,
            timeout=timeout_s,
        )  # fmt: skip


@pytest.fixture(scope="module")
def thief(ready: Estate, tmp_path_factory: pytest.TempPathFactory) -> Thief:
    pc = ready.pcs[0]
    key = tmp_path_factory.mktemp("thief") / "key"
    key.write_bytes(pc.run(["cat", f"{FOLDER}/key"]).stdout)
    key.chmod(0o600)
    return Thief(ready, pc, key)


@pytest.mark.parametrize(
    "asked", ["cat /etc/shadow", "id", "/bin/sh", "", "internal-sftp", "spool other; id"]
)
def test_a_stolen_key_runs_nothing_and_reads_nothing(thief: Thief, asked: str) -> None:
    thief.estate.forgive(thief.pc)
    words = [asked] if asked else []
    done = thief.ssh(thief.estate.control.address, *words, stdin=b"id\ncat /etc/passwd\n")
    assert done.stdout == b""
    assert b"uid=" not in done.stderr
    assert done.returncode in {0, 75}
    assert sorted(p.name for p in (thief.estate.spool / "slots").iterdir()) == sorted(
        {pc.name for pc in thief.estate.pcs}
    )


def test_it_gets_no_terminal(thief: Thief) -> None:
    thief.estate.forgive(thief.pc)
    done = thief.ssh("-tt", thief.estate.control.address, stdin=b"id\n")
    assert b"PTY allocation request failed" in done.stderr
    assert done.stdout == b""


def test_it_copies_nothing_there_or_back(thief: Thief, tmp_path: Path) -> None:
    control = thief.estate.control.address
    options = thief.words()[1:-2]
    (tmp_path / "batch").write_text("get /etc/passwd\nls /\n")
    for command in (
        ["sftp", *options, "-b", tmp_path / "batch", f"kitsurvie-spool@{control}"],
        ["scp", *options, f"kitsurvie-spool@{control}:/etc/passwd", tmp_path / "got"],
        ["scp", "-O", *options, f"kitsurvie-spool@{control}:/etc/passwd", tmp_path / "got"],
        ["scp", "-O", *options, thief.key, f"kitsurvie-spool@{control}:/var/lib/kitsurvie-spool/x"],
    ):
        thief.estate.forgive(thief.pc)
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=90, cwd=tmp_path,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert b"root:" not in done.stdout + done.stderr, command
    assert not (tmp_path / "got").exists()
    assert not (tmp_path / "passwd").exists()
    assert not (thief.estate.spool / "x").exists()


def test_it_forwards_nothing(thief: Thief) -> None:
    control = thief.estate.control.address
    through = thief.ssh("-W", "127.0.0.1:22", control)
    assert through.returncode != 0
    assert b"SSH-2.0" not in through.stdout
    for words in (["-R", "0:127.0.0.1:22"], ["-D", "19999"], ["-L", "19998:127.0.0.1:22"]):
        door = subprocess.Popen(
            thief.words("-N", "-o", "ExitOnForwardFailure=yes", *words, control),
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            time.sleep(3)
            if words[0] == "-R":
                assert door.wait(20) != 0
            elif words[0] == "-L":
                banner = subprocess.run(
                    ["/usr/bin/python3", "-c",
                     "import socket; s = socket.create_connection(('127.0.0.1', 19998), 5); "
                     "s.settimeout(5); print(s.recv(20))"],
                    capture_output=True, check=False,
                )  # fmt: skip
                assert b"SSH" not in banner.stdout
        finally:
            door.kill()
            door.communicate()


def test_it_is_nobody_else_there(thief: Thief) -> None:
    for user in ("root", "admin1", "kitsurvie-observer"):
        done = thief.ssh(thief.estate.control.address, "id", user=user)
        assert (done.returncode, done.stdout) == (255, b"")


def test_it_speaks_for_no_other_machine(thief: Thief) -> None:
    estate, other = thief.estate, thief.estate.pcs[1]
    estate.ingest(code=3 if estate.slot(thief.pc) else 0)
    estate.forgive(thief.pc)
    lab.sleep(estate.fleet, estate.control.name, unplug=True)
    try:
        estate.observe(other)
        stored = estate.outbox(other)
        data = other.run(["cat", f"{FOLDER}/outbox/{stored[-1]}"]).stdout
        estate.do(other, f"rm -f {FOLDER}/outbox/*")
    finally:
        lab.wake(estate.fleet, estate.control.name)
    estate.point()
    before = estate.slot(other)
    for _ in range(10):
        done = thief.ssh(estate.control.address, other.name, stdin=data)
        if done.returncode == 0:
            break
        time.sleep(2)
    assert done.returncode == 0
    assert estate.slot(other) == before
    report = estate.ingest(code=3)
    assert report["taken"] == []
    (refused,) = report["refused"]
    assert refused["host"] == thief.pc.name
    assert refused["why"] == f"it speaks for {other.name}, and the key is that of {thief.pc.name}"


def test_it_cannot_fill_the_disk(thief: Thief) -> None:
    estate = thief.estate
    estate.forgive(thief.pc)
    large = thief.ssh(estate.control.address, stdin=b"x" * (5 << 20))
    assert (large.returncode, b"too large" in large.stderr) == (65, True)
    statuses = [
        thief.ssh(estate.control.address, stdin=os.urandom(1 << 20)).returncode for _ in range(27)
    ]
    assert statuses == [0] * 24 + [75] * 3
    slot = estate.slot(thief.pc)
    assert len(slot) == 8
    assert sum(path.stat().st_size for path in slot) < 9 << 20
    assert len(estate.ingest(code=3)["refused"]) == 8
    estate.forgive(thief.pc)


def test_it_holds_no_sessions(thief: Thief, tmp_path: Path) -> None:
    estate = thief.estate
    estate.forgive(thief.pc)
    control = estate.control.address
    master = ["-o", f"ControlPath={tmp_path}/c", "-o", "ControlMaster=yes"]
    began = time.monotonic()
    held = subprocess.Popen(
        thief.words(*master, control), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        for _ in range(100):
            if (tmp_path / "c").exists():
                break
            time.sleep(0.1)
        second = thief.ssh(*master[:2], "-o", "ControlMaster=no", control, stdin=b"x")
        assert second.returncode != 0
        assert held.wait(60) == 75
    finally:
        held.kill()
        held.communicate()
    idle = subprocess.Popen(
        thief.words("-N", control), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        # a connection without a session is closed: OpenSSH 9.2 and later
        assert idle.wait(90) != 0
    finally:
        idle.kill()
        idle.communicate()
    assert time.monotonic() - began < 150


# -- the end of it ----------------------------------------------------------------------------


def test_another_control_node_is_not_believed(ready: Estate) -> None:
    pc = ready.pcs[1]
    ready.forgive(pc)
    before = ready.slot(pc)
    hosts = f"{FOLDER}/known_hosts"
    ready.do(pc, f"sed -i.kept 's/ssh-ed25519 .*/ssh-ed25519 {other_key()}/' {hosts}")
    try:
        ready.observe(pc)
        assert pc.run(["systemctl", "is-failed", "kitsurvie-hand-in"]).stdout.strip() == b"failed"
        assert ready.slot(pc) == before
        said = ready.desk.run("compliance", "run", "--limit", pc.name, "--json")
        drifting = {c for c, (status, _) in by_check(said, pc.name).items() if status == "drift"}
        assert {
            "self_observation/test_it_hands_in_to_the_control_node_and_nobody_else",
            "self_observation/test_the_last_time_went_well",
        } <= drifting
    finally:
        ready.do(pc, f"mv {hosts}.kept {hosts}")
    ready.hand_in(pc)
    assert ready.outbox(pc) == []
    ready.ingest()


def other_key() -> str:
    raw = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes(range(32))
    return base64.b64encode(raw).decode().replace("/", r"\/")


def test_what_waits_for_a_pc_is_done_where_it_comes_from(ready: Estate) -> None:
    pc = ready.pcs[1]
    hosts = ready.fleet.folder / "inventory" / "hosts.yml"
    text = hosts.read_text()
    # the inventory has it where it was last month
    wrong = re.sub(rf"\b{re.escape(pc.address)}\b", "198.51.100.77", text)
    assert wrong != text
    # its key would do as well, but ssh takes none that others may read: the PC would be mute
    ready.do(pc, f"chmod 644 {FOLDER}/commands.json")
    ready.forgive(pc)
    ready.observe(pc)
    hosts.write_text(wrong)
    (ready.fleet.folder / "kitsurvie.toml").write_text(
        f'spool = "{ready.spool}"\nconnect_timeout_s = 3\n'
    )
    try:
        ready.ingest()
        night = ready.desk.run("compliance", "run", "--limit", pc.name, "--json")
        assert night.host(pc.name)["state"] == "unreachable"
        assert f"Observed, not converged: 1 ({pc.name})" in " ".join(night.document["notes"])
        said = ready.desk.run("deploy", "--pending", "--yes", "--limit", pc.name, "--json")
        assert f"{pc.name} is at {pc.address}; due: self_observation" in said.err
        assert said.ran() == {f"{pc.name}/self_observation"}, said.why()
        ansible = said.measure(pc.name, "self_observation")["ansible"]
        assert ansible["state"] == "changed", ansible
    finally:
        hosts.write_text(text)
        ready.point()
    assert ready.do(pc, f"stat -c %a {FOLDER}/commands.json") == "600"
    again = ready.desk.run("deploy", "--pending", "--yes", "--limit", pc.name)
    assert "Nothing waits for a PC" in again.err


def test_switched_off_it_is_gone_from_the_pc_and_its_key_is_let_in_no_more(thief: Thief) -> None:
    estate, pc = thief.estate, thief.pc
    with estate.desk.variables(
        f"host:{pc.name}", self_observation__mode="off", self_observation__off_reason="sold"
    ):
        said = estate.desk.run("deploy", "--yes", "--limit", pc.name, "--json")
        assert f"no longer let in: {pc.name}" in said.err, said.err
        assert pc.run(["ls", FOLDER]).returncode != 0
        timers = pc.run(["systemctl", "list-unit-files", "kitsurvie-*", "--no-legend"])
        assert b"self-observation" not in timers.stdout
        refused = thief.ssh(estate.control.address, stdin=b"x")
        assert refused.returncode == 255
        assert b"Permission denied" in refused.stderr
