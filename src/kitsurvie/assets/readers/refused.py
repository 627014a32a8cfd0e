"""What is told of a row that is not taken: enough to mend it, and nobody in it."""

from __future__ import annotations

from dataclasses import dataclass

from kitsurvie.assets.pseudonym import NOBODY, Pseudonyms
from kitsurvie.assets.readers.headings import Columns
from kitsurvie.assets.readers.table import Row, joined
from kitsurvie.assets.record import Origin, Refusal

HIDDEN = "?"
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Teller:
    """Makes refusals of the rows of one table."""

    columns: Columns
    delimiter: str
    pseudonyms: Pseudonyms

    def refusal(self, row: Row, origin: Origin, reason: str) -> Refusal:
        """The refusal of a row.

        A row with as many cells as headings keeps the columns that are read, logins as pseudonyms.
        In any other a cell may stand under a wrong heading: what may be somebody's is hidden.
        """
        if not row.cells:
            return Refusal(origin, reason)
        if len(row.cells) == len(self.columns.headings):
            kept = sorted(self.columns.known)
            cells = [self._cell(number, row.cells[number]) for number in kept]
            headings = [self.columns.headings[number] for number in kept]
        else:
            cells = self._shifted(row.cells)
            headings = list(self.columns.headings)
        return Refusal(
            origin, reason, joined(cells, self.delimiter), joined(headings, self.delimiter)
        )

    def _cell(self, number: int, cell: str) -> str:
        if number in self.columns.of.get("user", ()):
            return (self.pseudonyms.of(cell) or NOBODY) if cell.strip() else ""
        return cell if len(cell) <= LONGEST else HIDDEN

    def _shifted(self, cells: list[str]) -> list[str]:
        width = len(self.columns.headings)
        users = set(self.columns.of.get("user", ()))
        private = {n for n in range(width) if n not in self.columns.known or n in users}
        moved = len(cells) - width
        shown = []
        for number, cell in enumerate(cells):
            # the headings that it may belong to, wherever cells were lost or came in
            low, high = sorted((number, number - moved))
            may_be = range(max(low, 0), min(high, width - 1) + 1)
            safe = bool(may_be) and private.isdisjoint(may_be) and len(cell) <= LONGEST
            shown.append(cell if safe or not cell.strip() else HIDDEN)
        return shown
