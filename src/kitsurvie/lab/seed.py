"""What makes a machine itself: its keys, its identity, its accounts, its address.

Written into the overlay's upper directory before the machine first boots.
"""

from __future__ import annotations

import os
import secrets
import shutil
import string
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab.base import INSTALL_USER

_ADMIN_UID = 1001
_CRYPT_ALPHABET = string.ascii_letters + string.digits + "./"
# the password comes by standard input, never by the command line
_CRYPT = "local $/; my $word = <STDIN>; print crypt($word, $ARGV[0])"


@dataclass(frozen=True, slots=True)
class Seed:
    """All a machine's first files are made from. `password_hash` is crypt(3) format."""

    name: str
    addresses: tuple[str, ...]
    gateway: str
    prefix_length: int
    mtu: int
    nameservers: str
    apt_conf: str
    password_hash: str
    admin: str
    admin_key: str
    enrolled: bool


def host_keys(folder: Path) -> None:
    """Make a machine's own SSH host keys in `folder/etc/ssh`, unless it has them."""
    (folder / "etc/ssh").mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["ssh-keygen", "-q", "-A", "-f", str(folder)],
        check=True,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )


def public_keys(folder: Path) -> list[str]:
    """The public host keys of a machine, each as `type base64`."""
    files = sorted((folder / "etc/ssh").glob("ssh_host_*_key.pub"))
    return [" ".join(file.read_text().split()[:2]) for file in files]


def fingerprint(folder: Path) -> str:
    """The SHA-256 fingerprint of the ed25519 host key, as OpenSSH writes it."""
    key = folder / "etc/ssh/ssh_host_ed25519_key.pub"
    done = subprocess.run(
        ["ssh-keygen", "-l", "-E", "sha256", "-f", str(key)],
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()[1]


def password_hash(base: Path, password: str) -> str:
    """Hash a password as Debian does (yescrypt), with the base image's own library."""
    # 20 characters of crypt's alphabet are 15 bytes
    salt = "".join(secrets.choice(_CRYPT_ALPHABET) for _ in range(20))
    done = subprocess.run(
        ["chroot", str(base), "/usr/bin/perl", "-e", _CRYPT, f"$y$j9T${salt}"],
        input=password,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not done.stdout.startswith("$y$"):
        raise LabError(
            "The base image cannot hash a password.",
            where=str(base),
            remedy="Build it anew: kitsurvie lab down --purge-cache, then lab up.",
        )
    return done.stdout.strip()


def nameservers() -> str:
    """The host's resolv.conf; systemd-resolved's real one when the host points at itself."""
    for file in (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf")):
        if file.is_file():
            text = file.read_text()
            servers = [x.split()[1] for x in text.splitlines() if x.startswith("nameserver ")]
            if servers and not all(server.startswith("127.") for server in servers):
                return text
    return ""


def write(seed: Seed, keys: Path, base: Path, upper: Path) -> None:
    """Fill the empty upper directory of one machine; `keys` holds its host keys."""
    for folder, mode in (
        ("", 0o755), ("etc", 0o755), ("etc/ssh", 0o755), ("etc/systemd", 0o755),
        ("etc/systemd/network", 0o755), ("etc/sudoers.d", 0o750),
        ("etc/apt", 0o755), ("etc/apt/apt.conf.d", 0o755),
    ):  # fmt: skip
        (upper / folder).mkdir(parents=True, exist_ok=True)
        (upper / folder).chmod(mode)
    for key in sorted((keys / "etc/ssh").glob("ssh_host_*")):
        _file(upper / "etc/ssh" / key.name, key.read_text(), 0o644 if key.suffix else 0o600)
    machine_id = keys / "machine-id"
    if not machine_id.exists():
        machine_id.write_text(secrets.token_hex(16) + "\n")
    _file(upper / "etc/machine-id", machine_id.read_text(), 0o444)
    _file(upper / "etc/hostname", f"{seed.name}\n")
    _file(
        upper / "etc/hosts",
        f"127.0.0.1\tlocalhost\n127.0.1.1\t{seed.name}\n::1\tlocalhost ip6-localhost\n",
    )
    _file(upper / "etc/resolv.conf", seed.nameservers)
    _file(upper / "etc/apt/apt.conf.d/81lab-archive", seed.apt_conf)
    _file(upper / "etc/systemd/network/10-host0.network", _network(seed))
    if len(seed.addresses) > 1:
        _many_connections(base, upper)
    _accounts(seed, base, upper)


def _network(seed: Seed) -> str:
    addresses = "".join(f"Address={x}/{seed.prefix_length}\n" for x in seed.addresses)
    return (
        f"[Match]\nName=host0\n\n[Link]\nMTUBytes={seed.mtu}\n\n"
        f"[Network]\n{addresses}Gateway={seed.gateway}\n"
        "LinkLocalAddressing=no\nIPv6AcceptRA=no\n"
    )


def _many_connections(base: Path, upper: Path) -> None:
    """One sshd that plays fifty hosts needs room for fifty hosts' connections.

    sshd keeps the first value it reads, hence a name that sorts before any drop-in of the kit.
    """
    folder = upper / "etc/ssh/sshd_config.d"
    folder.mkdir(exist_ok=True)
    lines = "MaxStartups 1000:30:1000\nMaxSessions 1000\n"
    if b"persourcepenalties" in (base / "usr/sbin/sshd").read_bytes().lower():
        # Debian 13 shuts out an address that leaves a few connections unused
        lines += "PerSourcePenalties no\n"
    _file(folder / "00-0-lab.conf", lines)


def _accounts(seed: Seed, base: Path, upper: Path) -> None:
    files = {name: (base / "etc" / name).read_text() for name in _MODES}
    locked = next(x for x in files["shadow"].splitlines() if x.startswith(f"{INSTALL_USER}:"))
    fields = locked.split(":")
    fields[1] = seed.password_hash
    files["shadow"] = files["shadow"].replace(locked, ":".join(fields))
    if seed.enrolled:
        user, uid = seed.admin, _ADMIN_UID
        files["passwd"] += f"{user}:x:{uid}:{uid}:Administrator:/home/{user}:/bin/bash\n"
        files["group"] += f"{user}:x:{uid}:\n"
        files["shadow"] += ":".join([user, "*", *fields[2:]]) + "\n"
        files["gshadow"] += f"{user}:!::\n"
        _home(seed, base, upper)
        # the file that enrolment writes and the measure `accounts` keeps
        rule = f"{user} ALL=(ALL:ALL) NOPASSWD: ALL\n"
        _file(upper / "etc/sudoers.d/00-kitsurvie", rule, 0o440)
    shadow_group = (base / "etc/shadow").stat().st_gid
    for name, (mode, secret) in _MODES.items():
        _file(upper / "etc" / name, files[name], mode)
        os.chown(upper / "etc" / name, 0, shadow_group if secret else 0)


# name -> permissions, and whether it belongs to the group shadow
_MODES = {
    "passwd": (0o644, False),
    "group": (0o644, False),
    "shadow": (0o640, True),
    "gshadow": (0o640, True),
}


def _home(seed: Seed, base: Path, upper: Path) -> None:
    (upper / "home").mkdir(exist_ok=True)
    (upper / "home").chmod(0o755)
    home = upper / "home" / seed.admin
    shutil.copytree(base / "etc/skel", home, symlinks=True)
    (home / ".ssh").mkdir()
    _file(home / ".ssh/authorized_keys", seed.admin_key + "\n", 0o600)
    (home / ".ssh").chmod(0o700)
    home.chmod(0o700)
    for path in (home, *home.rglob("*")):
        os.chown(path, _ADMIN_UID, _ADMIN_UID, follow_symlinks=False)


def _file(path: Path, text: str, mode: int = 0o644) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
