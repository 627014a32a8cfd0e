"""The alerts are what Prometheus accepts, they do what they say, and each has its page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from tests.unit.formats.syndicate import document, host, measure, verdict

from kitsurvie.cli.formats import textfile

MONITORING = Path(__file__).parents[2] / "monitoring"
NIGHT = MONITORING.parent / "roles" / "control_node" / "files" / "night"
ALERTS = sorted(MONITORING.glob("prometheus_alerts*.yaml"))
PROMTOOL = shutil.which("promtool")
RULES = [
    rule
    for path in ALERTS
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not here")
@pytest.mark.parametrize(
    "words", [("check", "rules", *ALERTS), ("test", "rules", *(MONITORING / "tests").iterdir())],
    ids=["check", "test"],
)  # fmt: skip
def test_promtool_accepts_the_alerts_and_they_fire_as_they_say(words: tuple[object, ...]) -> None:
    done = subprocess.run(
        [str(PROMTOOL), *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_every_alert_has_its_page_its_test_and_metrics_that_are_exported(
    rule: dict[str, object],
) -> None:
    name = str(rule["alert"])
    page = MONITORING / "runbooks" / f"{name}.md"
    assert rule["annotations"]["runbook"] == f"monitoring/runbooks/{name}.md"  # type: ignore[index]
    assert page.read_text().startswith(f"# {name}\n")
    tested = "".join(path.read_text() for path in (MONITORING / "tests").iterdir())
    assert re.search(rf"alertname: {name}\b", tested)
    assert set(re.findall(r"\bkitsurvie_\w+", str(rule["expr"]))) <= exported()


def exported() -> set[str]:
    """What the textfile of a run holds, and what the program of the night writes."""
    one = host("a", measures=[measure("firewall", verdict("test_x"))])
    of_a_run = set(re.findall(r"^(\w+)", textfile.render(document(one)).decode(), re.M))
    words = re.findall(r'"(last_\w+|failed)":', NIGHT.read_text())
    assert words
    return of_a_run | {
        f"kitsurvie_{what}_{word}" for what in ("night", "backup", "ingest") for word in words
    }
