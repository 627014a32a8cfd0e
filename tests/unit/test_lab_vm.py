"""What a virtual machine of the lab is made of, and how a command is run in it."""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kitsurvie.errors import LabError
from kitsurvie.lab import agent, disk, needs, vm
from kitsurvie.lab.mirror import Mirror
from kitsurvie.lab.roster import Kind, Request, places

MIRROR = Mirror("http://mirror.example/debian", "http://mirror.example/security", (), "")


def test_virtual_machines_come_after_the_containers_and_go_on_counting() -> None:
    four = places(Request(machines=2, vms=("bookworm", "trixie")))
    assert [(x.name, x.kind, x.release) for x in four] == [
        ("ks-01", Kind.CONTAINER, "bookworm"),
        ("ks-02", Kind.CONTAINER, "trixie"),
        ("ks-03", Kind.VM, "bookworm"),
        ("ks-04", Kind.VM, "trixie"),
    ]
    assert [x.addresses for x in four] == [(f"198.18.0.{11 + n}",) for n in range(4)]


def test_a_lab_may_have_virtual_machines_alone_but_not_too_many() -> None:
    assert [x.kind for x in places(Request(machines=0, vms=("trixie",)))] == [Kind.VM]
    with pytest.raises(LabError, match="not 25"):
        places(Request(machines=24, vms=("trixie",)))
    with pytest.raises(LabError, match="sarge"):
        places(Request(machines=1, vms=("sarge",)))


def test_the_first_sectors_hold_grub_around_a_table_of_one_partition() -> None:
    boot, core = bytes([1]) * 512, bytes([2]) * 3000
    made = disk.first_sectors(boot, core, 16_000_000)
    assert made[:446] == boot[:446]
    assert made[510:512] == b"\x55\xaa"
    assert made[512:] == core
    assert made[446] == 0x80, "the BIOS of some PCs starts no disk without an active partition"
    start, length = struct.unpack("<II", made[454:462])
    assert (made[450], start, start + length) == (0x83, disk.FIRST_SECTOR, 16_000_000)
    assert made[462:510] == bytes(48)


def test_a_boot_loader_that_would_reach_into_the_partition_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        disk.first_sectors(bytes(512), bytes(disk.FIRST_SECTOR * 512), 16_000_000)


def test_another_mirror_makes_another_image_and_never_the_containers_own(tmp_path: Path) -> None:
    one = disk.path("trixie", MIRROR, tmp_path)
    other = disk.path("trixie", Mirror("http://other.example", MIRROR.security, (), ""), tmp_path)
    assert one != other
    assert one.name.startswith("trixie-vm-")


def test_no_two_machines_of_a_host_share_a_hardware_address() -> None:
    twenty_four = places(Request(machines=0, vms=("trixie",) * 24))
    assert len({vm.mac(x.addresses[0]) for x in twenty_four}) == 24
    assert vm.mac("198.18.0.11") == "52:54:c6:12:00:0b"


@pytest.mark.parametrize(
    ("accel", "processor"), [("kvm", "host,arch-capabilities=off"), ("tcg", "max,la57=off")]
)
def test_the_processor_is_real_or_emulated_as_told(accel: str, processor: str) -> None:
    said = vm.command("ks-01", "52:54:00:00:00:01", "vb-ks-01", Path("/a,b/disk.img"),
                      Path("/log"), Path("/run/x"), accel)  # fmt: skip
    assert said[said.index("-cpu") + 1] == processor
    assert said[said.index("-accel") + 1].startswith(accel)
    assert any("file=/a,,b/disk.img," in word for word in said), "qemu ends an option at a comma"
    assert said[said.index("-smbios") + 1].startswith("type=1,serial=LAB525400000001,uuid=")


def test_the_environment_may_ask_for_emulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSURVIE_LAB_ACCEL", "tcg")
    assert vm.accelerator.__wrapped__() == "tcg"


def test_what_a_virtual_machine_needs_is_asked_for_only_with_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(needs.shutil, "which", lambda name: None if "qemu" in name else name)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    needs.commands()
    with pytest.raises(LabError, match="qemu-system-x86") as caught:
        needs.commands(vms=True)
    assert caught.value.remedy == "apt-get install qemu-system-x86"


class GuestAgent:
    """An agent's end of the line: answers by the book, after what an earlier caller left."""

    def __init__(self, *, leftover: bytes = b"", polls: int = 2, dead: bool = False) -> None:
        self.leftover, self.polls, self.dead = leftover, polls, dead
        self.asked: dict[str, object] = {}

    def answer(self, question: dict[str, object]) -> object:
        arguments = question.get("arguments", {})
        assert isinstance(arguments, dict)
        if question["execute"] == "guest-sync":
            return {"return": arguments["id"]}
        if question["execute"] == "guest-exec":
            self.asked = arguments
            return {"return": {"pid": 7}}
        if question["execute"] == "guest-exec-status":
            self.polls -= 1
            if self.polls > 0:
                return {"return": {"exited": False}}
            out = base64.b64encode(b"done\n").decode()
            return {"return": {"exited": True, "exitcode": 3, "out-data": out}}
        return {"error": {"class": "CommandNotFound", "desc": "no such command"}}

    @contextmanager
    def listening(self, path: Path) -> Iterator[Path]:
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(path))
            door.listen()
            threading.Thread(target=self._serve, args=(door,), daemon=True).start()
            yield path

    def _serve(self, door: socket.socket) -> None:
        while True:
            try:
                line, _ = door.accept()
            except OSError:
                return
            with line, line.makefile("rwb", buffering=0) as both:
                both.write(self.leftover)
                while not self.dead and (text := both.readline()):
                    both.write(json.dumps(self.answer(json.loads(text.lstrip(b"\xff")))).encode())
                    both.write(b"\n")


def test_a_command_runs_with_its_input_and_its_status(tmp_path: Path) -> None:
    played = GuestAgent()
    with played.listening(tmp_path / "agent") as path:
        done = agent.run(path, ["cat", "-"], b"in", ["PATH=/bin"], 5.0)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"done\n", b"")
    assert played.asked["arg"] == ["-i", "PATH=/bin", "cat", "-"]
    assert played.asked["input-data"] == base64.b64encode(b"in").decode()


def test_the_answer_to_somebody_else_is_passed_over(tmp_path: Path) -> None:
    left = b'{"return": {"pid": 1}}\nhalf a lin\n{"error": {"desc": "old"}}\n'
    with GuestAgent(leftover=left).listening(tmp_path / "agent") as path:
        assert agent.run(path, ["true"], b"", [], 5.0).stdout == b"done\n"


def test_a_command_that_does_not_end_in_time_is_said_so(tmp_path: Path) -> None:
    with (
        GuestAgent(polls=1000).listening(tmp_path / "agent") as path,
        pytest.raises(subprocess.TimeoutExpired),
    ):
        agent.run(path, ["sleep"], b"", [], 0.3)


def test_a_refusal_and_a_silence_are_errors_with_a_remedy(tmp_path: Path) -> None:
    with (
        GuestAgent().listening(tmp_path / "agent") as path,
        pytest.raises(LabError, match="no such command"),
    ):
        agent.ask(path, "guest-nonsense")
    with pytest.raises(LabError, match="does not hear us"):
        agent.ask(tmp_path / "nobody", "guest-ping")
    with GuestAgent(dead=True).listening(tmp_path / "deaf") as path:
        assert not agent.hears(path)


def test_a_command_ended_by_a_signal_has_a_negative_status() -> None:
    assert agent.completed(["x"], {"exited": True, "signal": 9}).returncode == -9
