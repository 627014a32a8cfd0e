"""What could name a person or a machine has no label, and no value of another label."""

from __future__ import annotations

from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.assets.doubles import Pattern
from kitsurvie.assets.life import State
from kitsurvie.assets.record import Kind
from kitsurvie.cli.exporter import compliance, parts, stated_and_named
from kitsurvie.cli.standing import Standing
from kitsurvie.ledger import Outcome
from kitsurvie.metrics import CATALOGUE, PARTS, Metric, Part, Sample, checked, labels
from kitsurvie.metrics.labels import ALLOWED, SIREN, Values
from kitsurvie.model import Profile, Status

FORBIDDEN = (
    "login", "user", "person", "agent", "host", "hostname", "instance", "device", "machine", "ip",
    "address", "mac", "serial", "uuid", "mail", "insee", "check",
)  # fmt: skip


@pytest.mark.parametrize("label", FORBIDDEN)
def test_no_metric_may_have_a_label_that_shows_somebody_or_something(label: str) -> None:
    assert label not in ALLOWED
    with pytest.raises(ValueError, match=f"no metric may have the label {label}"):
        Metric("kitsurvie_new", "New.", {"epci": SIREN, label: SIREN}, ("equipment",))


@given(st.text(max_size=20).filter(lambda word: word not in ALLOWED))
def test_whatever_is_not_on_the_list_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="no metric may have the label"):
        Metric("kitsurvie_new", "New.", {label: SIREN}, ("equipment",))


def test_a_name_stands_only_in_a_metric_that_is_there_to_show_it() -> None:
    with pytest.raises(ValueError, match="only an _info metric"):
        Metric("kitsurvie_new", "New.", {"name": labels.BODY}, ("equipment",))
    named = {one.name for one in CATALOGUE.values() if "name" in one.labels}
    assert named == {"kitsurvie_member_info", "kitsurvie_epci_info"}


def words(found: type[Enum]) -> frozenset[str]:
    return frozenset(one.value for one in found)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (labels.STANDINGS, Standing), (labels.OUTCOMES, Outcome), (labels.STATUSES, Status),
        (labels.PROFILES, Profile), (labels.LIVES, State), (labels.DEVICES, Kind),
        (labels.VERDICTS, Pattern),
    ],
)  # fmt: skip
def test_what_may_stand_in_a_label_is_what_the_program_knows(
    values: Values, found: type[Enum]
) -> None:
    assert values.words == words(found)
    assert not values.pattern


def test_the_ages_and_the_ends_are_those_that_are_counted() -> None:
    assert labels.AGES.words == {word for word, _ in compliance.AGES} | {"older", "never"}
    assert labels.ENDS.words == set(stated_and_named.ENDS)
    assert set(parts.PARTS) <= set(PARTS)


GOOD = {
    "member": "215005026", "epci": "200066389", "name": "Saint-Lô", "profile": "server",
    "state": "compliant", "status": "drift", "measure": "ssh_hardening", "age": "7d",
    "kind": "desktop", "ends": "over", "verdict": "pool", "bound": "low", "method": "rapl",
    "days": "30", "part": "runs", "version": "0.1.0",
}  # fmt: skip
BAD = (
    "agneaux-srv-01", "valerie.langlois", "VALERIE@mairie.example", "192.0.2.10", "2001:db8::1",
    "54:BF:64:00:11:22", "CZC1234XYZ", "p-0123456789abcdef", "d0123456789ab", "DOMAIN\\val",
    "4c4c4544-0042-3510-8051-c4c04f4d5931", "", " ", "x\ny",
)  # fmt: skip


def taken(metric: Metric, **more: str) -> bool:
    part = metric.parts[0]
    values = {**{name: GOOD[name] for name in metric.labels}, **more}
    for name in metric.labels:
        # the same word is another thing in another metric
        if name not in more and not metric.labels[name].hold(values[name]):
            values[name] = sorted(metric.labels[name].words)[0] or "ingest"
    return checked(Part(part, (Sample(metric.name, values, 1),))).up


@pytest.mark.parametrize("value", BAD)
def test_no_label_holds_what_identifies_somebody_or_something(value: str) -> None:
    for metric in CATALOGUE.values():
        for label in metric.labels:
            if not metric.parts or (label == "epci" and value == ""):
                continue
            # what a measure or a body is called may look like other words, not like these
            if label == "name" and value in {"agneaux-srv-01", "CZC1234XYZ", "valerie.langlois"}:
                continue
            if (label, value) == ("name", "d0123456789ab"):
                continue
            assert taken(metric), metric.name
            assert not taken(metric, **{label: value}), (metric.name, label)
