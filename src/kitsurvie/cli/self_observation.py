"""What a machine that observes itself is told to ask, and the key that it hands in with."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from typing import Any

from kitsurvie import kit
from kitsurvie.model import Answer, Host, Item, Mode, Profile

MEASURE = "self_observation"
FOLDER = "/var/lib/kitsurvie/self_observation"
# what the measure's own checks ask, so that every look brings the answers
LIST = f"sha256sum {FOLDER}/commands.json"
KEY = f"cat {FOLDER}/key.pub"
# how roles/self_observation is told the list
VARIABLE = "kitsurvie_own_commands"


def wanted(items: Iterable[Item]) -> bool:
    """Whether the machine is to observe itself: enforced, with a control node to hand in to."""
    return any(
        item.measure == MEASURE
        and item.mode is Mode.ENFORCE
        and bool(item.params.get("self_observation__server"))
        for item in items
    )


def declared(host: Host) -> bool:
    """Whether the inventory has the machine observe itself, whatever measures a run is about."""
    return (
        host.profile is not Profile.SERVER
        and bool(host.variables.get("self_observation__server"))
        and kit.mode_of(MEASURE, host.variables) is Mode.ENFORCE
    )


def content(commands: Iterable[str]) -> str:
    """The file that holds the list, to be read by people too."""
    return json.dumps(sorted(commands), indent=0, ensure_ascii=False) + "\n"


def told(commands: Iterable[str]) -> Mapping[str, Any]:
    """The variable of the role. Ansible reads braces in a variable as words of its own: base64."""
    return {VARIABLE: base64.b64encode(content(commands).encode()).decode()}


def key_of(answers: Mapping[str, Answer]) -> str:
    """The public key the machine hands in with; empty when it has none, or did not say."""
    answer = answers.get(KEY)
    if answer is None or answer.rc or answer.flaw:
        return ""
    return answer.stdout.decode("ascii", "replace")
