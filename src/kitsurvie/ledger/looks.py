"""Writing what was seen: a look is one row, and a verdict that stays the same costs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from kitsurvie.ledger import packing, schema
from kitsurvie.ledger.interning import Numbers, parts
from kitsurvie.model import Verdict

# the machine itself (its system): judged in every look, whatever measures it was asked for
OF_THE_MACHINE = "kit"


@dataclass(frozen=True, slots=True)
class Sight:
    """One look as it is written. `whole`: what it does not cover is no longer asked there.

    `answered` is False for a host that gave nothing: what was known of it stands.
    """

    look: int
    run: int
    host: str
    at: float
    verdicts: tuple[Verdict, ...]
    answered: bool
    whole: bool
    evidence: bytes | None


@dataclass(slots=True)
class _Standing:
    """The verdict that stands for a check of a host, and whether its row is yet to be written."""

    verdict: int
    from_look: int
    row: dict[str, Any] | None = None


def write(connection: Connection, numbers: Numbers, sights: Sequence[Sight]) -> None:
    """Write looks, in order, with the verdicts that begin and end by them."""
    hosts = numbers.hosts(connection, (sight.host for sight in sights))
    said = [[(v.measure, v.check, packing.content(v)) for v in s.verdicts] for s in sights]
    given = [one for look in said for one in look]
    checks = numbers.checks(connection, ((measure, name) for measure, name, _ in given))
    contents = numbers.verdicts(connection, (content for _, _, content in given))
    found = [
        # a check counts once in a look, should it be there twice
        {checks[measure, name]: contents[content] for measure, name, content in look}
        for look in said
    ]
    answered = (tuple(one) for sight, one in zip(sights, found, strict=True) if sight.answered)
    coverages = numbers.coverages(connection, answered)
    rows = [
        {
            "id": sight.look, "run_id": sight.run, "host_id": hosts[sight.host], "at": sight.at,
            "coverage_id": coverages[tuple(one)] if sight.answered else None,
            "evidence": sight.evidence,
        }
        for sight, one in zip(sights, found, strict=True)
    ]  # fmt: skip
    connection.execute(insert(schema.observations), rows)
    measures = {number: measure for (measure, _), number in checks.items()}
    desk = _Desk(connection, {hosts[s.host] for s in sights}, measures)
    for sight, one in zip(sights, found, strict=True):
        if sight.answered:
            desk.take(sight, hosts[sight.host], one)
    desk.write()


class _Desk:
    """What stands for some hosts, compared with looks at them; what changed is written at once."""

    def __init__(
        self, connection: Connection, hosts: Iterable[int], measures: dict[int, str]
    ) -> None:
        self._connection = connection
        self._measures = measures
        self._stands: dict[int, dict[int, _Standing]] = {host: {} for host in hosts}
        self._over: list[dict[str, Any]] = []
        self._begun: list[dict[str, Any]] = []
        table = schema.intervals.c
        for some in parts(self._stands):
            query = select(table.host_id, table.check_id, table.verdict_id, table.from_look).where(
                table.host_id.in_(some), table.to_look.is_(None)
            )
            for host, check, verdict, begun in connection.execute(query):
                self._stands[host][check] = _Standing(verdict, begun)
        self._know(check for checks in self._stands.values() for check in checks)

    def take(self, sight: Sight, host: int, found: Mapping[int, int]) -> None:
        """One look: what differs begins and ends here."""
        stands = self._stands[host]
        for check, verdict in found.items():
            standing = stands.get(check)
            if standing is not None and standing.verdict == verdict:
                continue
            if standing is not None:
                self._end(sight, host, check, standing)
            row = {
                "host_id": host, "check_id": check, "verdict_id": verdict,
                "from_look": sight.look, "from_run": sight.run, "from_at": sight.at,
                "to_look": None, "to_run": None, "to_at": None,
            }  # fmt: skip
            self._begun.append(row)
            stands[check] = _Standing(verdict, sight.look, row)
        if len(found) == len(stands):
            return
        # a measure is always judged whole: of one that was, a check that is missing is gone
        covered = {self._measures[check] for check in found} | {OF_THE_MACHINE}
        for check in [check for check in stands if check not in found]:
            if sight.whole or self._measures[check] in covered:
                self._end(sight, host, check, stands.pop(check))

    def write(self) -> None:
        """Write what ended and what began."""
        table = schema.intervals
        if self._over:
            ended = (
                update(table)
                .where(
                    table.c.host_id == bindparam("host"),
                    table.c.check_id == bindparam("check"),
                    table.c.from_look == bindparam("begun"),
                )
                .values(
                    to_look=bindparam("look"), to_run=bindparam("run"), to_at=bindparam("moment")
                )
            )
            self._connection.execute(ended, self._over)
        if self._begun:
            self._connection.execute(insert(table), self._begun)

    def _end(self, sight: Sight, host: int, check: int, standing: _Standing) -> None:
        if standing.row is not None:
            end = {"to_look": sight.look, "to_run": sight.run, "to_at": sight.at}
            standing.row.update(end)
            return
        self._over.append(
            {
                "host": host, "check": check, "begun": standing.from_look,
                "look": sight.look, "run": sight.run, "moment": sight.at,
            }
        )  # fmt: skip

    def _know(self, checks: Iterable[int]) -> None:
        """The measures of checks that stand and were in no look of this process."""
        table = schema.checks.c
        for some in parts({check for check in checks if check not in self._measures}):
            query = select(table.id, table.measure).where(table.id.in_(some))
            self._measures.update(
                (number, name) for number, name in self._connection.execute(query)
            )
