"""The commands learnt so far: what a look asks at once, without finding out again.

They run as root on hosts. In a workspace of one's own the ledger keeps them. In a shared one the
night's account writes to the ledger too, and what it could write there an administrator must not
run: each administrator believes a file of their own alone. An observer may believe the ledger, as
hosts answer it nothing that is not on their list.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress

from kitsurvie.ledger import Ledger
from kitsurvie.workspace import Workspace, is_shared, put_in_place


class Learnt:
    """What to ask of each class of hosts, and of one host besides; `believed`: by the ledger."""

    def __init__(self, workspace: Workspace, ledger: Ledger, *, believed: bool) -> None:
        self._ledger = ledger
        self._file = workspace.state / f"learnt-{os.geteuid()}.json"
        self._own = is_shared(workspace.root) and not believed
        self._known: dict[str, tuple[str, ...]] = {}
        self._new = False

    def read(self) -> dict[str, tuple[str, ...]]:
        """Every scope with its commands."""
        self._known = self._mine() if self._own else dict(self._ledger.learnt())
        return dict(self._known)

    def learn(self, scope: str, commands: Sequence[str]) -> None:
        """What a scope needs from now on."""
        self._known[scope] = tuple(commands)
        self._new = True
        self._ledger.learn(scope, commands)

    def keep(self) -> None:
        """Write one's own file, where there is one; without it the next look only takes longer."""
        if not (self._own and self._new):
            return
        with suppress(OSError):
            text = json.dumps(self._known, ensure_ascii=False)
            put_in_place(self._file, text.encode("utf-8", "surrogatepass"), 0o600)
            self._new = False

    def _mine(self) -> dict[str, tuple[str, ...]]:
        """What one's own file holds, when it is one's own: nobody else can make such a file."""
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, encoding="utf-8", errors="surrogatepass") as file:
                about = os.fstat(descriptor)
                if about.st_uid != os.geteuid() or about.st_mode & 0o022 or about.st_nlink != 1:
                    return {}
                return {str(scope): tuple(commands) for scope, commands in json.load(file).items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}
