"""The named administrators to create, read from `accounts__administrators` and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kitsurvie.enroll.host_key import PublicKey, parse
from kitsurvie.errors import EnrolError

VARIABLE = "accounts__administrators"
_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")


@dataclass(frozen=True, slots=True)
class Administrator:
    """One person's account: its name and the public keys that open it.

    `adopt` says that an account of this name which a machine has already is that person's.
    """

    name: str
    keys: tuple[PublicKey, ...]
    adopt: bool = False


def from_variables(variables: Mapping[str, Any], *, where: str) -> tuple[Administrator, ...]:
    """The administrators that `variables` name. Raises EnrolError at the first fault.

    At least one is needed, each with at least one key, and root is nobody's name: an account
    that several people share cannot tell who did what.
    """
    entries = variables.get(VARIABLE)
    if not isinstance(entries, list) or not entries:
        raise EnrolError(
            f"No administrator is named for this machine: {VARIABLE} is empty.",
            where=where,
            remedy=f"In group_vars/all, write {VARIABLE}: a list of name and keys (public keys).",
        )
    found = tuple(_one(entry, where) for entry in entries)
    names = [administrator.name for administrator in found]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(f"The administrator {name} is named twice", where)
    return found


def acting(administrators: tuple[Administrator, ...], name: str) -> str:
    """Which of the administrators proves the way in and will deploy; the only one by default.

    Raises EnrolError when `name` is none of them, or when it is empty and there are several.
    """
    names = [administrator.name for administrator in administrators]
    if name in names:
        return name
    if not name and len(names) == 1:
        return names[0]
    if not name:
        raise EnrolError(
            f"Which administrator are you: {', '.join(names)}?",
            remedy="Say it with --as NAME, or set ansible_user in the inventory.",
        )
    raise EnrolError(
        f"{name} is not one of the administrators of this machine: {', '.join(names)}.",
        remedy=f"Add it to {VARIABLE} with a public key, or say who you are with --as NAME.",
    )


def check_name(name: str, where: str) -> str:
    """`name` when it can be an administrator's account. Raises EnrolError."""
    if not _NAME.fullmatch(name):
        raise _wrong(f"{name!r} cannot be the name of an account", where)
    if name == "root":
        raise _wrong("root cannot be a named administrator", where)
    return name


def _one(entry: object, where: str) -> Administrator:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
        raise _wrong(f"An administrator without a name: {entry!r}", where)
    name = check_name(entry["name"], where)
    lines = entry.get("keys")
    if not isinstance(lines, list) or not lines or not all(isinstance(k, str) for k in lines):
        raise _wrong(f"The administrator {name} has no key", where)
    keys: list[PublicKey] = []
    for text in lines:
        try:
            key = parse(text)
        except ValueError as error:
            raise _wrong(f"A key of the administrator {name} cannot be used: {error}", where) from (
                error
            )
        if key not in keys:
            keys.append(key)
    return Administrator(name, tuple(keys), adopt=entry.get("adopt") is True)


def _wrong(sentence: str, where: str) -> EnrolError:
    return EnrolError(
        f"{sentence}.",
        where=f"{where}, {VARIABLE}",
        remedy='Each entry is name: "admin1" (lower case, 32 characters at most: a-z 0-9 _ . -)'
        ' and keys: ["ssh-ed25519 AAAA..."], and may say adopt: true.',
    )
