"""The identity that may only look, and the list of what each host lets it ask.

A list is made of what the checks asked of the hosts of one class while this run looked as an
administrator; nothing is taken from what was written down before. It goes to the host as digests.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

from kitsurvie.cli import self_observation
from kitsurvie.errors import WorkspaceError
from kitsurvie.fleet.client import Target
from kitsurvie.ledger import Ledger
from kitsurvie.model import Answer
from kitsurvie.observe.request import OBSERVER
from kitsurvie.workspace import Workspace

MEASURE = "observer"
# what the measure's own check asks, so that every look brings the answer
LIST = "sha256sum /var/lib/kitsurvie/observer/commands"


def key_of(place: Workspace) -> Path:
    """The observer's private key. Raises WorkspaceError when there is none that can be used."""
    if place.observer_key is None:
        raise WorkspaceError(
            "No observer's key is set for this workspace.",
            where=str(place.root / "kitsurvie.toml"),
            remedy='Make one (ssh-keygen -t ed25519 -N "" -f keys/observer), write observer_key = '
            '"keys/observer" there and its public part into observer__keys, then deploy.',
        )
    if not os.access(place.observer_key, os.R_OK):
        raise WorkspaceError(
            "The observer's key cannot be read.",
            where=str(place.observer_key),
            remedy="It belongs to the account of the night: run this as that account (sudo -u).",
        )
    return place.observer_key


def as_observer(target: Target, key: Path) -> Target:
    """The same host, reached under the account that may only look, through its jump host too."""
    jump = target.jump and f"{OBSERVER}@{target.jump.rpartition('@')[2]}"
    return replace(target, user=OBSERVER, key_file=str(key), jump=jump)


def listed(answers: Mapping[str, Answer], command: str = LIST) -> str:
    """The digest of the list that the host has; empty when it has none, or did not say."""
    answer = answers.get(command)
    if answer is None or answer.rc or answer.flaw:
        return ""
    return answer.stdout.decode("ascii", "replace").split(" ")[0]


@cache
def _digest(command: str) -> str:
    return sha256(command.encode("utf-8", "surrogatepass")).hexdigest()


class Lists:
    """What was asked of each host in this run, and the list that it should have therefore."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, frozenset[str]] | None = None
        self._sets: dict[frozenset[str], frozenset[str]] = {}
        self._classes: dict[str, set[str]] = {}
        self._texts: dict[str, str] = {}
        self._hosts: dict[str, tuple[str, frozenset[str]]] = {}

    def asked(self, host: str, kind: str, commands: Iterable[str]) -> None:
        """Take what the checks have just asked of a host of that class."""
        texts = {_digest(command): command for command in commands}
        self._texts |= texts
        digests = frozenset(texts)
        # most hosts of a class are asked the same: one set for all of them
        self._hosts[host] = (kind, self._sets.setdefault(digests, digests))
        self._classes.setdefault(kind, set()).update(digests)

    def old(self, host: str, found: str) -> bool:
        """Whether the list of that digest lacks something that was asked of the host."""
        if host not in self._hosts:
            return False
        if self._known is None:
            learnt = self._ledger.learnt().items()
            self._known = {s: frozenset(c) for s, c in learnt if s.startswith("list:")}
        return not self._hosts[host][1] <= self._known.get(f"list:{found}", frozenset())

    def of(self, host: str) -> tuple[str, ...]:
        """The list for a host: what was asked of any of its class, one digest a command.

        It is remembered under its own digest, so that a later run knows what the host has.
        """
        digests = self._of_class(host)
        self._remember("".join(f"{digest}\n" for digest in digests), digests)
        return digests

    def commands_of(self, host: str) -> tuple[str, ...]:
        """The same list as `of`, as the commands themselves: for a host that observes itself."""
        digests = self._of_class(host)
        commands = tuple(self._texts[digest] for digest in digests)
        self._remember(self_observation.content(commands), digests)
        return commands

    def _of_class(self, host: str) -> tuple[str, ...]:
        kind, _ = self._hosts[host]
        return tuple(sorted(self._classes[kind]))

    def _remember(self, file: str, digests: tuple[str, ...]) -> None:
        """What a file with that content holds, by its digest: the ledger knows it in later runs."""
        scope = f"list:{sha256(file.encode('utf-8', 'surrogatepass')).hexdigest()}"
        if self._known is None or scope not in self._known:
            self._ledger.learn(scope, digests)
        if self._known is not None:
            self._known[scope] = frozenset(digests)
