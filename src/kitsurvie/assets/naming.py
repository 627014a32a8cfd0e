"""The rules that bring together what no identifier does: names, slips of the pen, purchases.

A name counts inside one member only.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations

from kitsurvie.assets import faces as seen
from kitsurvie.assets import identifiers
from kitsurvie.assets.clusters import Clusters, Grade, How

# a name that more machines of one member bear identifies none of them
_MOST_NAMESAKES = 6


def by_name(clusters: Clusters, shared: frozenset[str]) -> None:
    """Join what a name, inside one member, and something else say together.

    `shared` are the accounts that are nobody's own.
    """
    blocks: dict[tuple[str, str], list[int]] = {}
    for at, trace in enumerate(clusters.traces):
        if trace.member and trace.name:
            blocks.setdefault((trace.member, trace.name), []).append(at)
    for key in sorted(key for key, positions in blocks.items() if len(positions) > 1):
        positions = blocks[key]
        for rule in (_slips, _without_serial, _on_paper):
            roots = clusters.roots(positions)
            if 1 < len(roots) <= _MOST_NAMESAKES:
                rule(clusters, roots, shared)


def by_purchase(clusters: Clusters, shared: frozenset[str]) -> None:
    """Join a row of a register whose name is out of date with what its person really has.

    One person, one model and one day of purchase, on two clusters of which one has no identifier,
    or a serial that is a slip of the other's.
    """
    blocks: dict[tuple[str, str, date, str], list[int]] = {}
    for at, t in enumerate(clusters.traces):
        if t.member and t.model and t.bought and t.user and t.user not in shared:
            blocks.setdefault((t.member, t.model, t.bought, t.user), []).append(at)
    reason = "same person, model and day of purchase, and no identifier on one side"
    for key in sorted(key for key, positions in blocks.items() if len(positions) > 1):
        positions = blocks[key]
        roots = clusters.roots(positions)
        if len(roots) != 2 or seen.contradict(clusters, *roots):
            continue
        if any(all(t.bare for t in clusters.of(root)) for root in roots):
            clusters.join(roots[0], roots[1], How.AUTOMATIC, Grade.C, reason)
        else:
            _slips(clusters, roots, shared)


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
        reason = "serials one slip apart, everything else agrees: typed by hand?"
        fits = not seen.contradict(clusters, root, close[0])
        if typed and fits and _support(clusters, root, close[0], shared):
            for trace in traces:
                trace.serial = ""
            clusters.join(root, close[0], How.AUTOMATIC, Grade.C, reason)
        else:
            clusters.propose(root, close[0], Grade.C, reason)


def _without_serial(clusters: Clusters, roots: list[int], shared: frozenset[str]) -> None:
    """Machines of one name of which one lost its serial, as after a change of mainboard."""
    boards = [root for root in roots if not all(t.bare for t in clusters.of(root))]
    for one, other in combinations(boards, 2):
        if clusters.separate(one, other) or seen.contradict(clusters, one, other):
            continue
        if clusters.serials(one) and clusters.serials(other):
            continue
        if seen.both_at_work(clusters, [one], [other]):
            continue
        reason = "same name, different UUID, a serial missing: mainboard changed?"
        if len(boards) == 2 and _support(clusters, one, other, shared) > 1:
            clusters.join(one, other, How.AUTOMATIC, Grade.C, reason)
        else:
            clusters.propose(one, other, Grade.C, reason)


def _on_paper(clusters: Clusters, roots: list[int], shared: frozenset[str]) -> None:
    """A record with a name and nothing else goes to the one machine of that name."""
    paper = [root for root in roots if all(trace.bare for trace in clusters.of(root))]
    boards = [root for root in roots if root not in paper]
    taken: set[tuple[str, int]] = set()
    reason = "same name in the same member, and no identifier on one side"
    for root in paper:
        fitting = [one for one in boards if not seen.contradict(clusters, root, one)]
        close = [one for one in fitting if _same_owner(clusters, root, one, shared)]
        if len(close) != 1 and len(boards) > 1:
            close = [one for one in fitting if seen.same_model(clusters, root, one)]
        elif len(close) != 1:
            close = fitting
        if len(close) != 1:
            continue
        entries = {(trace.register, close[0]) for trace in clusters.of(root)}
        told = any(t.bought or (t.user and t.user not in shared) for t in clusters.of(root))
        if entries & taken or (told and not _same_owner(clusters, root, close[0], shared)):
            clusters.propose(root, close[0], Grade.C, reason)
        else:
            taken |= entries
            clusters.join(root, close[0], How.AUTOMATIC, Grade.C, reason)
    if not boards and len(paper) == 2:
        one, other = paper
        apart = {t.register for t in clusters.of(one)} & {t.register for t in clusters.of(other)}
        if not apart and not seen.contradict(clusters, one, other):
            reason = "same name in the same member, and no identifier on either side"
            clusters.join(one, other, How.AUTOMATIC, Grade.C, reason)


def _same_owner(clusters: Clusters, one: int, other: int, shared: frozenset[str]) -> bool:
    return seen.same_purchase(clusters, one, other) or seen.same_person(
        clusters, one, other, shared
    )


def _support(clusters: Clusters, one: int, other: int, shared: frozenset[str]) -> int:
    """How many of model, purchase and person two clusters have in common."""
    return (
        seen.same_model(clusters, one, other)
        + seen.same_purchase(clusters, one, other)
        + seen.same_person(clusters, one, other, shared)
    )
