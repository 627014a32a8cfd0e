"""The dashboards are what the code gives, ask for what there is, and a real Prometheus answers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from dashboards.answers import PanelResult, RuleResult, Unanswered, walk, walk_rules
from dashboards.boards import BOARDS
from tests import exposition, prometheus
from tests.contract.test_monitoring import MONITORING, PROMTOOL, asked, contract, known

ROOT = MONITORING.parent
FILES = sorted((MONITORING / "dashboards").glob("*/*.json"))
_ANSWER_S = 20


def panels(path: Path) -> list[dict[str, Any]]:
    return [one for one in json.loads(path.read_text())["panels"] if one["type"] != "row"]


def queries(path: Path) -> list[str]:
    return [target["expr"] for panel in panels(path) for target in panel["targets"]]


def test_the_dashboards_are_what_the_code_gives() -> None:
    words = [sys.executable, "-m", "dashboards", "--check"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + "run python -m dashboards"


def test_each_dashboard_has_an_address_that_stays() -> None:
    uids = {json.loads(path.read_text())["uid"] for path in FILES}
    assert uids == {
        f"kitsurvie-{what}-{lang}"
        for what in ("night", "member", "equipment", "energy", "health")
        for lang in ("fr", "en")
    }


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_french_and_english_show_the_same_in_other_words(board: Any) -> None:
    french, english = (MONITORING / "dashboards" / x / f"{board.uid}.json" for x in ("fr", "en"))
    assert queries(french) == queries(english)
    for one, other in zip(panels(french), panels(english), strict=True):
        assert one["type"] == other["type"]
        assert one["gridPos"] == other["gridPos"]
        assert one["title"] != other["title"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_panel_says_what_it_shows_in_which_unit_and_when_there_is_nothing(path: Path) -> None:
    for panel in panels(path):
        defaults = panel["fieldConfig"]["defaults"]
        assert len(panel["description"]) > 10, panel["title"]
        assert defaults["unit"], panel["title"]
        assert defaults["thresholds"]["steps"], panel["title"]
        assert re.search("[a-z]{2}", defaults["noValue"]), panel["title"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_query_asks_for_metrics_that_there_are(path: Path) -> None:
    for query in queries(path):
        assert asked(query), query
        assert asked(query) <= known(), query


def test_the_made_up_syndicate_serves_the_whole_contract() -> None:
    served = "".join(exposition.pages(time.time()).values())
    assert set(re.findall(r"^# TYPE (\w+)", served, re.M)) >= contract()
    assert set(exposition.contract()) == contract()


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not here")
def test_every_metric_of_the_contract_has_a_base_unit_a_type_and_a_help() -> None:
    pages = exposition.pages(time.time())
    for path in ("/metrics", "/node/l02"):
        words = [str(PROMTOOL), "check", "metrics"]
        done = subprocess.run(words, input=pages[path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_metric_in_another_unit_would_be_refused() -> None:
    with pytest.raises(ValueError, match="kitsurvie_energy_kilojoules"):
        exposition.render([("kitsurvie_energy_kilojoules", {}, 1.0)])


@pytest.mark.skipif(prometheus.PROMETHEUS is None, reason="Debian's prometheus is not here")
def test_a_real_prometheus_answers_every_panel_and_every_rule(tmp_path: Path) -> None:
    """Also those that may have none: the syndicate has something of everything."""
    with prometheus.running(tmp_path) as url:
        until = time.monotonic() + _ANSWER_S
        while True:
            try:
                found: list[PanelResult | RuleResult] = [*walk(url), *walk_rules(url)]
            except Unanswered:
                if time.monotonic() > until:
                    raise
                time.sleep(1)
                continue
            bad = [one for one in found if one.error or one.empty or _silent(one)]
            if not bad or time.monotonic() > until:
                break
            time.sleep(1)
    assert len(found) > 90
    assert [getattr(one, "title", "") or one for one in bad] == []


def _silent(result: PanelResult | RuleResult) -> bool:
    """No answer, of a panel that may have none: alerts alone take longer than this test."""
    return (
        isinstance(result, PanelResult)
        and not all(result.answers)
        and "ALERTS" not in result.panel["targets"][0]["expr"]
    )
