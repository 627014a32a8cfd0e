"""Looks are written together, and none is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kitsurvie.cli import recording
from kitsurvie.cli.recording import looks
from kitsurvie.ledger import Ledger, Outcome, Record


def look(number: int) -> Record:
    return Record(f"h{number:03d}", 1.0, (), None, Outcome.DONE)


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Ledger, int, list[int]]:
    """A ledger with a run, and the sizes of what is written to it."""
    monkeypatch.setattr(recording, "TOGETHER_S", 3600.0)
    ledger = Ledger.open(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    sizes: list[int] = []
    whole: Callable[..., None] = ledger.record

    def record(run: int, records: list[Record]) -> None:
        sizes.append(len(records))
        whole(run, records)

    monkeypatch.setattr(ledger, "record", record)
    return ledger, ledger.start_run("compliance", "x", {}), sizes


def test_many_looks_share_one_transaction(written: tuple[Ledger, int, list[int]]) -> None:
    ledger, run, sizes = written
    with looks(ledger, run) as write:
        for number in range(120):
            write(look(number))
    assert sizes == [50, 50, 20]
    assert len(ledger.hosts(run)) == 120


def test_what_was_seen_before_an_interruption_is_kept(
    written: tuple[Ledger, int, list[int]],
) -> None:
    ledger, run, _ = written

    def interrupted() -> None:
        with looks(ledger, run) as write:
            write(look(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(ledger.hosts(run)) == ["h001"]


def test_a_slow_night_is_written_as_it_goes(
    written: tuple[Ledger, int, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, run, sizes = written
    monkeypatch.setattr(recording, "TOGETHER_S", 0.0)
    with looks(ledger, run) as write:
        write(look(1))
        assert sizes == [1]
