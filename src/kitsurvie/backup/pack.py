"""Write the archive of a workspace: beside its name first, then under it."""

from __future__ import annotations

import grp
import hashlib
import io
import os
import pwd
import stat
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.backup.manifest import LEDGER, MANIFEST, NAME, WORKSPACE, Entry, Manifest
from kitsurvie.errors import WorkspaceError
from kitsurvie.workspace import Workspace

# made anew by the next command, or the business of a run that is over
_PASSING = frozenset({"cache", "runs", "inventory.lock"})
_NEVER = frozenset({".git", "__pycache__"})
_KEY_STARTS = (b"-----BEGIN ", b"PuTTY-User-Key-File")


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive that was written: where, its bytes, and what was left out of it on purpose."""

    path: Path
    size: int
    files: int
    keys_left_out: tuple[str, ...]


def pack(
    place: Workspace, into: Path, *, ledger: Path | None, with_keys: bool, made_by: str
) -> Packed:
    """Write a new archive of `place` in the folder `into`; `ledger` is a copy of its ledger.

    Private keys are left out unless `with_keys`. The file is readable by its owner alone and has
    its name once it is whole. Raises WorkspaceError; then nothing new is there.
    """
    now = time.time()
    target = into / time.strftime("kitsurvie-backup-%Y%m%dT%H%M%SZ.tar.gz", time.gmtime(now))
    part = into / f".{target.name}.{os.getpid()}"
    try:
        into.mkdir(mode=0o700, parents=True, exist_ok=True)
        if target.exists():
            raise FileExistsError(None, "a backup of this very second is there already", target)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            packer = _Packer(place, file, with_keys=with_keys)
            packer.write(ledger, now, made_by, apart=into)
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    except OSError as error:
        raise WorkspaceError(
            f"The backup cannot be made: {error.strerror or error}.",
            where=str(error.filename or into),
            remedy="Mend the rights or the space there, then again. The earlier backups are whole.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return Packed(target, target.stat().st_size, packer.files, tuple(packer.keys_left_out))


def rotate(folder: Path, keep: int) -> tuple[Path, ...]:
    """Delete the oldest backups of a folder beyond `keep`, and no other file; gives those gone."""
    found = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    gone = tuple(found[:-keep]) if keep < len(found) else ()
    for path in gone:
        path.unlink()
    return gone


class _Packer:
    def __init__(self, place: Workspace, file: io.BufferedWriter, *, with_keys: bool) -> None:
        self._place = place
        self._with_keys = with_keys
        self._tar = tarfile.open(fileobj=file, mode="w:gz", compresslevel=6)  # noqa: SIM115
        self._entries: dict[str, Entry] = {}
        self.files = 0
        self.keys_left_out: list[str] = []

    def write(self, ledger: Path | None, now: float, made_by: str, *, apart: Path) -> None:
        with self._tar:
            self._folder(self._place.root, WORKSPACE)
            for path, name in self._walk(self._place.root, apart.resolve()):
                with suppress(FileNotFoundError):  # it went while we looked
                    self._take(path, f"{WORKSPACE}/{name}")
            if ledger is not None:
                live = Path(self._place.ledger_url.partition(":///")[2])
                self._file(LEDGER, ledger.read_bytes(), live.stat())
            manifest = Manifest(now, made_by, self._entries).dump()
            self._add(MANIFEST, manifest, 0o600)

    def _walk(self, root: Path, apart: Path) -> Iterator[tuple[Path, str]]:
        """Everything below the root by its name there, but what is not to be kept."""
        for folder, folders, files in os.walk(root, onerror=_raise):
            here = Path(folder)
            state = here == self._place.state
            folders[:] = sorted(
                name
                for name in folders
                if name not in _NEVER
                and not (state and name in _PASSING)
                and (here / name).resolve() != apart
            )
            for name in [*folders, *sorted(files)]:
                path = here / name
                if not (state and (name in _PASSING or self._is_ledger(path))):
                    yield path, path.relative_to(root).as_posix()

    def _is_ledger(self, path: Path) -> bool:
        """The live database and the files that SQLite keeps beside it: the copy stands for them."""
        return path.name.startswith(Path(self._place.ledger_url.partition(":///")[2]).name or "\0")

    def _take(self, path: Path, name: str) -> None:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            self._link(path, name)
        elif stat.S_ISDIR(mode):
            self._folder(path, name)
        elif not stat.S_ISREG(mode):
            return  # a socket or a pipe is of a program that runs
        elif not self._with_keys and self._is_key(path):
            self.keys_left_out.append(path.relative_to(self._place.root).as_posix())
        else:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            with os.fdopen(descriptor, "rb") as file:
                self._file(name, file.read(), os.fstat(file.fileno()))

    def _is_key(self, path: Path) -> bool:
        # the observer's key belongs to another account, which is no hindrance to leave it out
        if path == self._place.observer_key:
            return True
        with path.open("rb") as file:
            head = file.readline(200)
        return head.startswith(_KEY_STARTS[1]) or (
            head.startswith(_KEY_STARTS[0]) and b"PRIVATE KEY-----" in head
        )

    def _link(self, path: Path, name: str) -> None:
        to = path.readlink()
        if to.is_absolute() or not path.resolve().is_relative_to(self._place.root):
            raise WorkspaceError(
                "A link leads out of the workspace, and a backup holds the workspace alone.",
                where=f"{path} -> {to}",
                remedy="Put what it leads to in the workspace, or take the link away.",
            )
        self._entries[name] = Entry(0o777, link=str(to))
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, str(to)
        self._tar.addfile(info)

    def _folder(self, path: Path, name: str) -> None:
        self._entries[name] = _entry(path.stat(), folder=True)
        info = tarfile.TarInfo(name)
        info.type, info.mode = tarfile.DIRTYPE, 0o700
        self._tar.addfile(info)

    def _file(self, name: str, content: bytes, about: os.stat_result) -> None:
        self.files += 1
        digest = hashlib.sha256(content).hexdigest()
        self._entries[name] = _entry(about, size=len(content), sha256=digest)
        self._add(name, content, about.st_mode & 0o777)

    def _add(self, name: str, content: bytes, mode: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), mode, int(time.time())
        self._tar.addfile(info, io.BytesIO(content))


def _entry(
    about: os.stat_result, *, folder: bool = False, size: int = 0, sha256: str = ""
) -> Entry:
    owner = group = ""
    with suppress(KeyError):
        owner = pwd.getpwuid(about.st_uid).pw_name
    with suppress(KeyError):
        group = grp.getgrgid(about.st_gid).gr_name
    mode = about.st_mode & (0o2777 if folder else 0o777)
    return Entry(mode, owner, group, size=size, sha256=sha256, folder=folder)


def _raise(error: OSError) -> None:
    raise error
