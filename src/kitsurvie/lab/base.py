"""The bare Debian each machine starts from: built once per release, then shared and never written.

An image is built beside its final place and renamed when whole; a lock per release lets two
builders agree. Its name holds a digest of the recipe, so that another recipe is another image.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kitsurvie.errors import LabError
from kitsurvie.lab.mirror import KEYRING, Mirror

CACHE = Path("/var/cache/kitsurvie/lab")
INSTALL_USER = "install"
DISK_FOR_A_BASE_MB = 1500

# What a Debian server has once its installer is done, and no part of the kit.
PACKAGES = (
    "ca-certificates",
    "cron",
    "dbus",
    "debian-archive-keyring",
    "iproute2",
    "iputils-ping",
    "less",
    "libpam-systemd",
    "logrotate",
    "nano",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "python3-apt",
    "sudo",
    "systemd",
    "systemd-sysv",
    "tzdata",
)
_RECIPE = "2"  # raise it when the steps below change


def path(release: str, mirror: Mirror, cache: Path = CACHE) -> Path:
    """Where the image of a release is, or will be."""
    recipe = "\n".join(
        (_RECIPE, release, mirror.sources(release), mirror.apt_conf(), *sorted(PACKAGES))
    )
    return cache / f"{release}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure(release: str, mirror: Mirror, say: Callable[[str], None], cache: Path = CACHE) -> Path:
    """The image of a release, built if there is none yet.

    Raises LabError when it cannot be built; nothing half-built is ever found under its name.
    """
    return built(
        path(release, mirror, cache),
        lambda building, log: _build(release, mirror, building, log),
        say,
        "the base image (about two minutes, once)",
    )


def built(
    image: Path, build: Callable[[Path, Path], None], say: Callable[[str], None], what: str
) -> Path:
    """An image, made by `build(folder, log)` if there is none yet; one builder at a time."""
    if image.is_dir():
        return image
    cache = image.parent
    kind = image.name.rpartition("-")[0]
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache / f"{kind}.lock", lambda: say(f"{kind}: another lab is building it")):
        if image.is_dir():
            return image
        _room(cache)
        for leftover in cache.glob(f".{kind}-????????????.building"):
            shutil.rmtree(leftover)
        building = cache / f".{image.name}.building"
        say(f"{kind}: building {what}")
        try:
            build(building, cache / f"{kind}.log")
            building.rename(image)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        say(f"{kind}: image ready")
    return image


def purge(cache: Path = CACHE) -> None:
    """Remove every base image and everything else the lab keeps between runs."""
    shutil.rmtree(cache, ignore_errors=True)


@contextmanager
def _alone(lock: Path, when_waiting: Callable[[], None]) -> Iterator[None]:
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            when_waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _room(cache: Path) -> None:
    free_mb = shutil.disk_usage(cache).free // 1_000_000
    if free_mb < DISK_FOR_A_BASE_MB:
        raise LabError(
            f"Only {free_mb} MB are free for a base image; it needs {DISK_FOR_A_BASE_MB} MB.",
            where=str(cache),
            remedy="Free some space there, or give another folder with KITSURVIE_LAB_CACHE.",
        )


def _build(release: str, mirror: Mirror, root: Path, log: Path) -> None:
    with log.open("wb") as output:
        step(
            ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}",
             f"--keyring={KEYRING}", release, str(root), mirror.archive],
            output, log, mirror,
        )  # fmt: skip
        (root / "etc/apt/sources.list").unlink(missing_ok=True)
        (root / "etc/apt/sources.list.d/debian.sources").write_text(mirror.sources(release))
        (root / "etc/apt/apt.conf.d/80lab").write_text(mirror.apt_conf())
        (root / "etc/default/locale").write_text("LANG=C.UTF-8\n")
        (root / "etc/network").mkdir(exist_ok=True)
        for argv in (
            ["apt-get", "-q", "update"],
            ["apt-get", "-q", "-y", "dist-upgrade"],
            ["apt-get", "clean"],
            ["systemctl", "enable", "systemd-networkd.service"],
            # A machine is up when it answers, not when networkd thinks so.
            ["systemctl", "mask", "systemd-networkd-wait-online.service"],
            ["useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo", INSTALL_USER],
            ["passwd", "--lock", "root"],
        ):
            step(inside(root, argv), output, log, mirror, proc=root / "proc")
    forget_identity(root)
    root.chmod(0o755)


def inside(root: Path, argv: list[str]) -> list[str]:
    """A command as it is run in an image that is being built."""
    return ["chroot", str(root), "/usr/bin/env", "-i", "DEBIAN_FRONTEND=noninteractive",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", *argv]  # fmt: skip


def forget_identity(root: Path) -> None:
    """What must differ between machines is left out of what they share."""
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    for name in ("etc/machine-id", "var/lib/dbus/machine-id", "etc/hostname", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)
    (root / "var/lib/dbus").mkdir(exist_ok=True)
    (root / "var/lib/dbus/machine-id").symlink_to("/etc/machine-id")


def step(
    argv: list[str], output: IO[bytes], log: Path, mirror: Mirror, *, proc: Path | None = None
) -> None:
    """One command of the recipe, in namespaces that die with it: no mount can be left behind."""
    spaces = ["unshare", "--mount", "--propagation=private", "--pid", "--fork", "--kill-child"]
    spaces.append(f"--mount-proc={proc}" if proc else "--mount-proc")
    environment = dict(os.environ)
    if mirror.proxy:
        environment["http_proxy"] = mirror.proxy
    done = subprocess.run(
        [*spaces, *argv],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise LabError(
            f"A base image could not be built: {argv[0]} ended with {done.returncode}.",
            where=str(log),
            remedy="Read the end of that log; check that `apt-get update` works on this machine.",
        )
