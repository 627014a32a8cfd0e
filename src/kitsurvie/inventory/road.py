"""How OpenSSH must be told to reach a host, so that Ansible comes by the road that was proved.

In ssh the first value of an option wins: these words go first, and nothing a person keeps in
`~/.ssh/config` or in the inventory's other SSH variables can have another key believed.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from kitsurvie.inventory import names
from kitsurvie.model import Host


def options(host: Host, known_hosts: Path) -> list[str]:
    """The words of ssh: its own settings only, the pinned keys, the jump host if there is one."""
    words = ["-F", "none", *_pinned(known_hosts, host.name)]
    jump = names.jump(host.jump)
    if jump is None:
        words += ["-o", "ProxyCommand=none"]
    else:
        proxy = [
            *("ssh", "-F", "none", "-o", "BatchMode=yes", *_pinned(known_hosts, jump.key_name)),
            *(("-i", host.key_file, "-o", "IdentitiesOnly=yes") if host.key_file else ()),
            *("-p", str(jump.port), "-l", jump.user, "-W"),
        ]
        # ssh fills in %h and %p before a shell reads the line
        line = " ".join(shlex.quote(word).replace("%", "%%") for word in proxy)
        words += ["-o", f"ProxyCommand={line} [%h]:%p {jump.address}"]
    return words


def _pinned(known_hosts: Path, name: str) -> list[str]:
    settings = {
        "StrictHostKeyChecking": "yes",
        "HostKeyAlias": name,
        "UserKnownHostsFile": f'"{known_hosts}"'.replace("%", "%%"),
        "GlobalKnownHostsFile": "/dev/null",
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
