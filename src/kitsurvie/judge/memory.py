"""Verdicts already reached: a check that reads the same answers says the same again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitsurvie.judge.checks import Check
from kitsurvie.model import Answer, Verdict

# a command that every host answers in its own way is not worth remembering further
MOST_ANSWERS = 32

Key = tuple[str, str, str]


@dataclass(slots=True)
class _Step:
    """What a check asks next, and where each answer known so far leads."""

    command: str
    after: dict[Answer, _Step | Verdict] = field(default_factory=dict)


class Memory:
    """The verdicts of one process, found again by the answers they were read from.

    A check is a pure function of its parameters and of what the host answers: with the same
    parameters it asks the same first command, and each answer decides what it asks next.
    """

    def __init__(self) -> None:
        self._first: dict[Key, _Step | Verdict] = {}

    @staticmethod
    def key(check: Check, params: str) -> Key:
        """What tells a check with these parameters (as `canonical` gives them) from any other."""
        return check.measure, f"{check.name} {sorted(check.arguments.items())!r}", params

    @staticmethod
    def canonical(params: Mapping[str, Any]) -> str:
        """Equal parameters, equal text."""
        return json.dumps(params, sort_keys=True)

    def recall(self, key: Key, answers: Mapping[str, Answer]) -> Verdict | None:
        """The verdict these answers gave before; None when they never all came together."""
        step = self._first.get(key)
        while isinstance(step, _Step):
            answer = answers.get(step.command)
            step = None if answer is None else step.after.get(answer)
        return step

    def keep(
        self, key: Key, read: Sequence[str], answers: Mapping[str, Answer], verdict: Verdict
    ) -> None:
        """Remember the verdict of a check that read these commands, in this order."""
        if not read:
            self._first[key] = verdict
            return
        step = self._first.setdefault(key, _Step(read[0]))
        for number, command in enumerate(read, 1):
            # a check that does not ask what it asked before is not pure: it is judged each time
            if not isinstance(step, _Step) or step.command != command:
                return
            answer = answers[command]
            if answer not in step.after:
                if len(step.after) >= MOST_ANSWERS:
                    return
                step.after[answer] = verdict if number == len(read) else _Step(read[number])
            step = step.after[answer]
