"""Switch machines on and off."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import agent, cgroup, keeper, network, vm
from kitsurvie.lab.machine import Machine
from kitsurvie.lab.roster import Kind

# An emulated processor is some ten times slower, and has but a part of one of a busy host's.
READY_WITHIN_S = {Kind.CONTAINER: 180.0, Kind.VM: 1800.0}
STOP_WITHIN_S = {Kind.CONTAINER: keeper.STOP_WITHIN_S, Kind.VM: 90.0}
KEPT_WITHIN_S = 20.0
_NSPAWN_RUNTIME = Path("/run/systemd/nspawn/propagate")


def start(machine: Machine) -> None:
    """Boot a machine; one that lives is left as it is. Returns before it is ready."""
    if machine.kept:
        return
    # Its keeper died and the machine lives on, on a disk nobody else may mount.
    if not cgroup.kill(machine.cgroup):
        raise LabError(
            f"{machine.name} is left over from before and cannot be ended.",
            where=str(machine.cgroup),
            remedy="Look at the processes of that control group; a reboot of this host ends them.",
        )
    for name in ("root", "work", "upper"):
        (machine.folder / name).mkdir(parents=True, exist_ok=True)
    if machine.kind is Kind.VM:
        machine.sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
    (machine.cgroup / "keeper").mkdir(parents=True, exist_ok=True)
    spec = machine.folder / "keeper.json"
    spec.write_text(json.dumps(_spec(machine)), encoding="utf-8")
    with (machine.folder / "console.log").open("ab") as log:
        subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", sys.executable, "-I", "-S",
             keeper.__file__, str(spec)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True,
        )  # fmt: skip


def _spec(machine: Machine) -> dict[str, object]:
    folder = machine.folder
    common = {
        "cgroup": str(machine.cgroup),
        "veth": network.veth(machine.name),
        "unplugged": str(machine.unplugged_file),
        "stop_within_s": STOP_WITHIN_S[machine.kind],
    }
    if machine.kind is Kind.VM:
        return {
            **common,
            "bridge": network.bridge(machine.prefix),
            "mtu": network.mtu(),
            "qmp": str(machine.sockets / "qmp"),
            "argv": vm.command(
                machine.name, vm.mac(machine.address), network.veth(machine.name),
                folder / "disk.img", folder / "console.log", machine.sockets, vm.accelerator(),
            ),
        }  # fmt: skip
    return {
        **common,
        "base": str(machine.base),
        "upper": str(folder / "upper"),
        "work": str(folder / "work"),
        "root": str(folder / "root"),
        "argv": [
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
            f"--directory={folder / 'root'}", f"--machine={machine.name}",
            f"--network-bridge={network.bridge(machine.prefix)}", "--link-journal=no",
            "--resolv-conf=off", "--timezone=off", "--console=read-only",
        ],
    }  # fmt: skip


def wait_ready(machine: Machine, gives_up: threading.Event | None = None) -> None:
    """Wait until a machine has booted and its sshd answers.

    Raises LabError after READY_WITHIN_S, or when its keeper ends meanwhile.
    """
    limit = time.monotonic() + READY_WITHIN_S[machine.kind]
    kept_by = time.monotonic() + KEPT_WITHIN_S
    while time.monotonic() < limit and not (gives_up and gives_up.is_set()):
        kept = machine.kept
        if not kept and time.monotonic() > kept_by:
            break
        if kept:
            kept_by = time.monotonic()
        if _booted(machine) and (machine.unplugged_file.exists() or _answers(machine.address)):
            return
        time.sleep(0.1)
    if gives_up and gives_up.is_set():
        return
    raise LabError(
        f"{machine.name} ({machine.release}) did not come up.",
        where=str(machine.folder / "console.log"),
        remedy="Read the end of that log; `kitsurvie lab down` cleans up.",
    )


def _booted(machine: Machine) -> bool:
    wait = ["--wait"]
    if machine.kind is Kind.VM:
        if not agent.hears(machine.sockets / "agent"):
            return False
        wait = []  # a question that is answered at once can be given up
    try:
        done = machine.run(
            ["systemctl", "is-system-running", *wait], timeout_s=READY_WITHIN_S[machine.kind]
        )
    except (LabError, subprocess.TimeoutExpired):
        return False
    return done.stdout.strip() in (b"running", b"degraded")


def _answers(address: str) -> bool:
    with (
        contextlib.suppress(OSError),
        socket.create_connection((address, 22), timeout=2.0) as connection,
    ):
        return connection.recv(4) == b"SSH-"
    return False


def stop(machine: Machine) -> None:
    """Switch a machine off, by force if it does not obey, and wait until nothing of it runs."""
    ask_to_stop(machine)
    limit = time.monotonic() + STOP_WITHIN_S[machine.kind] + 10.0
    while cgroup.pids(machine.cgroup) and time.monotonic() < limit:
        if not machine.kept:
            break  # nobody will stop what is left
        time.sleep(0.05)
    if not cgroup.kill(machine.cgroup):
        raise LabError(
            f"{machine.name} cannot be stopped.",
            where=str(machine.cgroup),
            remedy="Look at the processes of that control group.",
        )
    # Left behind, its groups would kill some of what the next boot starts in them: a kernel that
    # counts kills per group (6.14 on) sees theirs differ from the group systemd forks from.
    cgroup.remove(machine.cgroup / "machine")


def ask_to_stop(machine: Machine) -> None:
    """Ask a machine's keeper to switch it off; returns at once."""
    for pid in cgroup.pids(machine.cgroup / "keeper"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def forget(machine: Machine) -> None:
    """Remove what a stopped machine leaves outside its folder."""
    cgroup.remove(machine.cgroup)
    shutil.rmtree(_NSPAWN_RUNTIME / machine.name, ignore_errors=True)
    shutil.rmtree(machine.sockets, ignore_errors=True)
    with contextlib.suppress(OSError):
        machine.sockets.parent.rmdir()
