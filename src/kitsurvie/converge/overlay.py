"""The inventory laid over the syndicate's own: one group per due measure, and the stamps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_overlay(
    path: Path, due: Mapping[str, Sequence[str]], stamps: Mapping[str, Mapping[str, str]]
) -> None:
    """Write `due_<measure>` groups and each host's `kitsurvie_stamps` as an Ansible inventory.

    `due` maps a measure to host names, `stamps` a host to {measure: digest}. JSON, which Ansible
    reads as YAML: nothing in it is ever a template.
    """
    document = {
        "all": {
            "hosts": {
                host: {"kitsurvie_stamps": dict(measures)} for host, measures in stamps.items()
            },
            "children": {
                f"due_{measure}": {"hosts": dict.fromkeys(hosts)} for measure, hosts in due.items()
            },
        }
    }
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")
