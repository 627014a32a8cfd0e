"""The web configuration file of Prometheus's exporters: TLS, and who may ask.

Of its settings those that make sense here; any other is refused, since one that is not obeyed would
be thought to protect.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import ssl
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bcrypt
import yaml

from kitsurvie.errors import UsageError

_TLS = ("cert_file", "key_file")
_HASH = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}")
# 2^15 rounds take two seconds: whoever may not ask could keep a processor busy
_MOST_ROUNDS = 14
_REMEMBERED = 100
# what bcrypt looks at of a password
_MOST_BYTES = 72
_DOC = "See docs/how-to/exporter.md; the format is that of Prometheus's exporter-toolkit."


@dataclass(frozen=True, slots=True)
class WebConfig:
    """What a file says: TLS or None, and the bcrypt hash of each user; none: everybody may ask."""

    tls: ssl.SSLContext | None = None
    users: Mapping[str, bytes] = field(default_factory=dict)


def load(path: Path) -> WebConfig:
    """Read a web configuration. Raises UsageError with the setting that is wrong."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise _wrong(path, f"The web configuration cannot be read: {told}") from error
    if document is None:
        document = {}
    known = ("tls_server_config", "basic_auth_users")
    _keys(path, document, known, "The web configuration")
    tls = document.get("tls_server_config")
    users = document.get("basic_auth_users")
    return WebConfig(
        None if tls is None else _tls(path, tls), {} if users is None else _users(path, users)
    )


def _wrong(path: Path, what: str) -> UsageError:
    return UsageError(f"{what.rstrip('.')}.", where=str(path), remedy=_DOC)


def _keys(path: Path, said: Any, known: tuple[str, ...], what: str) -> None:
    if not isinstance(said, dict):
        raise _wrong(path, f"{what} is no mapping of settings")
    unknown = sorted(str(key) for key in said if key not in known)
    if unknown:
        raise _wrong(
            path, f"{what} has {', '.join(unknown)}, and only {', '.join(known)} are obeyed here"
        )


def _tls(path: Path, said: Any) -> ssl.SSLContext:
    _keys(path, said, _TLS, "tls_server_config")
    files: list[Path] = []
    for name in _TLS:
        value = said.get(name)
        if not isinstance(value, str) or not value:
            raise _wrong(path, f"tls_server_config has no {name}")
        files.append(path.parent / value)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files[0], files[1])
    except (OSError, ssl.SSLError) as error:
        raise _wrong(
            path,
            f"The certificate or its key cannot be used ({', '.join(map(str, files))}): {error}",
        ) from error
    return context


def _users(path: Path, said: Any) -> Mapping[str, bytes]:
    if not isinstance(said, dict) or not said:
        raise _wrong(path, "basic_auth_users names nobody")
    found = {}
    for user, value in said.items():
        good = isinstance(user, str) and user and ":" not in user and user.isprintable()
        match = _HASH.fullmatch(value) if isinstance(value, str) else None
        if not good or match is None:
            raise _wrong(path, f"basic_auth_users has no user with a bcrypt hash in {user!r}")
        if not 4 <= int(match[1]) <= _MOST_ROUNDS:
            raise _wrong(
                path,
                f"The hash of {user!r} has a cost of {match[1]}; 4 to {_MOST_ROUNDS} are taken",
            )
        found[user] = value.encode()
    return found


class Doorkeeper:
    """Knows who may ask. One password is hashed at a time, and what came of it is remembered."""

    def __init__(self, users: Mapping[str, bytes]) -> None:
        self._users = dict(users)
        # what is remembered says nothing outside this process
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, bool] = OrderedDict()
        self._lock = threading.Lock()
        self._hashing = threading.Lock()
        # whoever is unknown takes as long as whoever is not
        self._nobody = next(iter(self._users.values()), b"")

    @property
    def asks(self) -> bool:
        """Whether anybody is asked for a password at all."""
        return bool(self._users)

    def lets_in(self, user: str, password: str) -> bool:
        """Whether that is the password of that user."""
        said = f"{user}\0{password}".encode("utf-8", "surrogatepass")
        key = hmac.digest(self._key, said, hashlib.sha256)
        known = self._recall(key)
        if known is not None:
            return known
        # whoever guesses waits for the others who guess, and nobody whose password is known
        with self._hashing:
            known = self._recall(key)
            if known is None:
                known = self._compare(user, password)
                with self._lock:
                    self._known[key] = known
                    if len(self._known) > _REMEMBERED:
                        self._known.popitem(last=False)
        return known

    def _recall(self, key: bytes) -> bool | None:
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def _compare(self, user: str, password: str) -> bool:
        given = password.encode("utf-8", "surrogatepass")
        whole = len(given) <= _MOST_BYTES
        same = bcrypt.checkpw(given[:_MOST_BYTES], self._users.get(user, self._nobody))
        return same and whole and user in self._users
