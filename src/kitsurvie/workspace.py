"""Find the workspace of a syndicate and read its `kitsurvie.toml`.

A workspace is a folder with `kitsurvie.toml` and an Ansible inventory. The kit itself (roles,
playbooks, monitoring) travels inside the package; a workspace may add measures of its own under
`roles/` (a role there with the same name as one of the kit replaces it), with the `playbooks/` that
apply them.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from kitsurvie.errors import WorkspaceError

CONFIG_NAME = "kitsurvie.toml"
# below the state: what was handed in and refused
REFUSED = "refused"


def shipped(name: str) -> Path:
    """The folder `name` (inventory, playbooks, roles, monitoring) that travels with the package."""
    return Path(str(resources.files("kitsurvie") / "data" / name)).resolve()


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where everything of one syndicate lives. All paths are absolute.

    `ledger_url` is an SQLAlchemy URL. `connect_timeout_s` bounds the TCP and SSH handshakes of one
    host, `observe_timeout_s` the whole of one host's observation. `parallel` is how many hosts are
    talked to at once, `parallel_per_site` how many behind one jump host. A waiver ends at most
    `waiver_days` from today, an attestation `attestation_days` after it was made; a machine that
    was not seen for more than `unseen_days` is named for it. A prune keeps verdicts for
    `verdicts_days` and evidence for `evidence_days`; a measure that drifted `recurrent_times` times
    on one host within `recurrent_days` is said to drift again and again. `observer_key` is the
    private key of the account that may only look, None where there is none; `spool` is where
    machines that observe themselves hand in. `nobody` are logins that mean no person (a kiosk, a
    service), `syndicate` the SIREN of whoever runs kitsurvie, `dpo` the name and address of its
    data protection officer; both empty where nobody wrote them. `health_*` are the limits of
    `kitsurvie assets health`: days, years, kinds of machine, systems.
    """

    root: Path
    inventory: Path
    state: Path
    ledger_url: str
    roles: tuple[Path, ...]
    playbooks: Path
    connect_timeout_s: float
    observe_timeout_s: float
    parallel: int
    parallel_per_site: int
    waiver_days: int = 366
    attestation_days: int = 1096
    unseen_days: int = 30
    verdicts_days: int = 400
    evidence_days: int = 90
    recurrent_times: int = 3
    recurrent_days: int = 30
    observer_key: Path | None = None
    spool: Path = Path("/var/lib/kitsurvie-spool")
    nobody: tuple[str, ...] = ()
    syndicate: str = ""
    dpo: str = ""
    health_stale_days: int = 90
    health_years: int = 7
    health_encrypted: tuple[str, ...] = ("laptop", "tablet")
    health_extended: tuple[str, ...] = ()

    @property
    def spool_keys(self) -> Path:
        """The public keys that machines hand in with, `HOST.pub` each."""
        return self.root / "spool_keys"

    @property
    def known_hosts(self) -> Path:
        """Pinned host keys, one line per host and key, under inventory names (not addresses)."""
        return self.inventory / "known_hosts"

    def make_state(self) -> Path:
        """The folder of the ledger, locks and caches, which only its owner may read.

        Its group too, where the workspace is a group's. Raises OSError when it cannot be made.
        """
        make_private(self.state)
        shared, told = is_shared(self.root), self.state.stat()
        if told.st_mode & (0o007 if shared else 0o077) and told.st_uid == os.geteuid():
            self.state.chmod(0o2770 if shared else 0o700)
        return self.state

    @property
    def lock(self) -> Path:
        """The file whose lock one run at a time holds."""
        return self.state / "run.lock"

    @property
    def ingest_lock(self) -> Path:
        """The file whose lock one ingest at a time holds; it goes on beside a run."""
        return self.state / "ingest.lock"


def is_shared(folder: Path) -> bool:
    """Whether a group works in a folder: setgid, and writable by that group."""
    wanted = stat.S_ISGID | stat.S_IWGRP
    return folder.stat().st_mode & wanted == wanted


def private_mode(folder: Path) -> int:
    """The rights of a new file there that nobody else may read: its owner's, or the group's."""
    return 0o660 if is_shared(folder) else 0o600


def make_private(folder: Path) -> None:
    """Make a folder and those above it, each for its owner alone, or its group in a shared one.

    Whatever the umask of whoever comes first: the colleague must be able to go on.
    """
    if folder.exists():
        return
    make_private(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_shared(folder.parent):
        folder.chmod(0o2770)


def open_private(path: Path, flags: int) -> int:
    """Open a file, made with `private_mode` if it is new; gives its descriptor."""
    flags |= os.O_CLOEXEC
    if not path.exists():
        with suppress(FileExistsError):  # somebody was faster
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            os.fchmod(descriptor, private_mode(path.parent))
            return descriptor
    return os.open(path, flags)


def put_in_place(path: Path, content: bytes, mode: int) -> None:
    """Write a file beside its place, to the disk, then put it there: whole, or as it was.

    Its temporary name begins with a dot. Raises OSError; then nothing of it is left.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    with suppress(OSError):
        # some file systems cannot put a folder to the disk; the file is there all the same
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def find(start: Path | None = None) -> Workspace:
    """The workspace given, or that of `$KITSURVIE_WORKSPACE`, this folder or one above it.

    Raises WorkspaceError when there is none or its configuration is not usable.
    """
    named = start or (
        Path(os.environ["KITSURVIE_WORKSPACE"]) if os.environ.get("KITSURVIE_WORKSPACE") else None
    )
    if named is not None:
        if not (named / CONFIG_NAME).is_file():
            raise WorkspaceError(
                f"There is no {CONFIG_NAME} in {named}.",
                remedy="Name a workspace with --workspace, or make one: kitsurvie init DIR",
            )
        return load(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONFIG_NAME).is_file():
            return load(folder)
    raise WorkspaceError(
        f"This folder is not in a kitsurvie workspace: no {CONFIG_NAME} here or above.",
        where=str(here),
        remedy="Make one with: kitsurvie init DIR  (or name one with --workspace).",
    )


_DEFAULTS: dict[str, object] = {
    "inventory": "inventory",
    "state": ".kitsurvie",
    "ledger": "",
    "spool": "/var/lib/kitsurvie-spool",
    "observer_key": "",
    "connect_timeout_s": 10,
    "observe_timeout_s": 120,
    "parallel": 50,
    "parallel_per_site": 4,
    "waiver_days": 366,
    "attestation_days": 1096,
    "unseen_days": 30,
    "verdicts_days": 400,
    "evidence_days": 90,
    "recurrent_times": 3,
    "recurrent_days": 30,
    "nobody": [],
    "syndicate": "",
    "dpo": "",
    "health_stale_days": 90,
    "health_years": 7,
    "health_encrypted": ["laptop", "tablet"],
    "health_extended": [],
}
# a login, an address: anything longer was not meant
_LONGEST = 200
_SIREN = re.compile(r"[0-9]{9}")


def load(root: Path) -> Workspace:
    """Read `root/kitsurvie.toml`. Unknown settings are refused: a typo must not pass unseen."""
    root = root.resolve()
    config = root / CONFIG_NAME
    try:
        document = tomllib.loads(config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise WorkspaceError(
            f"{CONFIG_NAME} cannot be read: {error}.",
            where=str(config),
            remedy="Mend that line, or compare with the one that kitsurvie init writes.",
        ) from error
    unknown = sorted(set(document) - set(_DEFAULTS))
    if unknown:
        raise WorkspaceError(
            f"{CONFIG_NAME} has a setting kitsurvie does not know: {', '.join(unknown)}.",
            where=str(config),
            remedy=f"The settings are: {', '.join(sorted(_DEFAULTS))}.",
        )
    settings = {**_DEFAULTS, **document}
    for name, default in _DEFAULTS.items():
        value = settings[name]
        if isinstance(default, int):
            # a part of a second is no time for a handshake, a part of a host no host
            good = isinstance(value, int) and not isinstance(value, bool) and value > 0
            wanted = "a whole number above zero"
        elif isinstance(default, list):
            good = isinstance(value, list) and all(map(_is_name, value))
            wanted = "a list of texts, each on one line"
        elif name == "syndicate":
            good = isinstance(value, str) and (not value or bool(_SIREN.fullmatch(value)))
            wanted = "a SIREN, nine digits between quotes"
        else:
            good, wanted = isinstance(value, str), "a text"
        if not good:
            raise WorkspaceError(
                f"The setting {name} must be {wanted}, not {value!r}.",
                where=str(config),
                remedy="Mend it, or take it out to have the default.",
            )
    state = root / str(settings["state"])
    own_roles = root / "roles"
    own_playbooks = root / "playbooks"
    return Workspace(
        root=root,
        inventory=root / str(settings["inventory"]),
        state=state,
        ledger_url=_ledger(root, state, str(settings["ledger"])),
        roles=(*((own_roles,) if own_roles.is_dir() else ()), shipped("roles")),
        playbooks=own_playbooks if own_playbooks.is_dir() else shipped("playbooks"),
        connect_timeout_s=float(str(settings["connect_timeout_s"])),
        observe_timeout_s=float(str(settings["observe_timeout_s"])),
        parallel=int(str(settings["parallel"])),
        parallel_per_site=int(str(settings["parallel_per_site"])),
        waiver_days=int(str(settings["waiver_days"])),
        attestation_days=int(str(settings["attestation_days"])),
        unseen_days=int(str(settings["unseen_days"])),
        verdicts_days=int(str(settings["verdicts_days"])),
        evidence_days=int(str(settings["evidence_days"])),
        recurrent_times=int(str(settings["recurrent_times"])),
        recurrent_days=int(str(settings["recurrent_days"])),
        health_stale_days=int(str(settings["health_stale_days"])),
        health_years=int(str(settings["health_years"])),
        health_encrypted=_names(settings["health_encrypted"]),
        health_extended=_names(settings["health_extended"]),
        spool=root / str(settings["spool"]),
        observer_key=root / str(settings["observer_key"]) if settings["observer_key"] else None,
        nobody=_names(settings["nobody"]),
        syndicate=str(settings["syndicate"]),
        dpo=" ".join(str(settings["dpo"]).split()),
    )


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(value.strip())
        and value.isprintable()
        and len(value) <= _LONGEST
    )


def _names(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, value))) if isinstance(value, list) else ()


def _ledger(root: Path, state: Path, url: str) -> str:
    """The ledger's address; a relative file of SQLite stands in the workspace, wherever one is."""
    if not url:
        return f"sqlite:///{state / 'ledger.sqlite'}"
    kind, scheme, place = url.partition(":///")
    if kind.partition("+")[0] != "sqlite" or not scheme or not place:
        return url
    return url if place.startswith(("/", ":memory:", "file:")) else f"{kind}:///{root / place}"
