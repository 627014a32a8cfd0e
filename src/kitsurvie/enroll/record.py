"""Write an enrolment in the workspace: both the pinned keys and the inventory, or neither."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.host_key import PublicKey


def record(
    path: Path,
    name: str,
    keys: Iterable[PublicKey],
    *,
    replace: bool,
    add_to_inventory: Callable[[], None],
) -> None:
    """Pin `keys` under `name`, then call `add_to_inventory`; if that fails the pins are put back.

    The pins go first: a host that is in the inventory without a pinned key would be refused by
    every command, a pinned key without a host harms nobody.
    """
    before = known_hosts.pin(path, name, keys, replace=replace)
    try:
        add_to_inventory()
    except BaseException:
        known_hosts.pin(path, name, before, replace=True)
        raise
