"""Prometheus, for node_exporter's textfile collector: how many, never who.

A metrics server is read by more people than the machines are administered by: there is no name of a
host, address or login here, only members, profiles, measures and counts.
"""

from __future__ import annotations

from collections import Counter

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from kitsurvie.cli.formats import reading
from kitsurvie.cli.formats.reading import Document

LAST_SUCCESS = "kitsurvie_compliance_last_success_timestamp_seconds"
# zero is said of these, or a ratio over them has no value on the day when all is well
_ALWAYS = ("compliant", "drift")


def render(document: Document, last_success: float | None = None) -> bytes:
    """The run in Prometheus's text format.

    `last_success` is when a run last succeeded before this one, if that is known: a run in which
    no host answered is none, and must not hide how long it is since one did.
    """
    registry = CollectorRegistry()
    _members(registry, document)
    _measures(registry, document)
    _run(registry, document, last_success)
    return generate_latest(registry)


def success(text: str) -> float | None:
    """When a run last succeeded, as a file written before says it; None when it does not."""
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == LAST_SUCCESS and 0 < sample.value < float("inf"):
                    return float(sample.value)
    except (ValueError, IndexError, KeyError):
        return None
    return None


def _members(registry: CollectorRegistry, document: Document) -> None:
    hosts: Counter[tuple[str, str, str]] = Counter()
    named = {}
    for host in document["hosts"]:
        siren, profile = str(host["member"]["siren"]), str(host["profile"])
        named[siren] = (reading.line(host["member"]["name"]), str(host.get("epci") or ""))
        hosts[siren, profile, reading.standing(host)] += 1
        for state in _ALWAYS:
            hosts[siren, profile, state] += 0
    gauge = Gauge(
        "kitsurvie_compliance_hosts",
        "Hosts of a member by profile and by where they stood in the newest run.",
        ("member", "profile", "state"),
        registry=registry,
    )
    for labels, count in sorted(hosts.items()):
        gauge.labels(*labels).set(count)
    info = Gauge(
        "kitsurvie_member_info",
        "A member (SIREN) with its name and the SIREN of its EPCI; always 1.",
        ("member", "name", "epci"),
        registry=registry,
    )
    for siren, (name, epci) in sorted(named.items()):
        info.labels(siren, name, epci).set(1)


def _measures(registry: CollectorRegistry, document: Document) -> None:
    checks: Counter[tuple[str, str]] = Counter()
    drifting: Counter[str] = Counter()
    for host in document["hosts"]:
        drifts = set()
        for row in reading.rows(host):
            checks[row.measure, row.status] += 1
            if row.status == "drift":
                drifts.add(row.measure)
            for status in _ALWAYS:
                checks[row.measure, status] += 0
            drifting[row.measure] += 0
        drifting.update(drifts)
    gauge = Gauge(
        "kitsurvie_compliance_checks",
        "Checks of a measure by what they said in the newest run, on all hosts together.",
        ("measure", "status"),
        registry=registry,
    )
    for labels, count in sorted(checks.items()):
        gauge.labels(*labels).set(count)
    wide = Gauge(
        "kitsurvie_compliance_drifting_hosts",
        "Hosts on which a measure drifts.",
        ("measure",),
        registry=registry,
    )
    for measure, count in sorted(drifting.items()):
        wide.labels(measure).set(count)


def _run(registry: CollectorRegistry, document: Document, last_success: float | None) -> None:
    ended = reading.moment(document["ended"])
    at = ended.timestamp() if ended else 0.0
    for name, told, value in (
        ("last_run_timestamp_seconds", "When the newest run ended.", at),
        ("run_duration_seconds", "How long it took.", reading.seconds(document)),
        ("run_exit_code", "Its exit code: 0, 1 drift, 2 broken, 3 hosts.", document["exit_code"]),
        ("run_hosts", "How many hosts it was for.", len(document["hosts"])),
    ):
        Gauge(f"kitsurvie_compliance_{name}", told, registry=registry).set(value)
    answered = any(True for host in document["hosts"] for _ in reading.rows(host))
    when = at if answered and document["exit_code"] != 2 else last_success
    if when is not None:
        told = "When a run last came to its end with an answer of at least one host."
        Gauge(LAST_SUCCESS, told, registry=registry).set(when)
