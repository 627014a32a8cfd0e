"""Which hosts have a host key pinned in the workspace's known_hosts."""

from __future__ import annotations

from kitsurvie.errors import InventoryError
from kitsurvie.workspace import Workspace


def pinned(workspace: Workspace) -> frozenset[str]:
    """The names that stand in known_hosts; none when the file does not exist.

    Raises InventoryError when it exists and cannot be read.
    """
    try:
        lines = workspace.known_hosts.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return frozenset()
    except OSError as error:
        raise InventoryError(
            f"The pinned host keys cannot be read: {error.strerror}.",
            where=str(workspace.known_hosts),
            remedy="Mend the rights of that file.",
        ) from error
    entries = (line.split() for line in lines)
    # a line that begins with @revoked pins nothing
    names = (words[0] for words in entries if words and words[0][0] not in "#@")
    return frozenset(name for together in names for name in together.split(","))
