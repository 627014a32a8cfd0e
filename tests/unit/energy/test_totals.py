"""What a machine hands over of its probe: taken when it is such, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.energy import totals
from kitsurvie.model import Answer, Evidence

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()
SAID: dict[str, Any] = {
    "format": 1, "version": "0.1", "day": "2026-11-19", "since": "2026-10-01",
    "machine": "physical", "chassis": "laptop", "joules": {"rapl": 100.5},
    "modelled": {"low": 200, "central": 300, "high": 500},
    "seconds": {"powered": 3600, "rapl": 3500, "modelled": 3600}, "boots": 3, "active_days": None,
    "last_used": None,
}  # fmt: skip


def evidence(said: object, **more: Any) -> Evidence:
    content = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Evidence(
        "pc-1", {totals.COMMAND: Answer(**{"rc": 0, "stderr": b"", **more}, stdout=content)}
    )


def test_a_reading_is_taken_as_it_was_counted() -> None:
    found = totals.reading(evidence(SAID), NOON)
    assert found is not None
    assert (found.host, found.day, found.since) == ("pc-1", "2026-11-19", "2026-10-01")
    assert (found.machine, found.chassis) == ("physical", "laptop")
    assert found.joules == {"rapl": 100.5}
    assert found.modelled == (200.0, 300.0, 500.0)
    assert found.seconds == {"powered": 3600.0, "rapl": 3500.0, "modelled": 3600.0}
    assert found.last_used is None


def test_what_has_no_data_is_not_there() -> None:
    bare = {name: SAID[name] for name in ("format", "day", "since", "machine", "chassis")}
    found = totals.reading(evidence({**bare, "machine": "virtual"}), NOON)
    assert found is not None
    assert (found.joules, found.modelled, found.seconds) == ({}, None, {})


@pytest.mark.parametrize(
    "changed",
    [
        {"format": 2}, {"day": "2026-11-32"}, {"day": "19/11/2026"}, {"day": 20261119},
        {"since": "2026-12-01"}, {"machine": "toaster"}, {"chassis": None},
        {"joules": {"rapl": -1}}, {"joules": {"rapl": "100"}}, {"joules": {"rapl": True}},
        {"joules": {"rapl": float("inf")}}, {"joules": [1]}, {"seconds": {"powered": None}},
        {"modelled": {"low": 3, "central": 2, "high": 4}}, {"modelled": {"low": 1}},
        {"last_used": "yesterday"}, {"day": "2026-11-22"},
    ],
)  # fmt: skip
def test_what_is_no_reading_is_left_aside(changed: dict[str, Any]) -> None:
    assert totals.reading(evidence(SAID), NOON) is not None
    assert totals.reading(evidence({**SAID, **changed}), NOON) is None


@pytest.mark.parametrize("said", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 9000, b" " * 20_000])
def test_what_is_no_json_or_too_much_is_left_aside(said: bytes) -> None:
    assert totals.reading(evidence(said), NOON) is None


def test_a_command_that_failed_or_was_cut_short_says_nothing() -> None:
    assert totals.reading(evidence(SAID, rc=1), NOON) is None
    assert totals.reading(evidence(SAID, flaw="truncated"), NOON) is None
    assert totals.reading(Evidence("pc-1", {}), NOON) is None
    assert totals.reading(None, NOON) is None


@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*SAID, "low"]), inner),
).map(lambda said: json.dumps(said).encode()))  # fmt: skip
def test_whatever_a_machine_answers_nothing_breaks(said: bytes) -> None:
    totals.reading(evidence(said), NOON)


@given(st.dictionaries(st.sampled_from(sorted(SAID)), st.none() | st.text() | st.integers()))
def test_a_field_that_is_something_else_breaks_nothing(changed: dict[str, Any]) -> None:
    totals.reading(evidence({**SAID, **changed}), NOON)
