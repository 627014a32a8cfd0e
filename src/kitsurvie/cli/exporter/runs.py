"""The part `runs`: when the newest run of each kind ended, how long it took, how it went."""

from __future__ import annotations

from collections.abc import Iterator

from kitsurvie.cli.exporter.sources import Sources
from kitsurvie.metrics import Sample

_COMPLIANCE = "compliance"


def samples(sources: Sources) -> Iterator[Sample]:
    """What the ledger knows of runs."""
    for run in sources.ledger.last_ended():
        kind = {"kind": run.kind}
        yield Sample("kitsurvie_run_last_end_timestamp_seconds", kind, run.ended_at)
        # a clock that was put back meanwhile makes no run shorter than nothing
        seconds = max(0.0, run.ended_at - run.started_at)
        yield Sample("kitsurvie_run_duration_seconds", kind, seconds)
        for state, hosts in run.hosts.items():
            yield Sample("kitsurvie_run_hosts", {**kind, "state": state.value}, hosts)
        if run.kind == _COMPLIANCE:
            yield Sample("kitsurvie_compliance_last_run_timestamp_seconds", {}, run.ended_at)
    success = sources.ledger.last_success(_COMPLIANCE)
    if success is not None:
        yield Sample("kitsurvie_compliance_last_success_timestamp_seconds", {}, success)
