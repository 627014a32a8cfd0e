"""`--output`: a recorded run in every shape, and refusals before anything is begun."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tests.unit.foundation.conftest import Make, Run

from kitsurvie import workspace
from kitsurvie.cli import outputs
from kitsurvie.cli.formats import textfile
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Evidence, Status, Verdict


@pytest.fixture
def place(make: Make) -> workspace.Workspace:
    """A syndicate with one run on record: one drift, one machine that did not answer."""
    place = make()
    drift = Verdict("firewall", "test_x", Status.DRIFT, "<script>\x00", "drop", ("nft",))
    seen = Record("agneaux-srv-01", 1.0, (drift,), Evidence("agneaux-srv-01", {}), Outcome.DRIFT)
    gone = Record("agneaux-pc-01", 1.0, (), None, Outcome.UNREACHABLE, "it does not answer")
    ledger = Ledger.open(place.ledger_url)
    number = ledger.start_run("compliance", "a@b", {}, [seen.host, gone.host])
    ledger.record(number, [seen, gone])
    ledger.end_run(number, RunState.ENDED)
    ledger.close()
    return place


def test_every_format_at_once_and_the_table_on_the_screen(
    kitsurvie: Run, place: workspace.Workspace, tmp_path: Path
) -> None:
    names = [f for f in outputs.Format if f is not outputs.Format.TABLE]
    files = {name: tmp_path / f"night.{name}" for name in names}
    files[outputs.Format.PROMETHEUS] = tmp_path / "night.prom"
    words = [word for name, path in files.items() for word in ("--output", f"{name}={path}")]
    said = kitsurvie("compliance", "show", "-C", place.root, *words)
    assert said.code == 3
    assert "firewall / test_x  drift" in said.out
    assert json.loads(files[outputs.Format.JSON].read_text())["kind"] == "run"
    failures = ET.fromstring(files[outputs.Format.JUNIT].read_bytes()).findall(".//failure")
    assert [failure.get("message") for failure in failures] == [
        "expected drop, found <script>\\x00"
    ]
    text = files[outputs.Format.CSV].read_bytes().decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == 3
    html = files[outputs.Format.HTML].read_text()
    assert '<html lang="fr">' in html
    assert "&lt;script&gt;\\x00" in html
    assert textfile.success(files[outputs.Format.PROMETHEUS].read_text())
    modes = {name: path.stat().st_mode & 0o777 for name, path in files.items()}
    assert modes.pop(outputs.Format.PROMETHEUS) == 0o644
    assert set(modes.values()) == {0o640}


def test_one_format_may_take_standard_output_and_then_nothing_else_is_there(
    kitsurvie: Run, place: workspace.Workspace
) -> None:
    show = ("compliance", "show", "-C", place.root)
    by_option, by_output = kitsurvie(*show, "--json"), kitsurvie(*show, "-o", "json=-")
    assert by_option.out == by_output.out
    assert by_output.document["kind"] == "run"
    ET.fromstring(kitsurvie(*show, "-o", "junit=-").out)
    page = kitsurvie(*show, "-o", "html=-", "--lang", "en").out
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')


def test_the_table_in_a_file_leaves_the_screen_empty(
    kitsurvie: Run, place: workspace.Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "night.txt"
    said = kitsurvie("compliance", "show", "-C", place.root, "-o", f"table={path}")
    assert said.out == ""
    assert path.read_text() == kitsurvie("compliance", "show", "-C", place.root).out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-o", "pdf=x"], "is not FORMAT=PATH"),
        (["-o", "html"], "is not FORMAT=PATH"),
        (["-o", "html="], "is not FORMAT=PATH"),
        (["-o", "html=-", "-o", "csv=-"], "Standard output is given twice"),
        (["--json", "-o", "csv=-"], "Standard output is given twice"),
        (["-o", "html=night", "-o", "csv=./night"], "night is given twice"),
        (["-o", "html=missing/night.html"], "its folder does not exist. Nothing was begun."),
        (["-o", "html=."], "it is a folder"),
        (["-o", "html=/dev/null"], "it is no ordinary file"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_run(
    kitsurvie: Run, place: workspace.Workspace, words: list[str], told: str
) -> None:
    said = kitsurvie("compliance", "run", "-C", place.root, *words)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    ledger = Ledger.open(place.ledger_url)
    assert len(ledger.runs()) == 1
    ledger.close()


def test_a_file_that_fails_at_the_end_keeps_no_other_back(
    kitsurvie: Run, place: workspace.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    calls = []

    def full_at_first(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full_at_first)
    page, rows = tmp_path / "night.html", tmp_path / "night.csv"
    said = kitsurvie(
        "compliance", "show", "-C", place.root, "-o", f"html={page}", "-o", f"csv={rows}"
    )
    assert said.code == 2
    assert "The html file cannot be written: No space left on device." in said.err
    assert f"kitsurvie compliance show --run 1 -o html={page}" in said.err
    assert "firewall / test_x  drift" in said.out
    assert (page.exists(), rows.exists()) == (False, True)


def test_a_run_without_an_answer_does_not_hide_when_one_last_succeeded(
    kitsurvie: Run, place: workspace.Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "night.prom"
    words = ("compliance", "show", "-C", place.root, "-o", f"prometheus={path}")
    kitsurvie(*words)
    before = textfile.success(path.read_text())
    ledger = Ledger.open(place.ledger_url)
    number = ledger.start_run("compliance", "a@b", {}, ["agneaux-pc-01"])
    gone = Record("agneaux-pc-01", 9.0, (), None, Outcome.UNREACHABLE, "it does not answer")
    ledger.record(number, [gone])
    ledger.end_run(number, RunState.ENDED)
    ledger.close()
    kitsurvie(*words)
    assert before
    assert textfile.success(path.read_text()) == before


def test_a_name_that_node_exporter_does_not_read_is_told(
    kitsurvie: Run, place: workspace.Workspace, tmp_path: Path
) -> None:
    said = kitsurvie(
        "compliance", "show", "-C", place.root, "-o", f"prometheus={tmp_path / 'night.txt'}"
    )
    assert "node_exporter reads names in .prom only" in said.err
