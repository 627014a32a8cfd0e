"""The syndicate's numbers as Prometheus families: aggregates alone, nobody and nothing by name."""

from kitsurvie.metrics.catalogue import CATALOGUE, PARTS, Metric
from kitsurvie.metrics.families import render
from kitsurvie.metrics.snapshot import MOST_SERIES, Part, Sample, Snapshot, bounded, checked

__all__ = [
    "CATALOGUE",
    "MOST_SERIES",
    "PARTS",
    "Metric",
    "Part",
    "Sample",
    "Snapshot",
    "bounded",
    "checked",
    "render",
]
