"""What is old goes, what still shows stays, whenever the power is cut and whoever else writes."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import (
    Acknowledgement,
    Ledger,
    Outcome,
    Pruned,
    Record,
    Retention,
    RunState,
    pruning,
)
from kitsurvie.model import Answer, Evidence, Status, Verdict

DAY = 86_400.0
START = 1_790_000_000.0
NIGHTS = 30
HOSTS = [f"agneaux-pc-{n:02d}" for n in range(12)]
# nights from 20 on keep their verdicts, from 25 on their evidence
KEEP = Retention(START + 20 * DAY, START + 25 * DAY)


def verdicts(host: int, night: int) -> tuple[Verdict, ...]:
    """Each host drifts one night in seven, each on its own."""
    drifts = (host + night) % 7 == 0
    found = f"night {night}" if drifts else ""
    status = Status.DRIFT if drifts else Status.COMPLIANT
    return (
        Verdict("firewall", "test_drop", status, found, commands=("nft",)),
        Verdict("updates", "test_timer", Status.COMPLIANT, commands=("uname",)),
    )


def answers(host: int, night: int) -> dict[str, Answer]:
    changing = (bytes([host, night]) * 3000) if (host + night) % 7 == 0 else b"fine" * 1000
    return {"uname": Answer(0, b"Linux", b""), "nft": Answer(0, changing, b"")}


def record(host: int, night: int) -> Record:
    away = host == 0 and night > 3
    evidence = None if away else Evidence(HOSTS[host], answers(host, night))
    given = () if away else verdicts(host, night)
    state = Outcome.UNREACHABLE if away else Outcome.DONE
    return Record(HOSTS[host], START + night * DAY, given, evidence, state)


@pytest.fixture
def kept(ledger_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a ledger with thirty nights in it."""
    ledger = Ledger.open(ledger_url)
    clock = START
    monkeypatch.setattr("time.time", lambda: clock)
    for night in range(NIGHTS):
        clock = START + night * DAY
        run = ledger.start_run("compliance", "admin1@desk", {}, HOSTS)
        ledger.record(run, [record(host, night) for host in range(len(HOSTS))])
        ledger.set_outcome(run, HOSTS[1], "firewall", "changed")
        ledger.end_run(run, RunState.ENDED)
    ledger.learn("class:x", ["uname", "nft"])
    ledger.acknowledge(
        Acknowledgement(HOSTS[1], "firewall", "test_drop", "admin1", "x", "2026-01-01", START)
    )
    ledger.close()
    return ledger_url


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def shown(ledger: Ledger) -> dict[str, Any]:
    """All that a young run, and what stands, can still be asked."""
    young = range(21, NIGHTS + 1)
    return {
        "seen": {run: ledger.seen(run) for run in young},
        "hosts": {run: ledger.hosts(run) for run in young},
        "outcomes": {run: ledger.outcomes(run) for run in young},
        "runs": [ledger.run(run) for run in young],
        "standing": {host: ledger.standing(host) for host in HOSTS},
        "last": ledger.last_seen(HOSTS),
        "changes": [ledger.changes(run - 1, run) for run in range(22, NIGHTS + 1)],
        "evidence": {
            (run, host): ledger.evidence(one)
            for run in range(26, NIGHTS + 1)
            for host, one in ledger.seen(run).items()
        },
        "learnt": ledger.learnt(),
    }


def test_what_is_old_goes_and_all_that_is_shown_stays(kept: str) -> None:
    ledger = Ledger.open(kept)
    before, was = shown(ledger), ledger.size()
    told = ledger.prunable(KEEP)
    gone = ledger.prune(KEEP)
    assert gone == told
    # of twelve hosts in twenty nights; the absent one keeps its last answer and that night's look
    assert gone.looks == 12 * 20 - 1
    assert gone.runs > 0
    assert gone.acknowledgements == 1
    assert gone.answers > 0
    assert shown(ledger) == before
    size_before, size_after = ledger.give_back()
    assert size_before >= size_after == ledger.size()
    if kept.startswith("sqlite"):
        # PostgreSQL gives nothing back, and fills it again
        assert size_after == path_of(kept).stat().st_size < was
    assert shown(ledger) == before
    assert ledger.prune(KEEP) == Pruned()
    ledger.close()


def test_the_absent_keep_their_last_look_with_its_evidence_and_run(kept: str) -> None:
    ledger = Ledger.open(kept)
    ledger.prune(KEEP)
    known = ledger.last_seen([HOSTS[0]])[HOSTS[0]]
    assert (known.run, known.at) == (4, START + 3 * DAY)
    assert [past.verdict for past in known.verdicts] == list(verdicts(0, 3))
    seen = ledger.seen(4)
    assert list(seen) == [HOSTS[0]]
    evidence = ledger.evidence(seen[HOSTS[0]])
    assert evidence is not None
    assert dict(evidence.answers) == answers(0, 3)
    assert list(ledger.hosts(4)) == [HOSTS[0]]
    ledger.close()


def test_pruned_evidence_says_so(kept: str) -> None:
    ledger = Ledger.open(kept)
    ledger.prune(KEEP)
    # night 22: its answer was its own
    seen = ledger.seen(23)[HOSTS[6]]
    assert seen.verdicts == verdicts(6, 22)
    with pytest.raises(LedgerError, match="no longer in the ledger"):
        ledger.evidence(seen)
    ledger.close()


def test_an_old_run_that_found_what_still_stands_is_still_named(kept: str) -> None:
    ledger = Ledger.open(kept)
    ledger.prune(KEEP)
    (timer,) = (i for i in ledger.standing(HOSTS[2]) if i.verdict.measure == "updates")
    assert timer.from_run == 1
    assert ledger.run(1).by_whom == "admin1@desk"
    with pytest.raises(LedgerError, match="no run 9"):
        ledger.run(9)
    ledger.close()


def test_nothing_goes_from_a_ledger_that_is_young(kept: str) -> None:
    ledger = Ledger.open(kept)
    assert ledger.prune(Retention(START, START)) == Pruned(acknowledgements=1)
    ledger.close()


CUT = """
import os, signal, sys
from kitsurvie.ledger import Ledger, Retention, database, pruning
pruning.TOGETHER = 40
steps = int(sys.argv[2])
whole = Ledger._write
def counted(self):
    global steps
    steps -= 1
    if steps < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self)
ledger = Ledger.open(sys.argv[1])
Ledger._write = counted
plain = pruning._announce
def dying(connection):
    plain(connection)
    if steps == 0 and sys.argv[3] == "inside":
        os.kill(os.getpid(), signal.SIGKILL)
pruning._announce = dying
ledger.prune(Retention(float(sys.argv[4]), float(sys.argv[5])))
"""


@pytest.mark.parametrize("where", ["between", "inside"])
def test_a_power_cut_anywhere_in_a_prune_takes_nothing_that_is_shown(kept: str, where: str) -> None:
    before = shown(Ledger.open(kept))
    for step in range(0, 40, 3):
        words = [kept, str(step), where, str(KEEP.verdicts_from), str(KEEP.evidence_from)]
        done = subprocess.run([sys.executable, "-c", CUT, *words], check=False)
        ledger = Ledger.open(kept)
        assert shown(ledger) == before
        ledger.close()
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL
    else:
        pytest.fail("the prune never came to its end")
    ledger = Ledger.open(kept)
    assert ledger.prunable(KEEP) == Pruned()
    ledger.close()


def test_a_run_under_way_loses_nothing_that_it_believes_stored(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stored an answer, the prune finds it unnamed, and then the run names it again."""
    running = Ledger.open(kept)
    run = running.start_run("compliance", "admin1@desk", {}, HOSTS)
    running.learn("class:x", ["once"])
    running.learn("class:x", ["again"])
    other = Ledger.open(kept)
    found = pruning._orphans
    late = Record(
        HOSTS[2], START, (), Evidence(HOSTS[2], {"once": Answer(0, b"", b"")}), Outcome.DONE
    )

    def meanwhile(*given: Any) -> Any:
        orphans = found(*given)
        # between what the prune has found and what it takes
        running.record(run, [Record(HOSTS[3], START, *late_of(3))])
        return orphans

    def late_of(host: int) -> Any:
        evidence = Evidence(HOSTS[host], answers(6, 8))
        return verdicts(6, 8), evidence, Outcome.DONE

    monkeypatch.setattr(pruning, "_orphans", meanwhile)
    other.prune(KEEP)
    running.record(run, [late])
    seen = running.seen(run)
    whole = [running.evidence(seen[HOSTS[host]]) for host in (2, 3)]
    assert whole[0] == late.evidence
    assert whole[1] is not None
    assert dict(whole[1].answers) == answers(6, 8)
    assert seen[HOSTS[3]].verdicts == verdicts(6, 8)
    running.close()
    other.close()


def test_a_ledger_made_before_its_room_could_be_given_back_gives_it_all_the_same(
    kept: str,
) -> None:
    if not kept.startswith("sqlite"):
        return  # what PostgreSQL does by itself
    with sqlite3.connect(path_of(kept)) as raw:
        raw.execute("pragma auto_vacuum=none")
        raw.isolation_level = None
        raw.execute("vacuum")
    raw.close()
    ledger = Ledger.open(kept)
    ledger.prune(KEEP)
    before, after = ledger.give_back()
    assert after < before
    ledger.close()
