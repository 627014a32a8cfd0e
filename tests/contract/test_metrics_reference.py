"""The exporter's table of docs/reference/metrics.md and its metrics are the same."""

from __future__ import annotations

import re
from pathlib import Path

from kitsurvie.metrics import CATALOGUE

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"


def documented() -> dict[str, set[str]]:
    text = PAGE.read_text(encoding="utf-8").partition("## The exporter")[2]
    text = text.partition("\n## ")[0]
    found = {}
    for line in text.splitlines():
        cells = line.split("|")
        name = re.fullmatch(r" `(kitsurvie_\w+)` ", cells[1]) if len(cells) > 4 else None
        if name:
            assert cells[2].strip() == "gauge", line
            # what stands in brackets are values
            found[name[1]] = set(re.findall(r"`(\w+)`", re.sub(r"\([^)]*\)", "", cells[3])))
    return found


def test_every_metric_is_documented_with_its_labels_and_no_other_is() -> None:
    assert documented() == {name: set(one.labels) for name, one in CATALOGUE.items()}
