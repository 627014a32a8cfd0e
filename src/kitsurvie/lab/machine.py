"""One machine of the lab: where it lives, whether it runs, and how to run a command in it."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import agent, cgroup, keeper, settings
from kitsurvie.lab.roster import Kind
from kitsurvie.model import Profile

_ENVIRONMENT = (
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LC_ALL=C.UTF-8",
    "TERM=dumb",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine of a lab that was brought up.

    `folder` holds its disk; `base` is the image under it; `addresses` are IPv4, the first one its
    own; `member` is a SIREN; `host_key_sha256` is the fingerprint of its ed25519 host key as
    OpenSSH writes it (`SHA256:...`). A virtual machine has a kernel of its own; a container has the
    host's.
    """

    name: str
    prefix: str
    addresses: tuple[str, ...]
    release: str
    profile: Profile
    member: str
    host_key_sha256: str
    folder: Path
    base: Path
    kind: Kind = Kind.CONTAINER

    @property
    def address(self) -> str:
        """The machine's own address."""
        return self.addresses[0]

    @property
    def upper_dir(self) -> Path:
        """What this machine wrote over its base image: the overlay's upper directory.

        Of a virtual machine: what it began with, for it writes to a disk of its own.
        """
        return self.folder / "upper"

    @property
    def cgroup(self) -> Path:
        """The control group of its keeper and of all its processes."""
        return cgroup.of_machine(self.prefix, self.name)

    @property
    def leader_pid(self) -> int | None:
        """Its init as the host numbers it, its qemu for a virtual machine; None while it is off."""
        if self.kind is Kind.VM:
            return next(iter(cgroup.pids(self.cgroup / "machine")), None)
        return keeper.leader(self.cgroup / "machine")

    @property
    def kept(self) -> bool:
        """Whether its keeper lives."""
        return bool(cgroup.pids(self.cgroup / "keeper"))

    @property
    def unplugged_file(self) -> Path:
        """There while the machine is off the bridge."""
        return self.folder / "unplugged"

    @property
    def sockets(self) -> Path:
        """Where a virtual machine listens; a short path, for the kernel allows no long one."""
        return settings.RUNTIME / "vms" / self.name

    @property
    def state(self) -> str:
        """`running`, `unplugged` or `off`."""
        if self.leader_pid is None:
            return "off"
        return "unplugged" if self.unplugged_file.exists() else "running"

    def run(
        self, argv: Sequence[str], stdin: bytes = b"", *, timeout_s: float = 300.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in the machine as root, by none of its own services.

        Raises LabError when the machine is off or does not hear us, subprocess.TimeoutExpired
        after `timeout_s`.
        """
        pid = self.leader_pid
        if pid is None:
            raise LabError(
                f"{self.name} is off.",
                remedy=f"Start it with: kitsurvie lab wake {self.name}",
            )
        if self.kind is Kind.VM:
            return agent.run(self.sockets / "agent", argv, stdin, _ENVIRONMENT, timeout_s)
        return subprocess.run(
            ["nsenter", "--target", str(pid), "--all", "--", "/usr/bin/env", "-i", *_ENVIRONMENT,
             *argv],
            input=stdin, capture_output=True, timeout=timeout_s, check=False,
        )  # fmt: skip
