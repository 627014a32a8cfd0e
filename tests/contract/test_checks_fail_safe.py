"""A check proves something: what could not be asked is never compliant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kitsurvie import judge, kit
from kitsurvie.model import Answer, Evidence, Status

ROLES = Path(__file__).parents[2] / "roles"
MEASURES = kit.load([ROLES])


class Everything(dict[str, Answer]):
    """The same answer to whatever is asked."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def get(self, command: str, default: object = None) -> Answer:  # type: ignore[override]
        return self.answer

    def __getitem__(self, command: str) -> Answer:
        return self.get(command)


DEAD = {
    "no command can be run": Answer(127, b"", b"sh: 1: not found\n"),
    "every command fails without a word": Answer(1, b"", b""),
}


@pytest.mark.parametrize("how", DEAD)
@pytest.mark.parametrize("name", MEASURES)
def test_a_machine_that_cannot_be_asked_is_never_compliant(name: str, how: str) -> None:
    measure = MEASURES[name]
    params: Mapping[str, object] = measure.defaults
    evidence = Evidence("srv", Everything(DEAD[how]))
    judged = judge.judge(judge.load(measure), {name: params}, evidence)
    assert not judged.missing
    assert [v.check for v in judged.verdicts if v.status is Status.COMPLIANT] == []
