"""The ledger: written as soon as known, read back as it was."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from tests.databases import Server

from kitsurvie.errors import LedgerError
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.ledger.packing import (
    content,
    pack_answer,
    pack_content,
    restore,
    squeeze,
    unpack_answer,
    unpack_content,
)
from kitsurvie.model import Answer, Evidence, Status, Verdict

EVIDENCE = Evidence(
    "srv", {"uname": Answer(0, b"Linux\n", b""), "odd": Answer(-9, b"\xff\x00", b"e", "timeout")}
)
VERDICTS = (
    Verdict("updates", "test_a", Status.DRIFT, "é\udcff", "b", ("uname",)),
    Verdict("updates", "test_b", Status.COMPLIANT),
)


def record(host: str = "srv", verdicts: tuple[Verdict, ...] = VERDICTS) -> Record:
    return Record(host, 1.5, verdicts, EVIDENCE, Outcome.DRIFT, "two lines")


def test_what_was_seen_is_read_back_as_it_was(ledger: Ledger) -> None:
    run = ledger.start_run("compliance", "admin1", {"limit": "all"})
    ledger.record(run, [record()])
    seen = ledger.seen(run)["srv"]
    assert seen.verdicts == VERDICTS
    assert ledger.evidence(seen) == EVIDENCE
    assert ledger.hosts(run) == {"srv": (Outcome.DRIFT, "two lines")}


def test_the_last_look_of_a_run_is_the_one_that_counts(ledger: Ledger) -> None:
    run = ledger.start_run("deploy", "admin1", {})
    ledger.record(run, [record()])
    ledger.record(run, [record(verdicts=VERDICTS[1:])])
    assert ledger.seen(run)["srv"].verdicts == VERDICTS[1:]


def test_a_night_in_which_nothing_changed_adds_no_evidence(ledger: Ledger, ledger_url: str) -> None:
    def contents() -> int:
        with create_engine(ledger_url).connect() as raw:
            return int(raw.execute(text("select count(*) from blobs")).scalar_one())

    ledger.record(ledger.start_run("compliance", "x", {}), [record("a"), record("b")])
    before = contents()
    again = Ledger.open(ledger_url)
    again.record(again.start_run("compliance", "x", {}), [record("a"), record("b")])
    assert contents() == before


def test_a_run_cut_short_is_still_running_and_says_where_each_host_stands(ledger: Ledger) -> None:
    run = ledger.start_run("deploy", "admin1", {"full": True})
    ledger.set_hosts(run, ["a", "b"], Outcome.PENDING)
    ledger.set_hosts(run, ["a"], Outcome.DONE, "proved")
    ledger.set_outcome(run, "a", "updates", "changed")
    ledger.set_outcome(run, "a", "updates", "failed", "no network")
    (last,) = ledger.runs("deploy", "plan")
    assert (last.id, last.state, last.options) == (run, RunState.RUNNING, {"full": True})
    assert ledger.hosts(run) == {"a": (Outcome.DONE, "proved"), "b": (Outcome.PENDING, "")}
    assert ledger.outcomes(run) == {("a", "updates"): ("failed", "no network")}
    ledger.end_run(run, RunState.ENDED)
    assert ledger.run(run).state is RunState.ENDED


def test_commands_learnt_replace_the_ones_before(ledger: Ledger) -> None:
    ledger.learn("class:x", ["a", "b"])
    ledger.learn("class:x", ["a", "c"])
    ledger.learn("host:y", ["a", "c"])
    assert ledger.learnt() == {"class:x": ("a", "c"), "host:y": ("a", "c")}


def test_a_ledger_of_a_newer_version_is_left_alone(ledger_url: str) -> None:
    Ledger.open(ledger_url).close()
    with create_engine(ledger_url).begin() as raw:
        raw.execute(text("update ledger_version set version = 99"))
    with pytest.raises(LedgerError, match="newer kitsurvie"):
        Ledger.open(ledger_url)


def test_a_file_that_is_no_ledger_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"hello, I am a spreadsheet" * 100)
    with pytest.raises(LedgerError, match="damaged, or is no ledger"):
        Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")


def test_a_read_only_ledger_can_be_read_and_says_why_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    path = tmp_path / "ledger.sqlite"
    first = Ledger.open(f"sqlite:///{path}")
    run = first.start_run("compliance", "x", {})
    first.record(run, [record()])
    first.close()
    read_only = Ledger.open(f"sqlite:///file:{path}?mode=ro&uri=true")
    assert read_only.seen(run)["srv"].verdicts == VERDICTS
    with pytest.raises(LedgerError, match="read-only"):
        read_only.start_run("compliance", "x", {})
    assert list((tmp_path / "here").iterdir()) == []


def test_a_ledger_locked_by_another_process_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite"
    book = Ledger.open(f"sqlite:///{path}?timeout=0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("kitsurvie.ledger.database.BUSY_MS", 50)
    book.close()
    with pytest.raises(LedgerError, match="locked by another process"):
        book.start_run("compliance", "x", {})
    other.execute("ROLLBACK")


def test_a_table_locked_on_postgresql_is_said_so(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.url()
    Ledger.open(url).close()
    monkeypatch.setattr("kitsurvie.ledger.database.BUSY_MS", 50)
    book = Ledger.open(url)
    with create_engine(url).begin() as other:
        other.execute(text("lock table runs in access exclusive mode"))
        with pytest.raises(LedgerError, match="locked by another process"):
            book.start_run("compliance", "x", {})
    assert book.start_run("compliance", "x", {}) == 1
    book.close()


@pytest.mark.parametrize("url", ["nonsense", "sqlite:////proc/nowhere/l.sqlite", "nodb://x"])
def test_an_address_that_cannot_be_used_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(LedgerError, match=r"cannot be (used|opened)"):
        Ledger.open(url)


@given(st.integers(-64, 255), st.binary(), st.binary(), st.sampled_from(["", "timeout"]))
def test_any_answer_survives_packing(rc: int, out: bytes, err: bytes, flaw: str) -> None:
    answer = Answer(rc, out, err, flaw)
    assert unpack_answer(restore(squeeze(pack_answer(answer)))) == answer


@given(st.text(), st.text())
def test_any_verdict_survives_packing(found: str, message: str) -> None:
    verdict = Verdict("m", "c", Status.DRIFT, found, "", ("x",), message)
    assert unpack_content(pack_content(content(verdict))) == content(verdict)


def test_a_database_without_its_driver_is_said_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match="no driver here") as named:
        Ledger.open("postgresql+psycopg://kit:secret@db/kit")
    assert "kitsurvie[postgresql]" in (named.value.remedy or "")
    assert "secret" not in str(named.value.where)


def test_a_server_that_is_not_there_is_said_without_a_password(tmp_path: Path) -> None:
    with pytest.raises(LedgerError) as named:
        Ledger.open(f"postgresql+psycopg://kit:secret@/kit?host={tmp_path}")
    told = f"{named.value} {named.value.where} {named.value.remedy}"
    assert "secret" not in told
    assert "answer" in str(named.value)
