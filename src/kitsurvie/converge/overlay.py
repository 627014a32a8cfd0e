"""The inventory laid over the syndicate's own: one group per due measure, stamps, the road."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# one connection for all the tasks of a run
_KEPT_OPEN = ("-C", "-o", "ControlMaster=auto", "-o", "ControlPersist=60s")


def write_overlay(
    path: Path,
    due: Mapping[str, Sequence[str]],
    stamps: Mapping[str, Mapping[str, str]],
    roads: Mapping[str, Sequence[str]],
    absent: Mapping[str, Sequence[str]] | None = None,
    variables: Mapping[str, Any] | None = None,
    own: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write what Ansible is told beside the syndicate's inventory, as JSON, which it reads as YAML.

    `due` maps a measure to host names (the groups `due_<measure>`), `absent` likewise where it is
    to be taken away (the groups `absent_<measure>`), `stamps` a host to {measure: digest}, `roads`
    a host to the words of ssh that pin its key: they come before any other. `variables` are given
    to every host, `own` maps a host to those that it alone is given.
    """
    groups = {f"due_{measure}": hosts for measure, hosts in due.items()}
    groups |= {f"absent_{measure}": hosts for measure, hosts in (absent or {}).items()}
    document = {
        "all": {
            "hosts": {
                host: {
                    **(variables or {}),
                    **(own or {}).get(host, {}),
                    "kitsurvie_stamps": dict(measures),
                    "kitsurvie_road": shlex.join(roads[host]),
                    "ansible_ssh_args": shlex.join([*roads[host], *_KEPT_OPEN]),
                }
                for host, measures in stamps.items()
            },
            "children": {group: {"hosts": dict.fromkeys(hosts)} for group, hosts in groups.items()},
        }
    }
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
