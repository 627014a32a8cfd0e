"""Logins become keyed pseudonyms before anything else sees them.

One person is one pseudonym in every export: the domain, the case and the accents of a login make no
difference. The key is a file outside the ledger: whoever has the ledger alone cannot try logins.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from collections.abc import Collection
from pathlib import Path

from kitsurvie.assets.folding import fold, plain
from kitsurvie.errors import WorkspaceError
from kitsurvie.workspace import make_private, private_mode

PATTERN = re.compile(r"p-[0-9a-f]{32}")
# what stands for an account that is nobody's use, where a cell must not be empty
NOBODY = "nobody"

_KEY = re.compile(r"[0-9a-f]{64}\n?")
_CACHED = 1 << 16
_SEVERAL = re.compile(r"[,;|\r\n\t/]|<br ?/?>")
# accounts of the system, in the languages it is installed in
_SYSTEM = frozenset(
    {
        *("root", "system", "systeme", "nobody", "none", "null", "unknown", "inconnu", "n a"),
        *("local service", "service local", "network service", "service reseau", "krbtgt"),
        *("defaultaccount", "wdagutilityaccount", "guest", "invite", "trustedinstaller"),
        *(
            "wtmp",
            "utmp",
            "reboot",
            "shutdown",
            "lightdm",
            "gdm",
            "sddm",
            "www data",
            "nt authority",
            "autorite nt",
            "anonymous logon",
        ),
    }
)
_ADMINISTRATOR = re.compile(r"(?:local)?admin(?:istrat(?:eu|o)r)?(?:local)?[0-9]*|adm[0-9]*")
_SERVICE = frozenset(
    {
        *("svc", "sysadmin", "support", "helpdesk", "deploy", "deploiement", "glpi", "ocs", "sccm"),
        *("wsus", "supervision", "sauvegarde", "backup", "telemaintenance", "fusioninventory"),
    }
)


class Pseudonyms:
    """Gives the pseudonym of a login. `nobody` are more logins that are nobody's use.

    What was read is remembered for a while, in memory only.
    """

    def __init__(self, key: bytes, nobody: Collection[str] = ()) -> None:
        self._key = key
        self._nobody = frozenset(_compared(_account(name)) for name in nobody) - {""}
        self._known: dict[str, str] = {}

    def of(self, login: str) -> str:
        """`p-` and 32 hexadecimal digits; empty for an account that is nobody's use.

        Several logins in one cell name nobody either, unless they are one person. A pseudonym is
        its own: a refused record that was mended comes back with it.
        """
        known = self._known.get(login)
        if known is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            known = self._known[login] = self._of(login)
        return known

    def _of(self, login: str) -> str:
        if PATTERN.fullmatch(login.strip()):
            return login.strip()
        people = {name for part in _SEVERAL.split(login) if (name := self._person(part))}
        if len(people) != 1:
            return ""
        digest = hmac.digest(self._key, people.pop().encode("utf-8", "replace"), "sha256")
        return f"p-{digest.hex()[:32]}"

    def _person(self, login: str) -> str:
        """The login as it is compared, empty for nobody's."""
        account = _account(login)
        if account.endswith("$"):  # a machine's own
            return ""
        name = fold(account)
        words = name.split()
        if (
            _compared(account) in self._nobody
            or name in _SYSTEM
            or re.fullmatch(r"defaultuser[0-9]*", name)
        ):
            return ""
        if any(_ADMINISTRATOR.fullmatch(word) or word in _SERVICE for word in words):
            return ""
        return plain(account)


def _compared(account: str) -> str:
    """As the logins that are nobody's are compared; what has no Latin letter is as it stands."""
    return fold(account) or plain(account)


def _account(login: str) -> str:
    r"""The login without the domain: `DOMAIN\user`, `user@domain` and `user` are one."""
    return login.strip().rpartition("\\")[2].partition("@")[0].strip()


def read_key(path: Path) -> bytes:
    """The 32 bytes of the key; it is made when there is none, whole or not at all.

    For its owner alone, or for the group in a workspace that is a group's. Raises WorkspaceError
    when others can read it, or it is no key.
    """
    try:
        if not os.path.lexists(path):
            _make(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            told = os.fstat(descriptor)
            allowed = private_mode(path.parent)
            if not stat.S_ISREG(told.st_mode):
                raise _refused(path, "is no file", "Move it away; a new one is made.")
            if stat.S_IMODE(told.st_mode) & ~allowed:
                raise _refused(
                    path,
                    "can be read by others",
                    f"Whoever read it can tell who is who. chmod {allowed:o} it, and if somebody "
                    "may have read it, import into a new ledger with a new key.",
                )
            text = file.read(100).decode("ascii", "replace")
    except OSError as error:
        raise _refused(
            path, f"cannot be read or made: {error.strerror}", "Mend the rights of its folder."
        ) from error
    if not _KEY.fullmatch(text):
        raise _refused(
            path,
            "is not 64 hexadecimal digits",
            "Restore it from the backup; with another key everybody gets a new pseudonym.",
        )
    return bytes.fromhex(text.strip())


def _refused(path: Path, what: str, remedy: str) -> WorkspaceError:
    return WorkspaceError(f"The key of the pseudonyms {what}.", where=str(path), remedy=remedy)


def _make(path: Path) -> None:
    make_private(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fchmod(descriptor, private_mode(path.parent))
            os.fsync(descriptor)
        try:
            os.link(temporary, path)
        except FileExistsError:  # somebody was faster: theirs is the key
            return
    finally:
        temporary.unlink(missing_ok=True)
