"""Who looks at a machine at the same time as somebody else: the newer look stands."""

from __future__ import annotations

import pytest

from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict

HOST = "pc-1"


def look(at: float, status: Status) -> Record:
    verdicts = (Verdict("firewall", "test_it", status, commands=("nft",)),)
    state = Outcome.DONE if status is Status.COMPLIANT else Outcome.DRIFT
    return Record(HOST, at, verdicts, Evidence(HOST, {"nft": Answer(0, b"x", b"")}), state)


def stands(ledger: Ledger) -> tuple[str, float]:
    (interval,) = ledger.standing(HOST)
    return interval.verdict.status.value, ledger.last_seen([HOST])[HOST].at


@pytest.mark.parametrize("first", ["night", "ingest"])
def test_whoever_writes_first_the_newer_look_stands(ledger: Ledger, first: str) -> None:
    """A night holds what it saw for a moment: what came in meanwhile may be newer, and written."""
    night = ledger.start_run("compliance", "x", {}, [HOST])
    ingest = ledger.start_run("ingest", "x", {})
    old, new = look(100.0, Status.DRIFT), look(160.0, Status.COMPLIANT)
    if first == "night":
        assert ledger.record(night, [old]) == frozenset()
        assert ledger.record(ingest, [new], brought_in=True) == frozenset()
    else:
        assert ledger.record(ingest, [new], brought_in=True) == frozenset()
        assert ledger.record(night, [old]) == {HOST}
    assert stands(ledger) == ("compliant", 160.0)
    ledger.end_run(night, RunState.ENDED)
    # it was seen by the night all the same
    assert ledger.hosts(night) == {HOST: (Outcome.DRIFT, "")}
    assert ledger.hosts(ingest) == {HOST: (Outcome.DONE, "")}


def test_a_clock_that_went_back_does_not_stop_the_nights(ledger: Ledger) -> None:
    """The control node was three days ahead once: what it sees today is still what stands."""
    ahead = ledger.start_run("compliance", "x", {}, [HOST])
    ledger.record(ahead, [look(3 * 86_400.0, Status.DRIFT)])
    tonight = ledger.start_run("compliance", "x", {}, [HOST])
    assert ledger.record(tonight, [look(100.0, Status.COMPLIANT)]) == frozenset()
    assert stands(ledger) == ("compliant", 100.0)


def test_what_is_brought_in_late_is_not_of_that_run(ledger: Ledger) -> None:
    night = ledger.start_run("compliance", "x", {}, [HOST])
    ledger.record(night, [look(160.0, Status.DRIFT)])
    ingest = ledger.start_run("ingest", "x", {})
    assert ledger.record(ingest, [look(100.0, Status.COMPLIANT)], brought_in=True) == {HOST}
    assert (stands(ledger), ledger.hosts(ingest)) == (("drift", 160.0), {})
