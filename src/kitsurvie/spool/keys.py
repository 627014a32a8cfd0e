"""The public keys that machines hand in with: a file each in the workspace, one list for sshd.

`spool_keys/HOST.pub` is beside the inventory, to be reviewed as it is; `keys/list` in the spool is
what sshd is answered from (roles/spool/files/keys). The list follows the files, never the reverse.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.errors import WorkspaceError
from kitsurvie.inventory.names import good_host
from kitsurvie.workspace import Workspace, is_shared, put_in_place

TYPE = "ssh-ed25519"
_KEY = re.compile(r"ssh-ed25519 ([A-Za-z0-9+/]{68})(?: [^\r\n]*)?\n?")
_HEAD = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20"


@dataclass(frozen=True, slots=True)
class Published:
    """What the list for sshd holds now, and what changed in it; `shared` names those left out."""

    keys: Mapping[str, str]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    shared: tuple[tuple[str, ...], ...]
    file: Path


def body(text: str) -> str:
    """The base64 of an ed25519 public key; raises ValueError for anything else."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise ValueError("it is not the one line of an ed25519 public key")
    try:
        raw = base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise ValueError("its base64 is damaged") from error
    if len(raw) != 51 or not raw.startswith(_HEAD):
        raise ValueError("it is no ed25519 key")
    return found[1]


def stored(workspace: Workspace) -> Mapping[str, str]:
    """The keys of the workspace, base64 by host. Raises WorkspaceError for a file that is none."""
    folder = workspace.spool_keys
    found = {}
    for path in sorted(folder.glob("*.pub")) if folder.is_dir() else ():
        try:
            if not good_host(path.stem):
                raise ValueError("its name is no host's")
            found[path.stem] = body(path.read_text(encoding="ascii"))
        except (OSError, ValueError) as error:
            raise WorkspaceError(
                f"This is not the public key of a machine: {error}.",
                where=str(path),
                remedy="Remove the file; kitsurvie deploy -m self_observation collects it again.",
            ) from error
    return found


def add(workspace: Workspace, host: str, text: str) -> None:
    """Keep the public key of a machine. Raises ValueError for what is none."""
    line = f"{TYPE} {body(text)} {host}\n"
    path = workspace.spool_keys / f"{host}.pub"
    if not path.exists() or path.read_text(encoding="ascii", errors="replace") != line:
        if not path.parent.exists():
            path.parent.mkdir()
            if is_shared(workspace.root):
                path.parent.chmod(0o2775)
        put_in_place(path, line.encode("ascii"), 0o644)


def remove(workspace: Workspace, host: str) -> bool:
    """Forget the key of a machine; whether there was one."""
    path = workspace.spool_keys / f"{host}.pub"
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def publish(workspace: Workspace, hosts: Collection[str], *, write: bool = True) -> Published:
    """Bring the list for sshd in line with the keys of these hosts; without `write`, only look.

    Two machines with one key (a disk was copied) cannot be told apart: neither is in the list.
    Raises WorkspaceError when the spool cannot be written.
    """
    owners: dict[str, list[str]] = {}
    for host, key in stored(workspace).items():
        if host in hosts:
            owners.setdefault(key, []).append(host)
    keys = {names[0]: key for key, names in owners.items() if len(names) == 1}
    shared = tuple(tuple(names) for names in owners.values() if len(names) > 1)
    file = workspace.spool / "keys" / "list"
    before = _read(file)
    if write and before != keys:
        try:
            text = "".join(f"{host} {TYPE} {key}\n" for host, key in sorted(keys.items()))
            put_in_place(file, text.encode("ascii"), 0o644)
        except OSError as error:
            raise WorkspaceError(
                f"The list of keys that sshd is answered from cannot be written: {error.strerror}.",
                where=str(file),
                remedy="Set the spool up with playbooks/spool.yml, and be in the group it names; "
                "then: kitsurvie spool keys",
            ) from error
    return Published(
        keys,
        tuple(sorted(host for host, key in keys.items() if before.get(host) != key)),
        tuple(sorted(before.keys() - keys.keys())),
        shared,
        file,
    )


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return {}
    words = [line.split() for line in lines]
    return {three[0]: three[2] for three in words if len(three) == 3}
