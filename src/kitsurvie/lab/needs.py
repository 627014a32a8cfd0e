"""What the lab needs of the machine it runs on, said before anything is touched."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import cgroup

DISK_PER_MACHINE_MB = 100
DISK_PER_VM_MB = 2000

_TRIAL = "overlay-trial"

# command -> the Debian package that has it
_COMMANDS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "ssh-keygen": "openssh-client",
    "apt-get": "apt",
}
_COMMANDS_OF_VMS = {"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs"}


def root() -> None:
    """Raise LabError unless we are root."""
    if os.geteuid() != 0:
        raise LabError(
            "The lab boots real machines, and only root may do that.",
            remedy="Run the same command as root (sudo), on a machine you may experiment on.",
        )


def commands(*, vms: bool = False) -> None:
    """Raise LabError that names every package missing."""
    wanted = {**_COMMANDS, **(_COMMANDS_OF_VMS if vms else {})}
    lacking = sorted({package for name, package in wanted.items() if not shutil.which(name)})
    if not Path("/usr/share/keyrings/debian-archive-keyring.gpg").exists():
        lacking.append("debian-archive-keyring")
    if lacking:
        raise LabError(
            f"The lab needs what is not installed here: {', '.join(lacking)}.",
            remedy=f"apt-get install {' '.join(lacking)}",
        )


def kernel(folder: Path) -> None:
    """Raise LabError unless this kernel can boot a machine whose disk lives in `folder`."""
    cgroup.hierarchy()
    clear_trial(folder)
    trial = folder / _TRIAL
    for part in ("lower", "upper", "work", "root"):
        (trial / part).mkdir(parents=True)
    options = f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work"
    done = subprocess.run(
        ["unshare", "--mount", "--propagation=private", "mount", "-t", "overlay", "overlay",
         "-o", options, str(trial / "root")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    clear_trial(folder)
    if done.returncode != 0:
        raise LabError(
            f"overlayfs does not work here: {done.stderr.strip().splitlines()[-1]}.",
            where=str(folder),
            remedy="Load the driver (modprobe overlay), or give a --dir on ext4, xfs or btrfs.",
        )


def clear_trial(folder: Path) -> None:
    """Take away what a trial of `kernel` left that was interrupted."""
    # overlayfs keeps a directory of mode 000 in it
    shutil.rmtree(folder / _TRIAL, ignore_errors=True)


def virtual_hardware() -> None:
    """Raise LabError unless a virtual machine can be given a processor and a network here."""
    if platform.machine() != "x86_64":
        raise LabError(
            f"The lab's virtual machines are amd64 PCs, and this machine is {platform.machine()}.",
            remedy="Leave --vm out, or use an amd64 machine.",
        )
    if not Path("/dev/net/tun").exists():
        raise LabError(
            "This machine cannot make a network interface for a virtual machine.",
            where="/dev/net/tun",
            remedy="Load the driver (modprobe tun), or leave --vm out.",
        )


def disk(folder: Path, machines: int, vms: int = 0) -> None:
    """Raise LabError unless `folder` has room for that many machines, and virtual ones besides."""
    needed = machines * DISK_PER_MACHINE_MB + vms * DISK_PER_VM_MB
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < needed:
        raise LabError(
            f"Only {free} MB are free for the disks of {machines + vms} machines; "
            f"they need {needed} MB.",
            where=str(folder),
            remedy="Free some space there, or give another --dir.",
        )
