"""What a host answered to one check: at which look, and of a check that did not exist then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.test_rejudge import DOOR, DRIFT, LIGHT, MEASURE, PC, SRV, Past, answered, well
from tests.unit.test_rejudge import verdict as said

from kitsurvie.cli.evidence import evidence
from kitsurvie.errors import UsageError
from kitsurvie.ledger import Retention


@pytest.fixture
def past(tmp_path: Path) -> Past:
    return Past(tmp_path / "syndicate")


def shown(past: Past, capsys: pytest.CaptureFixture[str], *words: str, **more: Any) -> Any:
    capsys.readouterr()
    assert evidence(*words, json=True, workspace=past.root, **more) == 0
    return json.loads(capsys.readouterr().out)


def test_the_last_look_that_judged_the_check_counts_whoever_made_it(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    first = past.night({SRV: well(), PC: well()})
    past.night({SRV: well(), PC: None})
    drift = (answered(door="open"), (said("test_door", DRIFT),))
    own = past.night({PC: drift}, kind="ingest")
    told = shown(past, capsys, PC, f"{MEASURE}/test_door")
    assert (told["run"], told["status"], told["again"]) == (own, "drift", False)
    assert [one["stdout"] for one in told["exchanges"]] == ["open"]
    told = shown(past, capsys, PC, "test_door", run=first)
    assert (told["run"], told["exchanges"][0]["stdout"]) == (first, "closed")


def test_a_check_that_did_not_exist_then_is_judged_by_what_was_answered(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    lit = (answered(door="closed", light="on"), (said("test_door"),))
    run = past.night({SRV: lit, PC: well()})
    past.checks(DOOR, LIGHT)
    told = shown(past, capsys, SRV, f"{MEASURE}/test_light")
    assert (told["run"], told["status"], told["again"]) == (run, "drift", True)
    assert [(one["command"], one["stdout"]) for one in told["exchanges"]] == [("light", "on")]
    evidence(SRV, f"{MEASURE}/test_light", workspace=past.root)
    assert "is drift by today's checks: it did not exist then" in capsys.readouterr().out
    evidence(PC, f"{MEASURE}/test_light", workspace=past.root)
    assert "It was not asked that night" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("host", "check", "what"),
    [
        (SRV, f"{MEASURE}/test_nothing", "No check"),
        (SRV, "of_old/test_nothing", "No check"),
        ("nobody", f"{MEASURE}/test_door", "No run has an answer"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(
    past: Past, host: str, check: str, what: str
) -> None:
    past.night({SRV: well()})
    with pytest.raises(UsageError, match=what) as refused:
        evidence(host, check, workspace=past.root)
    assert refused.value.remedy


def test_a_run_that_has_not_seen_the_host_is_said(past: Past) -> None:
    past.night({SRV: well()})
    run = past.night({PC: well()})
    with pytest.raises(UsageError, match=f"Run {run} has not seen"):
        evidence(SRV, "test_door", run=run, workspace=past.root)


def test_an_answer_that_is_no_longer_kept_is_said(
    past: Past, capsys: pytest.CaptureFixture[str]
) -> None:
    first = past.night({SRV: (answered(door="old"), (said("test_door"),))})
    last = past.night({SRV: well()})
    past.ledger.prune(Retention(0.0, past.ledger.run(last).started_at))
    evidence(SRV, "test_door", run=first, workspace=past.root)
    assert "no longer kept (evidence_days in kitsurvie.toml)" in capsys.readouterr().out
