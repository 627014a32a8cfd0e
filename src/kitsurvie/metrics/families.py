"""A snapshot in the words of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from kitsurvie.metrics.catalogue import CATALOGUE, Metric
from kitsurvie.metrics.snapshot import Sample, Snapshot


def families(snapshot: Snapshot) -> Iterator[GaugeMetricFamily]:
    """The families that have a sample, in the order of the catalogue. What no data is, is none."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for one in (*_own(snapshot), *(one for part in snapshot.parts for one in part.samples)):
        values = tuple(one.labels[label] for label in CATALOGUE[one.metric].labels)
        # two parts may show the name of one member
        found.setdefault(one.metric, {})[values] = one.value
    for name, metric in CATALOGUE.items():
        if name in found:
            yield _family(metric, found[name])


def _family(metric: Metric, samples: dict[tuple[str, ...], float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(metric.name, metric.help, labels=list(metric.labels))
    for values, value in sorted(samples.items()):
        family.add_metric(list(values), value)
    return family


def _own(snapshot: Snapshot) -> Iterator[Sample]:
    yield Sample("kitsurvie_exporter_info", {"version": snapshot.version}, 1)
    for part in snapshot.parts:
        yield Sample("kitsurvie_exporter_part_up", {"part": part.name}, float(part.up))
    for name, value in (
        ("ledger_up", snapshot.ledger_up),
        ("read_timestamp_seconds", snapshot.read_at),
        ("read_duration_seconds", snapshot.seconds),
    ):
        if value is not None:
            yield Sample(f"kitsurvie_exporter_{name}", {}, float(value))


class _Shown(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[GaugeMetricFamily]:
        return families(self._snapshot)


def render(snapshot: Snapshot, accept: str = "") -> tuple[bytes, str]:
    """The exposition and its content type, in the format that the `Accept` header asks for."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Shown(snapshot))
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type
