"""A full disk, a lock, two runs at once, a kill -9: clear words, and nothing lost or half told."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kitsurvie.cli.recording import recorded
from kitsurvie.cli.run_lock import hold
from kitsurvie.errors import LedgerError, RunError
from kitsurvie.ledger import Ledger, Outcome, Record, Retention, RunState, database
from kitsurvie.model import Answer, Evidence, Status, Verdict

SAME = Verdict("firewall", "test_drop", Status.COMPLIANT)


def record(host: str, size: int = 10) -> Record:
    evidence = Evidence(host, {"uname": Answer(0, os.urandom(size), b"")})
    return Record(host, 1.0, (SAME,), evidence, Outcome.DONE)


def room(path: Path, more: int) -> int:
    """How many pages the ledger has, and some more."""
    with sqlite3.connect(path) as raw:
        return int(raw.execute("pragma page_count").fetchone()[0]) + more


@contextmanager
def full(ledger: Ledger, most: int) -> Iterator[None]:
    """The ledger's own connection, on a disk that has no more room than so many pages."""
    with ledger._engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={most}")
    try:
        yield
    finally:
        with ledger._engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1000000000")


def test_a_full_disk_is_said_and_what_was_written_before_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")
    run = ledger.start_run("compliance", "x", {}, ["a", "b"])
    ledger.record(run, [record("a")])
    with full(ledger, room(path, 4)), pytest.raises(LedgerError, match="disk is full") as told:
        ledger.record(run, [record("b", 200_000)])
    assert "compliance prune" in told.value.remedy
    assert list(ledger.seen(run)) == ["a"]
    assert ledger.hosts(run)["b"] == (Outcome.PENDING, "")
    ledger.record(run, [record("b", 200_000)])
    assert ledger.evidence(ledger.seen(run)["b"]) is not None
    ledger.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk")
def test_on_a_disk_that_is_really_full_a_run_stops_and_old_nights_give_room(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "none", small]).returncode:
        pytest.skip("no tmpfs may be mounted here")
    try:
        ledger = Ledger.open(f"sqlite:///{small / 'ledger.sqlite'}")
        kept: list[int] = []

        def nights() -> None:
            for _ in range(100):
                run = ledger.start_run("compliance", "x", {})
                ledger.record(run, [record("a", 100_000)])
                ledger.end_run(run, RunState.ENDED)
                kept.append(run)

        with pytest.raises(LedgerError, match="the disk is full"):
            nights()
        assert len(kept) > 5
        for run in kept:
            assert ledger.evidence(ledger.seen(run)["a"]) is not None
        ledger.close()
        # a sysadmin makes room for what was last written and not yet in its place; that is enough
        subprocess.run(["mount", "-o", "remount,size=7m", small], check=True)
        ledger = Ledger.open(f"sqlite:///{small / 'ledger.sqlite'}")
        now = time.time()
        assert ledger.prune(Retention(0.0, now + 1)).answers > 5
        before, after = ledger.give_back()
        assert after < before / 2
        assert ledger.evidence(ledger.seen(kept[-1])["a"]) is not None
        ledger.close()
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def test_a_run_that_fails_says_why_and_not_that_its_end_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")

    def fail() -> None:
        with recorded(ledger, "compliance", {}, ()), sqlite3.connect(path) as raw:
            raw.execute(
                "create trigger t before update on runs begin select raise(abort, 'no'); end"
            )
            raw.commit()
            raise KeyError("why")

    with pytest.raises(KeyError, match="why"):
        fail()
    assert ledger.runs()[0].state is RunState.RUNNING
    ledger.close()


def test_a_locked_ledger_is_said_and_written_once_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_MS", 50)
    path = tmp_path / "ledger.sqlite"
    ledger = Ledger.open(f"sqlite:///{path}")
    run = ledger.start_run("compliance", "x", {})
    ledger.record(run, [record("a")])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="locked by another process"):
        ledger.record(run, [record("b")])
    # who only reads is not kept waiting
    assert list(ledger.seen(run)) == ["a"]
    other.execute("ROLLBACK")
    other.close()
    ledger.record(run, [record("b")])
    assert list(ledger.seen(run)) == ["a", "b"]
    ledger.close()


def test_a_second_run_in_a_workspace_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with hold(path, "a compliance run", wait_for_orphan=False, tell=print):
        script = (
            "import sys; from pathlib import Path; from kitsurvie.cli.run_lock import hold\n"
            "from kitsurvie.errors import RunError\n"
            "try:\n"
            "    with hold(Path(sys.argv[1]), 'x', wait_for_orphan=False, tell=print): pass\n"
            "except RunError as error:\n"
            "    print(error)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
        )
    assert f"a compliance run, process {os.getpid()}" in done.stdout
    assert RunError.exit_code == 2


NIGHT = """
import sys
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict
ledger = Ledger.open(sys.argv[1])
run = ledger.start_run("compliance", "x", {}, [f"h{n:03d}" for n in range(400)])
print(run, flush=True)
for start in range(0, 400, 2):
    records = [
        Record(f"h{n:03d}", float(run), (Verdict("m", "c", Status.DRIFT, str(run)),),
               Evidence(f"h{n:03d}", {"uname": Answer(0, str(run).encode(), b"")}), Outcome.DRIFT)
        for n in (start, start + 1)
    ]
    ledger.record(run, records)
ledger.end_run(run, RunState.ENDED)
"""


@pytest.mark.parametrize("after_s", [0.02, 0.2, 0.6])
def test_a_run_that_is_killed_leaves_whole_looks_and_no_end(tmp_path: Path, after_s: float) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    Ledger.open(url).close()
    process = subprocess.Popen(
        [sys.executable, "-c", NIGHT, url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    run = int(process.stdout.readline())
    time.sleep(after_s)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    ledger = Ledger.open(url)
    seen, hosts = ledger.seen(run), ledger.hosts(run)
    assert len(hosts) == 400
    # a host has its verdict, its evidence and its state, or none of them
    assert {n for n, (state, _) in hosts.items() if state is Outcome.DRIFT} == set(seen)
    for one in list(seen.values())[:20]:
        assert [v.found for v in one.verdicts] == [str(run)]
        assert ledger.evidence(one) is not None
    if ledger.run(run).state is RunState.RUNNING:
        assert len(seen) < 400 or after_s > 0.5
    again = subprocess.run([sys.executable, "-c", NIGHT, url], check=True, capture_output=True)
    last = int(again.stdout)
    assert ledger.run(last).state is RunState.ENDED
    assert len(ledger.seen(last)) == 400
    assert {i.verdict.found for i in ledger.standing("h000")} == {str(last)}
    ledger.close()
