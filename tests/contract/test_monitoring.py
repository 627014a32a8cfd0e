"""The alerts are what Prometheus accepts, they do what they say, and each has its page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.formats.syndicate import document, host, measure, verdict

from kitsurvie.cli.formats import textfile

MONITORING = Path(__file__).parents[2] / "monitoring"
NIGHT = MONITORING.parent / "roles" / "control_node" / "files" / "night"
ALERTS = sorted(MONITORING.glob("prometheus_alerts*.yaml"))
PROMTOOL = shutil.which("promtool")
AMTOOL = shutil.which("amtool")
RULE_FILE = MONITORING / "prometheus_rules.yaml"


def rules_of(*paths: Path) -> list[dict[str, Any]]:
    return [
        rule
        for path in paths
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


RULES = rules_of(*ALERTS)
RECORDED = rules_of(RULE_FILE)
# what Prometheus and node_exporter say of themselves, as far as it is used
OTHERS = {
    "up", "ALERTS", "scrape_samples_scraped", "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes", "node_filesystem_readonly", "node_time_seconds",
    "node_textfile_scrape_error", "prometheus_rule_evaluation_failures_total",
    "prometheus_config_last_reload_successful", "prometheus_notifications_alertmanagers_discovered",
    "prometheus_notifications_errors_total",
}  # fmt: skip


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not here")
@pytest.mark.parametrize(
    "words",
    [
        ("check", "rules", RULE_FILE, *ALERTS),
        ("test", "rules", *(MONITORING / "tests").iterdir()),
        ("check", "config", "--syntax-only", MONITORING / "prometheus.yml"),
    ],
    ids=["check", "test", "config"],
)  # fmt: skip
def test_promtool_accepts_the_alerts_and_they_fire_as_they_say(words: tuple[object, ...]) -> None:
    done = subprocess.run(
        [str(PROMTOOL), *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(AMTOOL is None, reason="amtool (Debian: prometheus-alertmanager) is not here")
def test_amtool_accepts_the_example_for_alertmanager() -> None:
    words = [str(AMTOOL), "check-config", str(MONITORING / "alertmanager.yml")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_gives_prometheus_every_file_of_rules() -> None:
    given = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["rule_files"]
    assert sorted(given) == sorted(path.name for path in (RULE_FILE, *ALERTS))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_has_its_page_its_test_and_metrics_that_are_exported(
    rule: dict[str, Any],
) -> None:
    name = str(rule["alert"])
    page = MONITORING / "runbooks" / f"{name}.md"
    assert rule["annotations"]["runbook"] == f"monitoring/runbooks/{name}.md"
    assert page.read_text().startswith(f"# {name}\n")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert asked(str(rule["expr"])) <= known()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_is_tested_where_it_is_told_and_where_it_is_not(rule: dict[str, Any]) -> None:
    told = [
        bool(one["exp_alerts"])
        for path in (MONITORING / "tests").iterdir()
        for test in yaml.safe_load(path.read_text())["tests"]
        for one in test.get("alert_rule_test", ())
        if one["alertname"] == rule["alert"]
    ]
    assert set(told) == {True, False}


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: rule["record"])
def test_every_recorded_series_is_named_by_level_metric_and_operation_and_tested(
    rule: dict[str, Any],
) -> None:
    level, metric, operation = rule["record"].split(":")
    assert all((level, metric, operation))
    assert asked(str(rule["expr"])) <= known()
    tested = (MONITORING / "tests" / "prometheus_rules_test.yaml").read_text()
    assert f"expr: {rule['record']}" in tested


def test_no_page_is_left_of_an_alert_that_is_gone() -> None:
    pages = {path.stem for path in (MONITORING / "runbooks").iterdir()}
    assert pages == {rule["alert"] for rule in RULES}


def asked(expression: str) -> set[str]:
    """The metrics that an expression of PromQL reads."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^]]*\]', " ", expression)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    return {
        word
        for word in re.findall(r"[A-Za-z_:][\w:]*(?!\w*\s*\()", bare)
        if "_" in word and not re.match(r"(group_|(min|max|avg|sum)_over_time|sort_desc)", word)
    } | set(re.findall(r"\b(up|ALERTS)\b", bare))


def known() -> set[str]:
    return exported() | OTHERS | {rule["record"] for rule in RECORDED}


def contract() -> set[str]:
    """The names of docs/reference/metrics.md."""
    text = (MONITORING.parent / "docs" / "reference" / "metrics.md").read_text()
    return set(re.findall(r"^\| `(kitsurvie_\w+)` \|", text, re.M))


def exported() -> set[str]:
    """The contract, what the textfile of a run holds, and what the program of the night writes."""
    one = host("a", measures=[measure("firewall", verdict("test_x"))])
    of_a_run = set(re.findall(r"^(\w+)", textfile.render(document(one)).decode(), re.M))
    words = re.findall(r'"(last_\w+|failed)":', NIGHT.read_text())
    assert words
    assert len(contract()) > 40
    return (
        contract()
        | of_a_run
        | {f"kitsurvie_{what}_{word}" for what in ("night", "backup", "ingest") for word in words}
    )
