"""Records gathered into machines, never against a veto."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.assets.traces import Trace


class Grade(StrEnum):
    """How strong the evidence for a link is."""

    A = "A"  # two of serial, UUID and MAC agree
    B = "B"  # one of them agrees, and nothing speaks against it
    C = "C"  # a name, a slip of the pen, or an identifier that something speaks against


class How(StrEnum):
    """Who made a link: the rules, nobody yet, or a person."""

    AUTOMATIC = "automatic"
    PROPOSED = "proposed"
    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class Link:
    """Two records, by their ids, that are or may be of one machine, and why in one sentence."""

    first: str
    second: str
    how: How
    grade: Grade
    reason: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """What does not fit together in some records, in one sentence for whoever looks into it."""

    records: tuple[str, ...]
    sentence: str


class Clusters:
    """Disjoint sets of traces; `apart` are pairs of positions that people keep apart.

    Clusters are called by the position of one of their traces (`root`). What a cluster knows is
    looked up in its traces each time: it has few.
    """

    def __init__(self, traces: Sequence[Trace], apart: Iterable[tuple[int, int]] = ()) -> None:
        self.traces = traces
        self.links: list[Link] = []
        self.conflicts: list[Conflict] = []
        self._parent = list(range(len(traces)))
        self._of: dict[int, list[int]] = {}
        self._apart: dict[int, set[int]] = {}
        self._proposed: set[tuple[int, int]] = set()
        for one, other in apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)

    def root(self, at: int) -> int:
        """The name of the cluster a trace is in."""
        while self._parent[at] != at:
            self._parent[at] = self._parent[self._parent[at]]
            at = self._parent[at]
        return at

    def roots(self, positions: Iterable[int]) -> list[int]:
        """The clusters of some traces, each once, in order."""
        root = self.root
        return sorted({root(at) for at in positions})

    def positions(self, root: int) -> list[int]:
        """Where the traces of a cluster are."""
        return self._of.get(root) or [root]

    def of(self, root: int) -> list[Trace]:
        """The traces of a cluster."""
        traces = self.traces
        return [traces[at] for at in self._of.get(root) or (root,)]

    def serials(self, root: int) -> set[str]:
        """The good serials of a cluster: one, unless people decided otherwise."""
        return {trace.serial for trace in self.of(root) if trace.serial}

    def serial_count(self, roots: Iterable[int]) -> int:
        """How many good serials some clusters have, counting as one what people joined."""
        classes: list[set[str]] = []
        for serials in (self.serials(root) for root in roots):
            if serials:
                met = [one for one in classes if one & serials]
                classes = [one for one in classes if not one & serials]
                classes.append(serials.union(*met))
        return len(classes)

    def members(self, root: int) -> set[str]:
        """The members that a cluster is known to be of: one, unless people decided otherwise."""
        return {trace.member for trace in self.of(root) if trace.member}

    def separate(self, one: int, other: int) -> bool:
        """Whether two clusters may not become one: two members, two good serials, or people."""
        here, there = self.of(one), self.of(other)
        return (
            _disjoint(here, there, "member")
            or _disjoint(here, there, "serial")
            or self.kept_apart(one, other)
        )

    def kept_apart(self, one: int, other: int) -> bool:
        """Whether people said of two of their records that they are two machines."""
        if not self._apart:
            return False
        there = set(self.positions(other))
        return any(self._apart.get(at, set()) & there for at in self.positions(one))

    def join(self, one: int, other: int, how: How, grade: Grade, reason: str) -> bool:
        """Make two clusters one, and whether that was done: never where they are separate.

        A person's decision gives way to another person's alone.
        """
        one, other = self.root(one), self.root(other)
        if one == other:
            return False
        if self.kept_apart(one, other) or (how is not How.DECIDED and self.separate(one, other)):
            return False
        one, other = min(one, other), max(one, other)
        self._note(one, other, how, grade, reason)
        together = self._of.setdefault(one, [one])
        together += self._of.pop(other, [other])
        self._parent[other] = one
        return True

    def propose(self, one: int, other: int, grade: Grade, reason: str) -> None:
        """Leave two clusters to people, unless people have spoken already."""
        one, other = sorted((self.root(one), self.root(other)))
        if one == other or (one, other) in self._proposed or self.kept_apart(one, other):
            return
        self._proposed.add((one, other))
        self._note(one, other, How.PROPOSED, grade, reason)

    def _note(self, one: int, other: int, how: How, grade: Grade, reason: str) -> None:
        self.links.append(Link(self.traces[one].id, self.traces[other].id, how, grade, reason))


def _disjoint(here: Sequence[Trace], there: Sequence[Trace], field: str) -> bool:
    """Whether both say something in a field, and nothing that the other says."""
    if len(here) == len(there) == 1:
        one, other = getattr(here[0], field), getattr(there[0], field)
        return bool(one and other and one != other)
    said = {value for trace in here if (value := getattr(trace, field))}
    said_there = {value for trace in there if (value := getattr(trace, field))}
    return bool(said) and bool(said_there) and not said & said_there
