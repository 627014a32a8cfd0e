"""What was last known of machines that did not answer, and when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from kitsurvie.ledger import Ledger
from kitsurvie.model import Verdict

# three months of nights with the deployments between them; older, a verdict says nothing of today
RUNS_READ = 120


@dataclass(frozen=True, slots=True)
class Past:
    """One verdict of an earlier run, and when its answers came in."""

    verdict: Verdict
    at: float
    run: int


@dataclass(frozen=True, slots=True)
class LastSeen:
    """When a machine last answered, in which run, and the newest verdict of each of its checks."""

    at: float
    run: int
    verdicts: tuple[Past, ...]


def last_seen(
    ledger: Ledger, hosts: Collection[str], newest: int | None = None
) -> Mapping[str, LastSeen]:
    """The last time that each of these hosts answered; one that never did is left out.

    `newest` is the last run to look into, when it is not the ledger's own. A run that was asked for
    some measures alone is completed from the runs before it.
    """
    found: dict[str, LastSeen] = {}
    open_still = set(hosts)
    for run in ledger.runs(limit=RUNS_READ):
        if not open_still:
            break
        if newest is not None and run.id > newest:
            continue
        whole = not run.options.get("measures")
        for name, seen in ledger.seen(run.id).items():
            if name not in open_still or seen.evidence is None:
                continue
            known = found.get(name, LastSeen(seen.at, run.id, ()))
            had = {past.verdict.measure for past in known.verdicts}
            older = [Past(v, seen.at, run.id) for v in seen.verdicts if v.measure not in had]
            found[name] = LastSeen(known.at, known.run, (*known.verdicts, *older))
            if whole:
                open_still.discard(name)
    return found
