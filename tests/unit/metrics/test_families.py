"""From numbers to what Prometheus reads; what may not be shown turns its part down."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client import Metric as Family
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from kitsurvie.metrics import (
    CATALOGUE,
    Part,
    Sample,
    Snapshot,
    bounded,
    checked,
    render,
)

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
SAINT_LO = {"member": "215005026", "state": "drift"}


def hosts(value: float = 3, **more: str) -> Sample:
    return Sample("kitsurvie_compliance_hosts", {**SAINT_LO, **more}, value)


def read(snapshot: Snapshot) -> dict[str, Family]:
    content, _ = render(snapshot)
    return {one.name: one for one in text_string_to_metric_families(content.decode())}


def values(found: dict[str, Family], name: str) -> dict[tuple[str, ...], float]:
    return {tuple(one.labels.values()): one.value for one in found[name].samples}


def test_a_number_is_a_series_and_no_number_is_none() -> None:
    found = read(Snapshot("1.2", (Part("compliance", (hosts(0),)),), True, 100.0, 0.5))
    assert values(found, "kitsurvie_compliance_hosts") == {("215005026", "drift"): 0}
    assert values(found, "kitsurvie_exporter_info") == {("1.2",): 1}
    assert values(found, "kitsurvie_exporter_read_timestamp_seconds") == {(): 100}
    assert "kitsurvie_compliance_checks" not in found


def test_before_anything_was_read_nothing_is_said_of_the_ledger() -> None:
    assert set(read(Snapshot("1"))) == {"kitsurvie_exporter_info"}


def test_a_part_that_is_down_says_so_and_nothing_else() -> None:
    parts = (Part("runs", why="Away."), Part("compliance", (hosts(),)))
    found = read(Snapshot("1", parts, False, 1.0, 1.0))
    assert values(found, "kitsurvie_exporter_part_up") == {("compliance",): 1, ("runs",): 0}
    assert values(found, "kitsurvie_exporter_ledger_up") == {(): 0}
    assert not [name for name in found if name.startswith("kitsurvie_run_")]


def test_a_reader_may_ask_for_openmetrics() -> None:
    snapshot = Snapshot("1", (Part("compliance", (hosts(),)),), True, 1.0, 1.0)
    content, content_type = render(snapshot, OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    families = {one.name for one in openmetrics.text_string_to_metric_families(content.decode())}
    assert "kitsurvie_compliance_hosts" in families


@pytest.mark.parametrize(
    ("sample", "why"),
    [
        (hosts(member="agneaux-srv-01"), "a value of member"),
        (hosts(float("nan")), "without a number"),
        (hosts(host="pc"), "other labels"),
        (Sample("kitsurvie_compliance_hosts", {"member": "215005026"}, 1), "other labels"),
        (Sample("kitsurvie_agents", {}, 1), "not in the catalogue"),
        (Sample("kitsurvie_waivers", {"ends": "7d"}, 1), "not its own"),
        (Sample("kitsurvie_exporter_ledger_up", {}, 1), "not its own"),
    ],
)
def test_what_may_not_be_shown_turns_its_part_down_and_is_not_told_either(
    sample: Sample, why: str
) -> None:
    found = checked(Part("compliance", (hosts(state="waived"), sample)))
    assert not found.up
    assert not found.samples
    assert why in found.why
    assert "agneaux" not in found.why


def test_the_same_series_twice_is_a_fault() -> None:
    assert not checked(Part("compliance", (hosts(1), hosts(2)))).up
    assert checked(Part("compliance", (hosts(1), hosts(2, state="waived")))).up


def test_a_part_with_too_many_series_is_turned_down_and_the_others_go_on() -> None:
    many = tuple(hosts(member=f"{n:09d}") for n in range(50))
    few = (Sample("kitsurvie_run_duration_seconds", {"kind": "deploy"}, 1),)
    parts = (Part("inventory"), Part("compliance", many), Part("runs", few))
    found = bounded(parts, most=49)
    assert [one.up for one in found] == [True, False, True]
    assert "50 series" in found[1].why
    assert found[1].samples == ()
    assert bounded(parts, most=51) == parts


def test_promtool_takes_every_metric_as_it_is_named() -> None:
    promtool = shutil.which("promtool")
    assert promtool, "promtool is not installed: apt-get install prometheus"
    lines = []
    for metric in CATALOGUE.values():
        held = ",".join(f'{name}="x"' for name in metric.labels)
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} gauge"]
        lines += [f"{metric.name}{{{held}}} 1"]
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
