"""What is told of the night: metrics, a line in the journal, a mail."""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles" / "control_node"
NIGHT = ROLE / "files" / "night"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The program with a sendmail that keeps what it is given."""
    (tmp_path / "sendmail").write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/words\ncat >{tmp_path}/mail\n'
    )
    (tmp_path / "sendmail").chmod(0o755)
    text = NIGHT.read_text(encoding="utf-8").replace("/usr/sbin/sendmail", f"{tmp_path}/sendmail")
    text = text.replace("/run/kitsurvie-ingest", str(tmp_path))
    (tmp_path / "night").write_text(text, encoding="utf-8")
    return tmp_path / "night"


def tell(
    program: Path, *words: str, result: str = "success", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-ISB", program, *words],
        env={**os.environ, "SERVICE_RESULT": result, **more},
        capture_output=True, text=True, check=True,
    )  # fmt: skip


def values(folder: Path, name: str = "night") -> dict[str, float]:
    lines = (folder / f"kitsurvie_{name}.prom").read_text().splitlines()
    assert len([line for line in lines if line.startswith("# TYPE")]) * 3 == len(lines)
    return {k: float(v) for k, v in (x.split() for x in lines if not x.startswith("#"))}


def test_a_good_night_then_one_that_fails(program: Path, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    tell(program, "begun", str(folder), "night")
    begun = values(folder)
    assert list(begun) == ["kitsurvie_night_last_started_timestamp_seconds"]
    tell(program, "ended", str(folder), "night")
    good = values(folder)
    assert good["kitsurvie_night_failed"] == 0
    assert (
        good["kitsurvie_night_last_success_timestamp_seconds"]
        >= begun["kitsurvie_night_last_started_timestamp_seconds"]
    )
    tell(program, "ended", str(folder), "night", result="timeout")
    bad = values(folder)
    kept = "kitsurvie_night_last_success_timestamp_seconds"
    assert (bad["kitsurvie_night_failed"], bad[kept]) == (1, good[kept])
    assert [path.name for path in folder.iterdir()] == ["kitsurvie_night.prom"]


def test_what_the_file_held_otherwise_is_of_no_account(program: Path, tmp_path: Path) -> None:
    (tmp_path / "kitsurvie_night.prom").write_bytes(b"kitsurvie_night_failed x\n\xff\nother 3\n")
    tell(program, "begun", str(tmp_path), "night")
    assert list(values(tmp_path)) == ["kitsurvie_night_last_started_timestamp_seconds"]


def test_without_a_place_for_metrics_the_night_goes_on(program: Path, tmp_path: Path) -> None:
    said = tell(program, "begun", str(tmp_path / "gone"), "night")
    assert said.stderr.startswith("<4>The metrics of the night cannot be written")
    assert tell(program, "ended", "-", "night").stderr == ""


def test_a_link_that_waits_under_the_name_of_what_is_written_is_not_followed(
    program: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.write_text("kitsurvie_backup_last_success_timestamp_seconds 1\n")
    victim.chmod(0o600)
    (folder / "kitsurvie_backup.prom").symlink_to(victim)
    before = victim.stat()
    # the shell's number is that of the program it becomes
    script = 'ln -s "$1" "$2/.kitsurvie_backup.prom.$$"; exec "$3" -ISB "$4" failed "$2" backup'
    words = ["/bin/sh", "-c", script, "sh", victim, folder, sys.executable, program]
    assert subprocess.run(words, check=False).returncode == 0
    after = victim.stat()
    assert (after.st_mode, after.st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert not (folder / "kitsurvie_backup.prom").is_symlink()
    assert set(values(folder, "backup")) == {
        "kitsurvie_backup_failed", "kitsurvie_backup_last_ended_timestamp_seconds",
    }  # fmt: skip


def test_a_failure_is_a_line_at_priority_err_and_a_mail(program: Path, tmp_path: Path) -> None:
    tell(program, "failed", str(tmp_path), "backup")
    assert values(tmp_path, "backup")["kitsurvie_backup_failed"] == 1
    said = tell(program, "tell", "backup", "sysadmins@syndicat.example")
    assert said.stderr.startswith("<3>kitsurvie: the backup failed (")
    assert (tmp_path / "words").read_text().split() == ["-t", "-i"]
    mail = email.message_from_bytes((tmp_path / "mail").read_bytes(), policy=email.policy.default)
    assert mail["To"] == "sysadmins@syndicat.example"
    assert mail["Subject"].startswith("kitsurvie: the backup failed")
    assert "What to do" in mail.get_content()


def test_a_mail_that_cannot_be_sent_is_told_too(program: Path, tmp_path: Path) -> None:
    (tmp_path / "sendmail").unlink()
    said = tell(program, "tell", "night", "a@b.example")
    assert "<3>The mail about the night could not be sent" in said.stderr


def test_what_sigterm_ended_before_it_could_obey_was_no_good_one(
    program: Path, tmp_path: Path
) -> None:
    # systemd calls that a success
    tell(program, "ended", str(tmp_path), "night", EXIT_CODE="killed", EXIT_STATUS="TERM")
    assert values(tmp_path)["kitsurvie_night_failed"] == 1
    assert "kitsurvie_night_last_success_timestamp_seconds" not in values(tmp_path)


def test_an_ingest_that_refused_something_ended_well_and_says_so(
    program: Path, tmp_path: Path
) -> None:
    refused = "kitsurvie_ingest_last_refused_timestamp_seconds"
    said = tell(program, "ended", str(tmp_path), "ingest", EXIT_CODE="exited", EXIT_STATUS="0")
    assert (said.stderr, refused in values(tmp_path, "ingest")) == ("", False)
    said = tell(program, "ended", str(tmp_path), "ingest", EXIT_CODE="exited", EXIT_STATUS="3")
    assert said.stderr.startswith("<4>kitsurvie: something that was handed in was refused")
    first = values(tmp_path, "ingest")
    assert (first["kitsurvie_ingest_failed"], refused in first) == (0, True)
    tell(program, "ended", str(tmp_path), "ingest", EXIT_CODE="exited", EXIT_STATUS="0")
    assert values(tmp_path, "ingest")[refused] == first[refused]
    # of a night, 3 is a machine that is away
    said = tell(program, "ended", str(tmp_path), "night", EXIT_CODE="exited", EXIT_STATUS="3")
    assert (said.stderr, "refused" in "".join(values(tmp_path))) == ("", False)


@pytest.fixture
def fail(program: Path, tmp_path: Path) -> Callable[[str], bool]:
    """Tell of a failure; whether a mail went."""

    def once(name: str) -> bool:
        (tmp_path / "mail").unlink(missing_ok=True)
        said = tell(program, "tell", name, "a@b.example", RUNTIME_DIRECTORY=str(tmp_path))
        assert said.stderr.startswith(f"<3>kitsurvie: the {name} failed (")
        return (tmp_path / "mail").exists()

    return once


def test_an_ingest_that_fails_all_day_is_one_mail_a_day(
    fail: Callable[[str], bool], tmp_path: Path
) -> None:
    assert [fail("ingest"), fail("ingest"), fail("night"), fail("night")] == [
        True, False, True, True,
    ]  # fmt: skip
    yesterday = time.time() - 90_000
    os.utime(tmp_path / "ingest", (yesterday, yesterday))
    assert [fail("ingest"), fail("ingest")] == [True, False]


def test_a_mail_that_never_left_does_not_spend_that_of_the_day(
    fail: Callable[[str], bool], tmp_path: Path
) -> None:
    works = (tmp_path / "sendmail").read_text()
    (tmp_path / "sendmail").write_text("#!/bin/sh\nexit 75\n")
    assert not fail("ingest")
    (tmp_path / "sendmail").write_text(works)
    assert [fail("ingest"), fail("ingest")] == [True, False]


@pytest.mark.parametrize(
    ("event", "result", "due"),
    [("ended", "success", True), ("ended", "exit-code", False), ("begun", "success", False)],
)
def test_an_ingest_that_fails_after_a_good_one_is_news(
    fail: Callable[[str], bool], program: Path, tmp_path: Path, event: str, result: str, due: bool
) -> None:
    assert fail("ingest")
    tell(program, event, "-", "ingest", result=result, RUNTIME_DIRECTORY=str(tmp_path))
    assert [fail("ingest"), fail("ingest")] == [due, False]
