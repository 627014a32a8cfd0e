"""How many machines hide behind one identifier, and what speaks for or against one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from kitsurvie.assets.clusters import Clusters, Grade
from kitsurvie.assets.record import Kind
from kitsurvie.assets.traces import Trace

# An identifier on three machines that have nothing else in common is nobody's. Two may be one
# machine whose mainboard and name both changed; a third change of that sort was never seen.
NOBODYS = 3
# Two entries of one register that were both renewed within a week stand for two machines at work:
# an inventory renews the one entry of a machine that it knows again
AT_WORK = timedelta(days=7)
# What a register calls the purchase is the order, the delivery or the invoice
SAME_PURCHASE = timedelta(days=366)
# An account on more machines than one person has, or in more members than one person serves, is an
# administrator's. Two namesakes, or a secretary of two town halls, are still two and one.
MOST_OF_ONE_PERSON = 3
MOST_MEMBERS = 2
_KINDS_APART = frozenset({Kind.DESKTOP, Kind.LAPTOP, Kind.SERVER, Kind.TABLET, Kind.VIRTUAL})

Face = list[int]  # clusters that something other than the identifier in question holds together


def faces(clusters: Clusters, roots: Iterable[int], but: str) -> list[Face]:
    """Clusters grouped by what they share besides the identifier `but` (serial, uuid or mac).

    A name holds together only within one member.
    """
    found: dict[int, Face] = {}
    where: dict[object, int] = {}  # the face that a mark is of, before faces met
    moved: dict[int, int] = {}

    def now(face: int) -> int:
        while face in moved:
            face = moved[face]
        return face

    for root in roots:
        found[root] = [root]
        for trace in clusters.of(root):
            for mark in _marks(trace, but):
                there = where.setdefault(mark, root)
                if there == root:
                    continue
                here, there = now(root), now(there)
                if here != there:
                    less, more = sorted((here, there), key=lambda face: len(found[face]))
                    found[more] += found.pop(less)
                    moved[less] = more
    return sorted(sorted(face) for face in found.values())


def machines(clusters: Clusters, found: Iterable[Face]) -> int:
    """How many of the faces are certainly machines of their own.

    Those with a board or a serial, or a network card and a name; or, if more, those that one
    register alone keeps on paper under different names.
    """
    boards = 0
    papers: Counter[str] = Counter()
    for face in found:
        traces = [trace for root in face for trace in clusters.of(root)]
        named = any(trace.name for trace in traces)
        if any(t.uuid for t in traces) or (named and any(t.macs for t in traces)):
            boards += 1
        elif named:
            papers.update({trace.register for trace in traces})
    return max(boards, *papers.values(), 0) if papers else boards


def named(clusters: Clusters, face: Face) -> bool:
    """Whether people gave it a name."""
    return any(trace.name for root in face for trace in clusters.of(root))


def both_at_work(clusters: Clusters, one: Face, other: Face) -> bool:
    """Whether one register saw both of late: two machines, whatever they share."""
    here = _last_seen(clusters, one)
    there = _last_seen(clusters, other)
    return any(
        abs((here[register] - there[register]).total_seconds()) <= AT_WORK.total_seconds()
        for register in here.keys() & there.keys()
    )


def contradict(clusters: Clusters, one: int, other: int) -> bool:
    """Whether they are different things: kind, model in one source's words, or purchase."""
    for a in clusters.of(one):
        for b in clusters.of(other):
            if a.kind != b.kind and {a.kind, b.kind} <= _KINDS_APART:
                return True
            if a.maker and b.maker and a.maker != b.maker:
                return True
            if a.source is b.source and a.model and b.model and a.model != b.model:
                return True
            if a.bought and b.bought and abs(a.bought - b.bought) > SAME_PURCHASE:
                return True
    return False


def same_model(clusters: Clusters, one: int, other: int) -> bool:
    """Whether some record of each names one and the same model."""
    here = {trace.model for trace in clusters.of(one) if trace.model}
    return any(trace.model in here for trace in clusters.of(other))


def same_purchase(clusters: Clusters, one: int, other: int) -> bool:
    """Whether some record of each was bought on one day."""
    here = {trace.bought for trace in clusters.of(one) if trace.bought}
    return any(trace.bought in here for trace in clusters.of(other))


def same_person(clusters: Clusters, one: int, other: int, shared: frozenset[str]) -> bool:
    """Whether some record of each has one user, who is a person."""
    here = {trace.user for trace in clusters.of(one) if trace.user and trace.user not in shared}
    return any(trace.user in here for trace in clusters.of(other))


def shared_accounts(clusters: Clusters) -> frozenset[str]:
    """The accounts that are on too many machines, or in too many members: nobody's own."""
    often = Counter(trace.user for trace in clusters.traces)
    places: dict[str, tuple[set[int], set[str]]] = {}
    for at, trace in enumerate(clusters.traces):
        if trace.user and often[trace.user] > min(MOST_OF_ONE_PERSON, MOST_MEMBERS):
            where = places.setdefault(trace.user, (set(), set()))
            where[0].add(clusters.root(at))
            if trace.member:
                where[1].add(trace.member)
    return frozenset(
        user
        for user, (roots, members) in places.items()
        if len(roots) > MOST_OF_ONE_PERSON or len(members) > MOST_MEMBERS
    )


def agreeing(clusters: Clusters, one: int, other: int) -> tuple[Grade, str]:
    """The grade of two clusters' agreement, and the sentence that says it."""
    here, there = clusters.of(one), clusters.of(other)
    agree = []
    if _in_common(here, there, "serial"):
        agree.append("serial")
    if _in_common(here, there, "uuid"):
        agree.append("UUID")
    if {mac for t in here for mac in t.macs} & {mac for t in there for mac in t.macs}:
        agree.append("network card")
    grade = Grade.A if len(agree) > 1 else Grade.B if agree else Grade.C
    parts = " and ".join(agree) or "name"
    if "UUID" not in agree and any(t.uuid for t in here) and any(t.uuid for t in there):
        return grade, f"same {parts}, different UUID: mainboard changed?"
    if agree and {t.name for t in here}.isdisjoint(t.name for t in there):
        return grade, f"same {parts}, different name: renamed or reinstalled?"
    return grade, f"same {parts}"


def _in_common(here: Iterable[Trace], there: Iterable[Trace], field: str) -> bool:
    for one in here:
        if said := getattr(one, field):
            for other in there:
                if getattr(other, field) == said:
                    return True
    return False


def _marks(trace: Trace, but: str) -> list[object]:
    """What a record may share; a MAC, a UUID, a serial and a name never look alike."""
    found: list[object] = [] if but == "mac" else list(trace.macs)
    if trace.serial and but != "serial":
        found.append(("serial", trace.serial))
    if trace.uuid and but != "uuid":
        found.append(trace.uuid)
    if trace.name and trace.member:
        found.append((trace.member, trace.name))
    return found


def _last_seen(clusters: Clusters, face: Face) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for trace in (t for root in face for t in clusters.of(root)):
        if trace.seen and trace.seen > found.get(trace.register, trace.seen - AT_WORK):
            found[trace.register] = trace.seen
    return found
