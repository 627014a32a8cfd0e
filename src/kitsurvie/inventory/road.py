"""The words of OpenSSH for the road to a host: its pinned key, and the jump host if there is one.

Whoever calls ssh (enrolment, the fleet's proxies, Ansible) takes them from here. In ssh the first
value of an option wins: these words go first, and nothing a person keeps in `~/.ssh/config` or in
the inventory's other SSH variables can have another key believed.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from kitsurvie.inventory import names
from kitsurvie.model import Host


def options(host: Host, known_hosts: Path) -> list[str]:
    """For an ssh to this host: no settings but these, its key under its name, its jump host."""
    words = ["-F", "none", *pinned(known_hosts, host.name)]
    jump = names.jump(host.jump)
    if jump is None:
        return [*words, "-o", "ProxyCommand=none"]
    proxy = through(jump, known_hosts, host.address, host.port, key_file=host.key_file)
    return [*words, "-o", f"ProxyCommand={one_word(proxy)}"]


def through(
    jump: names.Jump,
    known_hosts: Path | str,
    address: str,
    port: int,
    *,
    key_file: Path | str | None,
    connect_s: float | None = None,
    log_level: str = "ERROR",
) -> list[str]:
    """The ssh that carries a connection to `address` through a jump host, and never asks.

    `key_file` opens the jump host (None: the agent does), `connect_s` bounds the way to it in
    seconds.
    """
    limit = ["-o", f"ConnectTimeout={max(1, round(connect_s))}"] if connect_s is not None else []
    key = ["-i", str(key_file), "-o", "IdentitiesOnly=yes"] if key_file else []
    return [
        *("ssh", "-F", "none", "-T", "-o", "BatchMode=yes", "-o", f"LogLevel={log_level}"),
        *pinned(known_hosts, jump.key_name),
        *("-o", "ClearAllForwardings=no"),
        *limit,
        *key,
        *("-p", str(jump.port), "-l", jump.user, "-W", f"[{address}]:{port}", "--", jump.address),
    ]


def pinned(known_hosts: Path | str, name: str) -> list[str]:
    """Only the keys pinned under this name are believed; a new one is never learnt."""
    return [
        *("-o", "StrictHostKeyChecking=yes", "-o", f"HostKeyAlias={name}"),
        # quoted, as ssh parts it at spaces, and it fills in what follows a %
        *("-o", 'UserKnownHostsFile="{}"'.format(str(known_hosts).replace("%", "%%"))),
        *("-o", "GlobalKnownHostsFile=/dev/null"),
    ]


def one_word(command: list[str]) -> str:
    """A command as a ProxyCommand: ssh fills in each % of it, then a shell reads it."""
    return shlex.join(command).replace("%", "%%")
