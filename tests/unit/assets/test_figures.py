"""The figures of identity, on the sample and on estates made of other mess."""

from __future__ import annotations

import pytest
from benchmarks import estate
from tests.unit.assets import sample

from kitsurvie.assets.identity import identify

LEAST_PRECISION = 0.999
LEAST_RECALL = 0.99


def made(records: list[estate.Record]) -> list[tuple[str, ...]]:
    return [device.records for device in identify(records).devices]


def test_the_sample_is_told_apart() -> None:
    records = sample.records()
    names = {device: at for at, device in enumerate(sorted(set(sample.truth().values())))}
    truth = {record: names[device] for record, device in sample.truth().items()}
    score = estate.score(estate.Estate(records, truth, frozenset()), made(records))
    assert score.precision >= LEAST_PRECISION
    assert score.recall >= LEAST_RECALL
    assert score.across_members == 0


@pytest.mark.parametrize("seed", range(20, 26))
def test_other_estates_are_told_apart(seed: int) -> None:
    other = estate.make(seed, 2000)
    score = estate.score(other, made(other.records))
    assert score.precision >= LEAST_PRECISION
    assert score.recall >= LEAST_RECALL
    assert score.across_members == 0


@pytest.mark.parametrize(
    ("trouble", "share"),
    [
        ("no_serial", 0.2),
        ("vendor_uuid", 0.15),
        ("reinstalled", 0.3),
        ("renamed", 0.2),
        ("repaired", 0.1),
        ("docked", 0.8),
        ("swapped_uuid", 1.0),
        ("second_inventory", 0.6),
        ("slip", 0.2),
        ("moved", 0.05),
        ("administrator", 0.5),
        ("shared_name", 0.3),
    ],
)
def test_no_trouble_however_frequent_makes_rules_join_what_is_apart(
    trouble: str, share: float
) -> None:
    mess = estate.Mess(**{trouble: share})
    other = estate.make(31, 2000, mess)
    score = estate.score(other, made(other.records))
    assert score.precision >= LEAST_PRECISION
    assert score.recall >= 0.98
    assert score.across_members == 0
