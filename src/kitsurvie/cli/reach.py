"""How the hosts of a workspace are reached: by their pinned keys, within the workspace's limits."""

from __future__ import annotations

from collections.abc import Iterable

from kitsurvie.enroll import known_hosts
from kitsurvie.fleet.client import Limits, Target
from kitsurvie.model import Host
from kitsurvie.workspace import Workspace

MOST_BYTES = 16 * 1024 * 1024


def targets(workspace: Workspace, hosts: Iterable[Host]) -> list[Target]:
    """These hosts as whoever runs this reaches them. Raises what reading the pinned keys raises."""
    pinned = {
        name: tuple(str(key) for key in keys)
        for name, keys in known_hosts.read(workspace.known_hosts).items()
    }
    return [
        Target(
            name=host.name,
            address=host.address,
            port=host.port,
            user=host.user,
            key_file=host.key_file,
            host_keys=pinned.get(host.name, ()),
            jump=host.jump,
            site=host.site,
        )
        for host in hosts
    ]


def limits(workspace: Workspace) -> Limits:
    """The bounds of one look, as kitsurvie.toml has them."""
    return Limits(
        connect_s=workspace.connect_timeout_s,
        command_s=workspace.observe_timeout_s + 10,
        max_bytes=MOST_BYTES,
        parallel=workspace.parallel,
        parallel_per_site=workspace.parallel_per_site,
    )
