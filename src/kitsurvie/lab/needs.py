"""What the lab needs of the machine it runs on, said before anything is touched."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import cgroup

DISK_PER_MACHINE_MB = 100

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


def root() -> None:
    """Raise LabError unless we are root."""
    if os.geteuid() != 0:
        raise LabError(
            "The lab boots real machines, and only root may do that.",
            remedy="Run the same command as root (sudo), on a machine you may experiment on.",
        )


def commands() -> None:
    """Raise LabError that names every package missing."""
    lacking = sorted({package for name, package in _COMMANDS.items() if not shutil.which(name)})
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
    with tempfile.TemporaryDirectory(prefix=".overlay-", dir=folder) as name:
        trial = Path(name)
        for part in ("lower", "upper", "work", "root"):
            (trial / part).mkdir()
        options = f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work"
        done = subprocess.run(
            ["unshare", "--mount", "--propagation=private", "mount", "-t", "overlay", "overlay",
             "-o", options, str(trial / "root")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        # overlayfs keeps a directory of mode 000 here
        shutil.rmtree(trial / "work", ignore_errors=True)
    if done.returncode != 0:
        raise LabError(
            f"overlayfs does not work here: {done.stderr.strip().splitlines()[-1]}.",
            where=str(folder),
            remedy="Load the driver (modprobe overlay), or give a --dir on ext4, xfs or btrfs.",
        )


def disk(folder: Path, machines: int) -> None:
    """Raise LabError unless `folder` has room for that many machines."""
    needed = machines * DISK_PER_MACHINE_MB
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < needed:
        raise LabError(
            f"Only {free} MB are free for the disks of {machines} machines; they need {needed} MB.",
            where=str(folder),
            remedy="Free some space there, or give another --dir.",
        )
