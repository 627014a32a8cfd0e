"""Keep one machine: mount its disk, boot it, boot it again after a reboot, stop it cleanly.

Run by itself (`unshare -m python3 -I -S keeper.py SPEC`), with the standard library alone, so that
24 of them stay small. The overlay is mounted in the keeper's own mount namespace: once keeper
and machine are gone the kernel has unmounted it, however they died. A virtual machine (the spec
has `qmp`) has a disk of its own, and its qemu starts it again by itself.

SIGTERM: switch the machine off and end. The machine switches itself off: end.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REBOOT_ASKED = 133  # systemd-nspawn's exit status when the machine wants to be started again
STOP_WITHIN_S = 30.0
POWER_OFF = signal.SIGRTMIN + 4
WATCHED = {signal.SIGTERM, signal.SIGCHLD}


def leader(group: Path) -> int | None:
    """The machine's init, as the host numbers it: the process that is 1 in its own namespace."""
    for folder, _names, _files in os.walk(group):
        try:
            numbers = (Path(folder) / "cgroup.procs").read_text().split()
        except OSError:
            continue
        for number in numbers:
            try:
                status = Path(f"/proc/{number}/status").read_text()
            except OSError:
                continue
            spaces = next((x for x in status.splitlines() if x.startswith("NSpid:")), "").split()
            if len(spaces) == 3 and spaces[2] == "1":
                return int(number)
    return None


def _enter(group: Path) -> None:
    (group / "cgroup.procs").write_text("0")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)


def _mount(spec: dict[str, Any]) -> None:
    options = f"lowerdir={spec['base']},upperdir={spec['upper']},workdir={spec['work']}"
    subprocess.run(
        ["mount", "-t", "overlay", "overlay", "-o", options, spec["root"]],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def _start(spec: dict[str, Any]) -> subprocess.Popen[bytes]:
    group = Path(spec["cgroup"]) / "machine"
    group.mkdir(exist_ok=True)
    # Without the variable, nspawn of Debian 12 on a host with both hierarchies would offer the
    # machine the older one, with which Debian 13 refuses to boot.
    environment = {**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
    return subprocess.Popen(
        spec["argv"],
        stdin=subprocess.DEVNULL,
        env=environment,
        preexec_fn=lambda: _enter(group),
    )


def _join_bridge(spec: dict[str, Any], child: subprocess.Popen[bytes]) -> None:
    """Plug a virtual machine in, unless it was unplugged: its qemu only makes the interface."""
    limit = time.monotonic() + 20
    while child.poll() is None and time.monotonic() < limit:
        if Path(f"/sys/class/net/{spec['veth']}").exists():
            bridge = [] if Path(spec["unplugged"]).exists() else ["master", spec["bridge"]]
            subprocess.run(
                ["ip", "link", "set", spec["veth"], "mtu", str(spec["mtu"]), *bridge, "up"],
                check=False,
            )
            return
        time.sleep(0.05)


def _stay_unplugged(spec: dict[str, Any]) -> None:
    """A machine that was taken off the bridge is off it after its reboot too."""
    limit = time.monotonic() + 10
    while Path(spec["unplugged"]).exists() and time.monotonic() < limit:
        if Path(f"/sys/class/net/{spec['veth']}/master").exists():
            subprocess.run(["ip", "link", "set", spec["veth"], "nomaster"], check=False)
            return
        time.sleep(0.05)


def _stop(spec: dict[str, Any], child: subprocess.Popen[bytes]) -> None:
    group = Path(spec["cgroup"]) / "machine"
    limit = time.monotonic() + spec["stop_within_s"]
    while child.poll() is None and time.monotonic() < limit:
        # again and again: what has only just started does not listen yet
        if "qmp" in spec:
            _press_power_button(spec["qmp"])
        elif (init := leader(group)) is not None:
            os.kill(init, POWER_OFF)
        try:
            child.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            continue


def _press_power_button(path: str) -> None:
    """As a finger would: the machine's own system switches it off."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5.0)
        try:
            line.connect(path)
            with line.makefile("rwb", buffering=0) as qemu:
                for command in (b"qmp_capabilities", b"system_powerdown"):
                    qemu.readline()
                    qemu.write(b'{"execute": "' + command + b'"}\n')
                qemu.readline()
        except OSError:
            return


def _end(spec: dict[str, Any]) -> None:
    """Nothing of the machine may go on once its nspawn is gone."""
    group = Path(spec["cgroup"]) / "machine"
    for _attempt in range(100):
        if not any(_numbers(group)):
            return
        try:
            (group / "cgroup.kill").write_text("1")
        except OSError:
            for number in _numbers(group):
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        time.sleep(0.05)


def _numbers(group: Path) -> list[int]:
    found: list[int] = []
    for folder, _names, _files in os.walk(group):
        try:
            found += [int(x) for x in (Path(folder) / "cgroup.procs").read_text().split()]
        except OSError:
            continue
    return found


def main(path: str) -> int:
    """Keep the machine that the file describes until it is switched off."""
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    spec = json.loads(Path(path).read_text(encoding="utf-8"))
    # The lab was taken down before we came: then the group is gone, and so are we.
    (Path(spec["cgroup"]) / "keeper" / "cgroup.procs").write_text("0")
    virtual = "qmp" in spec
    if not virtual:
        _mount(spec)
    while True:
        child = _start(spec)
        if virtual:
            _join_bridge(spec, child)
        else:
            _stay_unplugged(spec)
        stopping = False
        while child.poll() is None:
            if signal.sigwaitinfo(WATCHED).si_signo == signal.SIGTERM:
                stopping = True
                _stop(spec, child)
                break
        status = child.poll()
        _end(spec)
        child.wait()
        if stopping or status != REBOOT_ASKED:
            return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
