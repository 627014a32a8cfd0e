"""A file is there whole, or as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kitsurvie.cli.formats import whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_mode_is_the_one_chosen_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        whole.write(tmp_path / "night.html", b"one", whole.REPORT)
        whole.write(tmp_path / "night.prom", b"two", whole.COUNTS)
    finally:
        os.umask(before)
    assert (tmp_path / "night.html").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "night.prom").stat().st_mode & 0o777 == 0o644


def test_what_was_there_stays_when_the_write_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "night.csv"
    target.write_bytes(b"yesterday")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        whole.write(target, b"today", whole.REPORT)
    assert (target.read_bytes(), names(tmp_path)) == (b"yesterday", ["night.csv"])


def test_a_link_stays_a_link_and_what_it_names_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "night.csv")
    whole.write(tmp_path / "link", b"today", whole.REPORT)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "night.csv").read_bytes() == b"today"


def test_a_pipe_a_device_or_a_folder_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for place in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/null")):
        with pytest.raises(OSError, match="it is"):
            whole.prove(place)
        with pytest.raises(OSError, match="it is"):
            whole.write(place, b"", whole.REPORT)
    assert names(tmp_path) == ["folder", "pipe"]


def test_to_prove_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    whole.prove(tmp_path / "night.csv")
    assert names(tmp_path) == []
    with pytest.raises(FileNotFoundError):
        whole.prove(tmp_path / "missing" / "night.csv")
