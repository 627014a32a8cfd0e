"""The part `compliance`: where hosts stand now, by what was last seen of each, whoever looked.

A look of the night, of a deployment or of the machine itself: the newest counts. Of a host that did
not answer it, what stood before says what its checks last said.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping

from kitsurvie.cli import view
from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.cli.standing import Standing, standing
from kitsurvie.cli.told import DAY_S
from kitsurvie.inventory import waivers
from kitsurvie.ledger import LastLook, Outcome
from kitsurvie.metrics import Sample
from kitsurvie.model import Host, Status, Verdict

# a zero is said of these, or a ratio over them has no value on the day when all is well
_ALWAYS = (Standing.COMPLIANT, Standing.DRIFT)
_CHECKS_ALWAYS = (Status.COMPLIANT, Status.DRIFT)
AGES = (("1d", 1), ("7d", 7), ("30d", 30), ("90d", 90))


def samples(sources: Sources) -> Iterator[Sample]:
    """Hosts and checks of the inventory, counted."""
    hosts = sources.inventory.hosts
    checks = _checks(sources)
    looks = sources.ledger.last_looks()
    members: Counter[tuple[str, Standing]] = Counter()
    profiles: Counter[tuple[str, Standing]] = Counter()
    seen: Counter[tuple[str, str, str]] = Counter()
    for name, host in hosts.items():
        look = looks.get(name)
        state = _standing(host, look, checks.get(name, Counter()), sources)
        profile = host.profile.value
        for counts, key in ((members, host.member), (profiles, profile)):
            counts[key, state] += 1
            for one in _ALWAYS:
                counts[key, one] += 0
        seen[host.epci or "", profile, age(look, sources.now)] += 1
    for (member, state), number in members.items():
        labels = {"member": member, "state": state.value}
        yield Sample("kitsurvie_compliance_hosts", labels, number)
    for (profile, state), number in profiles.items():
        labels = {"profile": profile, "state": state.value}
        yield Sample("kitsurvie_compliance_profile_hosts", labels, number)
    for (epci, profile, when), number in seen.items():
        labels = {"epci": epci, "profile": profile, "age": when}
        yield Sample("kitsurvie_hosts_seen", labels, number)
    yield from _measures(checks)


def _measures(checks: Mapping[str, Counter[tuple[str, Status]]]) -> Iterator[Sample]:
    counts: Counter[tuple[str, Status]] = Counter()
    drifting: Counter[str] = Counter()
    for found in checks.values():
        for (measure, status), number in found.items():
            counts[measure, status] += number
            drifting[measure] += status is Status.DRIFT and number > 0
            for one in _CHECKS_ALWAYS:
                counts[measure, one] += 0
    for (measure, status), number in counts.items():
        labels = {"measure": measure, "status": status.value}
        yield Sample("kitsurvie_compliance_checks", labels, number)
    for measure, number in drifting.items():
        yield Sample("kitsurvie_compliance_drifting_hosts", {"measure": measure}, number)


def _checks(sources: Sources) -> dict[str, Counter[tuple[str, Status]]]:
    """How many checks of each host have which status, those that are waived today apart."""
    hosts = sources.inventory.hosts
    found: dict[str, Counter[tuple[str, Status]]] = {}
    for one in sources.ledger.tally():
        if one.host in hosts:
            found.setdefault(one.host, Counter())[one.measure, one.status] = one.checks
    of = sources.statements.waivers.of
    names = {waived for one in sources.statements.waivers.listed for waived in one.hosts}
    if names:
        for drift in sources.ledger.intervals(
            Status.DRIFT, since=time.time(), hosts=names & hosts.keys(), said=False
        ):
            verdict = drift.verdict
            mine = found.get(drift.host)
            if mine and waivers.under(of(drift.host), verdict, sources.today) is not None:
                mine[verdict.measure, Status.DRIFT] -= 1
                mine[verdict.measure, Status.WAIVED] += 1
    return {host: +counts for host, counts in found.items()}


def _standing(
    host: Host, look: LastLook | None, checks: Counter[tuple[str, Status]], sources: Sources
) -> Standing:
    if look is None:
        # nobody has looked at it yet
        return Standing.PENDING
    verdicts = [Verdict(measure, "", status) for measure, status in checks]
    state = look.state
    if look.answered and state in {Outcome.DONE, Outcome.DRIFT}:
        # as the waivers of today have it: only a drift is ever waived
        drifts = any(one.status is Status.DRIFT for one in verdicts)
        state = Outcome.DRIFT if drifts else Outcome.DONE
    unseen = None if look.seen_at is None else max(0.0, sources.now - look.seen_at) / DAY_S
    return standing(
        state, verdicts, expected_up=view.expected_up(host), days_unseen=unseen,
        most_days=sources.place.unseen_days,
    )  # fmt: skip


def age(look: LastLook | None, now: float) -> str:
    """How long ago a host last answered: the first of the six that it is in."""
    if look is None or look.seen_at is None:
        return "never"
    days = (now - look.seen_at) / DAY_S
    return next((word for word, most in AGES if days <= most), "older")
