"""One thing that is wrong with an inventory, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.errors import InventoryError


class Severity(StrEnum):
    """An error stops every command that reads the inventory's meaning; a warning is only said."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, where (`file:line`, a group or a host), and the remedy."""

    where: str
    what: str
    remedy: str
    severity: Severity = Severity.ERROR

    def error(self) -> InventoryError:
        """The same, ready to be raised."""
        return InventoryError(self.what, remedy=self.remedy, where=self.where)
