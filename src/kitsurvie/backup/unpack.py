"""Bring a workspace back from an archive: checked to the last byte before anything is replaced."""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kitsurvie import workspace
from kitsurvie.backup import manifest as manifests
from kitsurvie.backup.manifest import LEDGER, MANIFEST, NAME, WORKSPACE, Entry, Manifest
from kitsurvie.errors import WorkspaceError
from kitsurvie.workspace import REFUSED

_CHUNK = 1 << 20
_MOST_MANIFEST = 64 << 20


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What was brought back; `before` is where what stood there was put, `notes` are sentences."""

    root: Path
    made_at: float
    made_by: str
    files: int
    before: Path | None
    notes: tuple[str, ...]


class _Bad(Exception):
    """The archive cannot be used: why, as the end of a sentence."""


def newest(source: Path) -> Path:
    """The archive itself, or the newest one of a folder. Raises WorkspaceError."""
    found = [source]
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if NAME.fullmatch(path.name))
    if not found or not found[-1].is_file():
        raise WorkspaceError(
            "There is no backup here.",
            where=str(source),
            remedy="Name an archive that kitsurvie backup wrote, or the folder that holds them.",
        )
    return found[-1]


def unpack(
    archive: Path, root: Path, *, overwrite: bool, check: Callable[[Path], None]
) -> Unpacked:
    """Make `root` the workspace that the archive holds.

    `check` is given the folder before it gets its place, and raises when it will not do. What stood
    at `root` is put aside under a name of its own with `overwrite`, and refused without. Raises
    WorkspaceError; then all is as it was.
    """
    root = root.absolute()
    if root.exists() and any(root.iterdir() if root.is_dir() else [root]) and not overwrite:
        raise WorkspaceError(
            "There is something where the workspace is to be brought back.",
            where=str(root),
            remedy="Name a new folder; or --overwrite, which puts what is there aside.",
        )
    fresh = root.with_name(f".{root.name}.restoring-{os.getpid()}")
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir(mode=0o700)
        manifest = _extract(archive, fresh)
        notes = [*_place_ledger(fresh, root), *_own(fresh, manifest)]
        _make_shared(fresh / WORKSPACE)
        check(fresh / WORKSPACE)
        before = _swap(fresh / WORKSPACE, root)
    except _Bad as bad:
        raise WorkspaceError(
            f"This backup cannot be used: {bad}.",
            where=str(archive),
            remedy="Nothing was changed. Take another one.",
        ) from bad
    except OSError as error:
        raise WorkspaceError(
            f"The workspace cannot be brought back: {error.strerror or error}.",
            where=str(error.filename or root),
            remedy="Nothing was changed. Mend the rights or the space there, then again.",
        ) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    files = sum(1 for entry in manifest.entries.values() if entry.sha256)
    return Unpacked(root, manifest.made_at, manifest.made_by, files, before, tuple(notes))


def _extract(archive: Path, into: Path) -> Manifest:
    """Write every file of the archive below `into`, which is empty; nothing is ever followed."""
    digests: dict[str, tuple[int, str]] = {}
    links: dict[str, str] = {}
    folders: set[str] = set()
    told = b""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                name = _safe(member.name)
                if name in digests or name in links or name in folders or (told and name):
                    raise _Bad(f"it holds {name!a} twice, or after its end")
                if name == MANIFEST and member.isreg() and member.size <= _MOST_MANIFEST:
                    file = tar.extractfile(member)
                    told = file.read() if file else b""
                elif member.isreg():
                    digests[name] = _write(tar, member, into / name)
                elif member.isdir():
                    (into / name).mkdir(mode=0o700)
                    folders.add(name)
                elif member.issym():
                    links[name] = _inside(name, member.linkname)
                else:
                    raise _Bad(f"{name!a} is neither a file nor a folder")
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise _Bad(f"it is damaged or cut short ({error})") from error
    if not told:
        raise _Bad("it is cut short, or no backup of kitsurvie")
    try:
        manifest = manifests.load(told)
    except ValueError as error:
        raise _Bad(str(error)) from error
    _compare(manifest, digests, links, folders)
    # last: no file was written through one
    for name, to in links.items():
        (into / name).symlink_to(to)
    return manifest


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    parts = path.parts
    odd = path.is_absolute() or ".." in parts or "\0" in name or str(path) != name.rstrip("/")
    ours = str(path) in (MANIFEST, LEDGER) or parts[:1] == (WORKSPACE,)
    if odd or not ours:
        raise _Bad(f"it holds a path that leads elsewhere: {name!a}")
    return str(path)


def _inside(name: str, to: str) -> str:
    """Where a link leads, when that is in the workspace."""
    target = os.path.normpath(PurePosixPath(name).parent / to)
    if to.startswith("/") or "\0" in to or PurePosixPath(target).parts[:1] != (WORKSPACE,):
        raise _Bad(f"it holds a link that leads elsewhere: {name!a}")
    return to


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> tuple[int, str]:
    state, size = hashlib.sha256(), 0
    source = tar.extractfile(member)
    if source is None or not path.parent.is_dir():
        raise _Bad(f"{member.name!a} is in no folder")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while part := source.read(_CHUNK):
            state.update(part)
            size += len(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return size, state.hexdigest()


def _compare(
    manifest: Manifest,
    digests: dict[str, tuple[int, str]],
    links: dict[str, str],
    folders: set[str],
) -> None:
    told = manifest.entries
    if set(told) != {*digests, *links, *folders}:
        raise _Bad("it does not hold what its manifest names")
    for name, entry in told.items():
        found = (
            name in folders if entry.folder
            else links.get(name) == entry.link if entry.link
            else digests.get(name) == (entry.size, entry.sha256)
        )  # fmt: skip
        if not found:
            raise _Bad(f"{name!a} is not what it was")


def _place_ledger(fresh: Path, root: Path) -> list[str]:
    """Put the copy of the ledger where the settings say it is."""
    copy = fresh / LEDGER
    place = workspace.load(fresh / WORKSPACE)
    if not copy.exists():
        return [
            "The backup holds no ledger: that is in a database of its own, with its own copies."
        ]
    scheme, _, name = place.ledger_url.partition(":///")
    path = Path(name)
    notes = []
    if not scheme.startswith("sqlite") or not path.is_relative_to(place.root):
        path = place.state / "ledger.sqlite"
        shown = root / path.relative_to(place.root)
        notes.append(f"`ledger` in kitsurvie.toml leads out of the workspace; it is in {shown}.")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy.rename(path)
    return notes


def _own(fresh: Path, manifest: Manifest) -> list[str]:
    """Give everything the rights it had; root gives it back to whom it belonged, too."""
    strangers: set[str] = set()
    ledger = manifest.entries.get(LEDGER)
    place = workspace.load(fresh / WORKSPACE)
    told = {fresh / name: entry for name, entry in manifest.entries.items() if name != LEDGER}
    if ledger is not None:
        name = Path(place.ledger_url.partition(":///")[2])
        path = name if name.is_relative_to(place.root) else place.state / "ledger.sqlite"
        told[path] = ledger
    # the deepest first: a folder may close behind us
    for path, entry in sorted(told.items(), key=lambda pair: -len(pair[0].parts)):
        if entry.link:
            continue
        strangers |= _give(path, entry)
        path.chmod(entry.mode)
    if not strangers or os.geteuid() != 0:
        return []
    return [f"Not on this machine, so its files are root's: {', '.join(sorted(strangers))}."]


def _make_shared(root: Path) -> None:
    """What a group's workspace has had since the backup was made: its units do not begin without.

    The group is that of the folder above, setgid; what is there already stays as it was.
    """
    place = workspace.load(root)
    if not workspace.is_shared(root) or not place.state.is_relative_to(place.root):
        return
    workspace.make_private(place.make_state() / REFUSED)
    for lock in (place.lock, place.ingest_lock):
        os.close(workspace.open_private(lock, os.O_RDWR | os.O_NOFOLLOW))


def _give(path: Path, entry: Entry) -> set[str]:
    strangers = set()
    owner = group = -1
    try:
        owner = pwd.getpwnam(entry.owner).pw_uid if os.geteuid() == 0 else -1
    except KeyError:
        strangers.add(entry.owner)
    try:
        group = grp.getgrnam(entry.group).gr_gid
    except KeyError:
        strangers.add(entry.group)
    with suppress(PermissionError):
        os.chown(path, owner, group)
    return strangers


def _swap(fresh: Path, root: Path) -> Path | None:
    """Give the new folder its place; gives where the one before is now."""
    before = None
    if root.exists() and any(root.iterdir()):
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        before = root.with_name(f"{root.name}.before-{stamp}")
        root.rename(before)
    try:
        fresh.rename(root)
    except BaseException:
        if before is not None:
            before.rename(root)
        raise
    return before
