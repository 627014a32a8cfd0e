"""The rules that bring records together: by serial, then by UUID and MAC, then by name."""

from __future__ import annotations

from collections.abc import Iterable

from kitsurvie.assets import faces as seen
from kitsurvie.assets import identifiers
from kitsurvie.assets.clusters import Clusters, Conflict, Grade, How
from kitsurvie.assets.faces import Face
from kitsurvie.assets.record import Kind
from kitsurvie.assets.traces import Trace

_NOBODYS = {
    "serial": "one serial on {} machines: a placeholder, left out",
    "uuid": "one UUID on {} machines: the maker's own default, left out",
    "mac": "one network card on {} machines: a dock or an adapter, left out",
}
# a name that more machines of one member bear identifies none of them
_MOST_NAMESAKES = 6
_MOST_NAMED = 50  # records in a conflict's list: enough to find it


def by_serial(clusters: Clusters) -> None:
    """Join what bears one serial, which is a machine's strongest mark."""
    _barcodes(clusters)
    for value, positions in _blocks(clusters, "serial"):
        found = seen.faces(clusters, clusters.roots(positions), "serial")
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
            serials = {s for root in clusters.roots(positions) for s in clusters.serials(root)}
            if len(serials) > 1:
                _left_out(clusters, kind, value, positions, len(serials))
    for kind in ("uuid", "mac"):
        for value, positions in _blocks(clusters, kind):
            found = seen.faces(clusters, clusters.roots(positions), kind)
            if (many := seen.machines(clusters, found)) < seen.NOBODYS:
                _settle(clusters, found, kind)
                continue
            for face in found:
                _join_all(clusters, face, kind)
            _left_out(clusters, kind, value, positions, many)


def by_name(clusters: Clusters) -> None:
    """Join what a name, inside one member, and something else say together."""
    shared = seen.shared_accounts(clusters)
    blocks: dict[tuple[str, str], list[int]] = {}
    for at, trace in enumerate(clusters.traces):
        if trace.member and trace.name:
            blocks.setdefault((trace.member, trace.name), []).append(at)
    for _, positions in sorted(blocks.items()):
        for rule in (_slips, _without_serial, _on_paper):
            roots = clusters.roots(positions)
            if 1 < len(roots) <= _MOST_NAMESAKES:
                rule(clusters, roots, shared)


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
    """Each value that several traces bear, in order, and where those are."""
    found: dict[str, list[int]] = {}
    for at, trace in enumerate(clusters.traces):
        for value in trace.macs if kind == "mac" else (getattr(trace, kind),):
            if value:
                found.setdefault(value, []).append(at)
    return [(value, found[value]) for value in sorted(found) if len(found[value]) > 1]


def _left_out(
    clusters: Clusters, kind: str, value: str, positions: list[int], many: int
) -> None:
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
    for one, other in zip(firsts, firsts[1:], strict=False):
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
    # a dock goes from laptop to laptop; the card of a desktop stays
    still = all(t.kind is Kind.DESKTOP for root in (here, there) for t in clusters.of(root))
    return seen.same_model(clusters, here, there) and (still or not both_named)


def _join_all(clusters: Clusters, face: Face, kind: str) -> None:
    """Join what shares one identifier and is held together by something else as well."""
    serials = {serial for root in face for serial in clusters.serials(root)}
    if len(serials) > 1:
        return
    for root in face[1:]:
        one, other = clusters.root(face[0]), clusters.root(root)
        if one == other:
            continue
        grade, reason = seen.agreeing(clusters, one, other)
        if kind != "serial" and seen.contradict(clusters, one, other):
            clusters.propose(one, other, Grade.C, reason)
        else:
            clusters.join(one, other, How.AUTOMATIC, grade, reason)


def _has_uuid(clusters: Clusters, root: int) -> bool:
    return any(trace.uuid for trace in clusters.of(root))


def _slips(clusters: Clusters, roots: list[int], shared: frozenset[str]) -> None:
    """A serial that was typed with a slip, beside the one that was read from the machine."""
    for root in roots:
        traces = [trace for trace in clusters.of(root) if trace.serial]
        if not traces:
            continue
        typed = all(trace.typed for trace in traces)
        close = [
            other
            for other in roots
            if other != root
            and any(
                identifiers.alike(t.serial, o.serial)
                for t in traces
                for o in clusters.of(other)
                if o.serial and not o.typed
            )
        ]
        if len(close) != 1 or clusters.root(root) == clusters.root(close[0]):
            continue
        reason = "same name, and serials one slip apart: typed by hand?"
        if typed and _supported(clusters, root, close[0], shared):
            for trace in traces:
                trace.serial = ""
            clusters.join(root, close[0], How.AUTOMATIC, Grade.C, reason)
        else:
            clusters.propose(root, close[0], Grade.C, reason)


def _without_serial(clusters: Clusters, roots: list[int], shared: frozenset[str]) -> None:
    """Machines of one name of which one lost its serial, as after a change of mainboard."""
    boards = [root for root in roots if not all(t.bare for t in clusters.of(root))]
    for one, other in _pairs(boards):
        if clusters.separate(one, other) or seen.contradict(clusters, one, other):
            continue
        if clusters.serials(one) and clusters.serials(other):
            continue
        if seen.both_at_work(clusters, [one], [other]):
            continue
        reason = "same name, different UUID, a serial missing: mainboard changed?"
        alone = len(boards) == 2
        alike = seen.same_model(clusters, one, other)
        bought = seen.same_purchase(clusters, one, other)
        person = seen.same_person(clusters, one, other, shared)
        if alone and alike and (bought or person):
            clusters.join(one, other, How.AUTOMATIC, Grade.C, reason)
        else:
            clusters.propose(one, other, Grade.C, reason)


def _on_paper(clusters: Clusters, roots: list[int], shared: frozenset[str]) -> None:
    """A record with a name and nothing else goes to the one machine of that name."""
    paper = [root for root in roots if all(trace.bare for trace in clusters.of(root))]
    boards = [root for root in roots if root not in paper]
    taken: set[str] = set()
    for root in paper:
        fitting = [b for b in boards if not seen.contradict(clusters, root, b)]
        sure = [b for b in fitting if _supported(clusters, root, b, shared)]
        registers = {trace.register for trace in clusters.of(root)}
        reason = "same name in the same member, and no identifier on one side"
        if len(boards) == 1 and fitting and not registers & taken:
            taken |= registers
            clusters.join(root, boards[0], How.AUTOMATIC, Grade.C, reason)
        elif len(sure or fitting) == 1:
            clusters.propose(root, (sure or fitting)[0], Grade.C, reason)
    if not boards and len(paper) == 2:
        one, other = paper
        apart = {t.register for t in clusters.of(one)} & {t.register for t in clusters.of(other)}
        if not apart and not seen.contradict(clusters, one, other):
            reason = "same name in the same member, and no identifier on either side"
            clusters.join(one, other, How.AUTOMATIC, Grade.C, reason)


def _supported(clusters: Clusters, one: int, other: int, shared: frozenset[str]) -> bool:
    return not seen.contradict(clusters, one, other) and (
        seen.same_model(clusters, one, other)
        or seen.same_purchase(clusters, one, other)
        or seen.same_person(clusters, one, other, shared)
    )


def _pairs(roots: list[int]) -> Iterable[tuple[int, int]]:
    return ((one, other) for at, one in enumerate(roots) for other in roots[at + 1 :])
