"""The life of a machine, as people recorded it: taken back, lent, discarded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

_STOCK = re.compile(
    r"(?<!hors )(?<!out of )\bstock\b|ready to deploy|prêt à (?:déployer|être déployé)",
    re.IGNORECASE,
)


class State(StrEnum):
    """Where a machine stands; nothing is recorded of one in service."""

    IN_SERVICE = "in_service"
    STOCK = "stock"
    LENT = "lent"
    DISCARDED = "discarded"


_AFTER = {"return": State.STOCK, "loan": State.LENT}
KINDS = (*_AFTER, "discard")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was recorded of a machine: its number, by whom, what, and of which day."""

    id: int
    by_whom: str
    kind: str
    day: date
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Life:
    """Where a machine stands, since when, and its story.

    `owner` is the SIREN that somebody said, empty where nobody did.
    """

    steps: tuple[Step, ...] = ()

    @property
    def last(self) -> Step | None:
        """The step that says where it stands."""
        return self.steps[-1] if self.steps else None

    @property
    def discard(self) -> Step | None:
        """The last word on its being discarded, None while it is not."""
        return next((step for step in reversed(self.steps) if step.kind == "discard"), None)

    @property
    def open_loan(self) -> Step | None:
        """The loan that it is not known to be back from, though it may have been discarded since.

        A table may say of a machine that somebody has that it was discarded.
        """
        moved = [step for step in self.steps if step.kind in _AFTER]
        return moved[-1] if moved and moved[-1].kind == "loan" else None

    @property
    def state(self) -> State:
        """Where it stands: what was discarded stays so until that is taken back."""
        if self.discard is not None:
            return State.DISCARDED
        return _AFTER[self.steps[-1].kind] if self.steps else State.IN_SERVICE

    @property
    def owner(self) -> str:
        """Whose it is, as was said last."""
        said = (step.data.get("owner", "") for step in reversed(self.steps))
        return next((one for one in said if one), "")


def life(steps: Iterable[Step]) -> Life:
    """The life that these steps make, in the order of their days, then of their numbers."""
    return Life(tuple(sorted(steps, key=lambda step: (step.day, step.id))))


def is_in_stock(status: str) -> bool:
    """Whether a register's own word for a machine is that it is in stock."""
    return bool(_STOCK.search(status))


def over(lives: Iterable[Life], before: date) -> tuple[int, ...]:
    """The numbers of the loans that ended before a day: nobody need know any more to whom."""
    found = []
    for one in lives:
        for step, after in zip(one.steps, one.steps[1:], strict=False):
            if step.kind == "loan" and after.day < before:
                found.append(step.id)
    return tuple(found)
