"""What a lab remembers of itself between two commands: `.lab/state.json`, mode 0600."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kitsurvie.errors import LabError
from kitsurvie.lab.machine import Machine
from kitsurvie.lab.roster import Kind, Request
from kitsurvie.model import Profile

VERSION = 1


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up, or half up.

    `folder` is its workspace; `password` opens the account `install_user` of each machine (with
    sudo, by the same password) until enrolment; `admin_key` is the administrator's private key.
    """

    folder: Path
    request: Request
    install_user: str
    password: str
    password_hash: str
    admin_key: Path
    machines: tuple[Machine, ...]

    def machine(self, name: str) -> Machine:
        """The machine of that name. Raises LabError when there is none."""
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise LabError(
            f"The lab has no machine named {name}.",
            where=str(self.folder),
            remedy=f"It has: {', '.join(machine.name for machine in self.machines)}.",
        )


def hidden(folder: Path) -> Path:
    """The lab's own folder inside its workspace."""
    return folder / ".lab"


def exists(folder: Path) -> bool:
    """Whether there is a lab in that folder, up or half up."""
    return (hidden(folder) / "state.json").exists()


def load(folder: Path) -> Lab:
    """Read a lab back. Raises LabError when there is none, or it is a newer version's."""
    folder = folder.resolve()
    file = hidden(folder) / "state.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabError(
            "There is no lab here.",
            where=str(folder),
            remedy="Bring one up with: kitsurvie lab up  (or name its folder with --dir).",
        ) from error
    except PermissionError as error:
        raise LabError(
            "Only root may read this lab's state.", where=str(file), remedy="Run it as root (sudo)."
        ) from error
    if document.get("version") != VERSION:
        raise LabError(
            "This lab was made by another version of kitsurvie.",
            where=str(file),
            remedy="Take it down with that version, or remove the folder after a reboot.",
        )
    return _read(folder, document)


def _read(folder: Path, document: dict[str, Any]) -> Lab:
    asked = document["request"]
    lists = {key: tuple(asked.get(key, ())) for key in ("releases", "vms")}
    request = Request(**{**asked, **lists})
    return Lab(
        folder=folder,
        request=request,
        install_user=document["install_user"],
        password=document["password"],
        password_hash=document["password_hash"],
        admin_key=Path(document["admin_key"]),
        machines=tuple(
            Machine(
                name=one["name"],
                prefix=request.prefix,
                addresses=tuple(one["addresses"]),
                release=one["release"],
                profile=Profile(one["profile"]),
                member=one["member"],
                host_key_sha256=one["host_key_sha256"],
                folder=hidden(folder) / "machines" / one["name"],
                base=Path(one["base"]),
                kind=Kind(one.get("kind", Kind.CONTAINER)),
            )
            for one in document["machines"]
        ),
    )


def save(lab: Lab) -> None:
    """Write a lab's state whole or not at all."""
    document = {
        "version": VERSION,
        "request": asdict(lab.request),
        "install_user": lab.install_user,
        "password": lab.password,
        "password_hash": lab.password_hash,
        "admin_key": str(lab.admin_key),
        "machines": [
            {
                "name": machine.name,
                "addresses": list(machine.addresses),
                "release": machine.release,
                "profile": str(machine.profile),
                "member": machine.member,
                "host_key_sha256": machine.host_key_sha256,
                "base": str(machine.base),
                "kind": str(machine.kind),
            }
            for machine in lab.machines
        ],
    }
    file = hidden(lab.folder) / "state.json"
    fresh = file.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        json.dump(document, output, indent=1)
    fresh.rename(file)
