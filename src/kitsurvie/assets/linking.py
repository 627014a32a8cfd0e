"""The rules that bring records together by an identifier: serial, then UUID and MAC."""

from __future__ import annotations

from itertools import pairwise

from kitsurvie.assets import faces as seen
from kitsurvie.assets import identifiers
from kitsurvie.assets.clusters import Clusters, Conflict, Grade, How
from kitsurvie.assets.faces import Face
from kitsurvie.assets.record import Kind

_NOBODYS = {
    "serial": "one serial on {} machines: a placeholder, left out",
    "uuid": "one UUID on {} machines: the maker's own default, left out",
    "mac": "one network card on {} machines: a dock or an adapter, left out",
}
_MOST_NAMED = 50  # records in a conflict's list: enough to find it


def by_serial(clusters: Clusters) -> None:
    """Join what bears one serial, which is a machine's strongest mark."""
    _barcodes(clusters)
    for value, positions in _blocks(clusters, "serial"):
        if len(roots := clusters.roots(positions)) < 2:
            continue
        if _plainly_one(clusters, roots):
            _join_all(clusters, roots, "serial")
            continue
        found = seen.faces(clusters, roots, "serial")
        if (many := seen.machines(clusters, found)) >= seen.NOBODYS:
            _left_out(clusters, "serial", value, positions, many)
        else:
            _settle(clusters, found, "serial")


def by_board(clusters: Clusters) -> None:
    """Join what bears one UUID, then one MAC.

    Where two good serials bear it, or too many machines, it is nobody's: only what holds together
    otherwise as well is joined then.
    """
    for kind in ("mac", "uuid"):
        for value, positions in _blocks(clusters, kind):
            roots = clusters.roots(positions)
            if len(roots) > 1 and (serials := clusters.serial_count(roots)) > 1:
                _left_out(clusters, kind, value, positions, serials)
    for kind in ("uuid", "mac"):
        for value, positions in _blocks(clusters, kind):
            if len(roots := clusters.roots(positions)) < 2:
                continue
            found = seen.faces(clusters, roots, kind)
            if (many := seen.machines(clusters, found)) < seen.NOBODYS:
                _settle(clusters, found, kind)
                continue
            for face in found:
                _join_all(clusters, face, kind)
            _left_out(clusters, kind, value, positions, many)


def _plainly_one(clusters: Clusters, roots: list[int]) -> bool:
    """Whether records of one serial have the member and the UUID or the name in common too.

    That is one face of one member: what most blocks are, seen without looking for faces.
    """
    first = clusters.traces[roots[0]]
    board = first.uuid
    name = first.name if first.member else ""
    for root in roots:
        trace = clusters.traces[root]
        if len(clusters.positions(root)) > 1 or trace.member != first.member:
            return False
        board = board if trace.uuid == board else ""
        name = name if trace.name == name else ""
    return bool(board or name)


def _barcodes(clusters: Clusters) -> None:
    """Read a typed serial without the S of its barcode where the member has that very serial."""
    read = {(t.member, t.serial) for t in clusters.traces if t.serial and not t.typed}
    for trace in clusters.traces:
        if not trace.typed or not trace.serial or (trace.member, trace.serial) in read:
            continue
        for start in (1, *range(2, len(trace.serial) - identifiers.LEAST_SERIAL)):
            rest = trace.serial[start:]
            barcode = trace.serial[0] == "S" if start == 1 else trace.serial.startswith("1S")
            if barcode and len(rest) > identifiers.LEAST_SERIAL and (trace.member, rest) in read:
                trace.serial = rest
                break


def _blocks(clusters: Clusters, kind: str) -> list[tuple[str, list[int]]]:
    """Each value that several clusters bear, in order, and the positions of its traces."""
    found: dict[str, list[int]] = {}
    for at, trace in enumerate(clusters.traces):
        for value in trace.macs if kind == "mac" else (getattr(trace, kind),):
            if value:
                found.setdefault(value, []).append(at)
    root = clusters.root
    shared = [
        value
        for value, positions in found.items()
        if len(positions) > 1 and len({root(at) for at in positions}) > 1
    ]
    return [(value, found[value]) for value in sorted(shared)]


def _left_out(clusters: Clusters, kind: str, value: str, positions: list[int], many: int) -> None:
    traces = [clusters.traces[at] for at in positions]
    records = tuple(trace.id for trace in traces[:_MOST_NAMED])
    clusters.conflicts.append(Conflict(records, _NOBODYS[kind].format(many)))
    for trace in traces:
        if kind == "mac":
            trace.macs = tuple(mac for mac in trace.macs if mac != value)
        else:
            setattr(trace, kind, "")


def _settle(clusters: Clusters, found: list[Face], kind: str) -> None:
    """Join the faces of one identifier inside each member; leave what is doubtful to people."""
    roots = [root for face in found for root in face]
    members = {member for root in roots for member in clusters.members(root)}
    if len(members) < 2:
        _settle_in_one(clusters, found, kind)
        return
    groups: dict[tuple[str, ...], list[int]] = {}
    for root in sorted(roots):
        groups.setdefault(tuple(sorted(clusters.members(root))), []).append(root)
    firsts = []
    for _, group in sorted(groups.items()):
        _settle_in_one(clusters, seen.faces(clusters, group, kind), kind)
        firsts.append(clusters.root(group[0]))
    for one, other in pairwise(firsts):
        _, reason = seen.agreeing(clusters, one, other)
        clusters.propose(one, other, Grade.C, f"{reason}; in two members: moved or lent?")


def _settle_in_one(clusters: Clusters, found: list[Face], kind: str) -> None:
    for face in found:
        _join_all(clusters, face, kind)
    if len(found) < 2:
        return
    # the face that people named first, so that one without a name is compared with it
    ordered = sorted(found, key=lambda face: (not seen.named(clusters, face), face[0]))
    first = ordered[0]
    for face in ordered[1:]:
        one, other = clusters.root(first[0]), clusters.root(face[0])
        grade, reason = seen.agreeing(clusters, one, other)
        if _one_machine(clusters, first, face, kind):
            clusters.join(one, other, How.AUTOMATIC, grade, reason)
        else:
            clusters.propose(one, other, Grade.C, reason)


def _one_machine(clusters: Clusters, one: Face, other: Face, kind: str) -> bool:
    """Whether two faces that share one identifier alone are safely one machine."""
    if seen.machines(clusters, (one, other)) < 2 and kind == "serial":
        return True
    here, there = clusters.root(one[0]), clusters.root(other[0])
    if seen.both_at_work(clusters, one, other) or seen.contradict(clusters, here, there):
        return False
    both_named = seen.named(clusters, one) and seen.named(clusters, other)
    if kind != "mac":
        return not both_named
    if _has_uuid(clusters, here) and _has_uuid(clusters, there):
        return False
    bought = seen.same_purchase(clusters, here, there)
    alike = seen.same_model(clusters, here, there)
    # a dock goes from laptop to laptop; the card of a desktop stays
    if all(t.kind is Kind.DESKTOP for root in (here, there) for t in clusters.of(root)):
        return alike or bought or not both_named
    return alike and bought and not both_named


def _join_all(clusters: Clusters, face: Face, kind: str) -> None:
    """Join what shares one identifier and is held together by something else as well."""
    if kind != "serial" and clusters.serial_count(face) > 1:
        return
    firsts = face[:1]  # more than one where people keep some of the face apart
    for root in face[1:]:
        if not any(_join_two(clusters, first, root, kind) for first in firsts):
            firsts.append(root)


def _join_two(clusters: Clusters, one: int, other: int, kind: str) -> bool:
    one, other = clusters.root(one), clusters.root(other)
    if one == other:
        return True
    grade, reason = seen.agreeing(clusters, one, other)
    if kind != "serial" and seen.contradict(clusters, one, other):
        clusters.propose(one, other, Grade.C, reason)
        return False
    return clusters.join(one, other, How.AUTOMATIC, grade, reason)


def _has_uuid(clusters: Clusters, root: int) -> bool:
    return any(trace.uuid for trace in clusters.of(root))
