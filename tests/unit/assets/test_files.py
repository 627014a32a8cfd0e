"""Folders as they are found: what is no file of its own is told, and left alone."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from .conftest import came

ROW = "serial,name\n{0},PC-{0}\n"


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(ROW.format(path.stem.upper()))


def test_a_folder_is_walked_in_the_order_of_names(tmp_path: Path) -> None:
    write(tmp_path, "b.csv", "a.csv", "sub/d.csv", "sub/deep/e.csv", "c.csv", "z/f.csv")
    found = came(tmp_path)
    assert [one.serial for one in found.records] == ["A", "B", "C", "D", "E", "F"]
    assert found.tally.files == 6


def test_a_link_in_a_folder_is_told_and_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "out/secret.csv", "in/a.csv")
    (tmp_path / "in" / "b.csv").symlink_to(tmp_path / "out" / "secret.csv")
    (tmp_path / "in" / "c").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "broken").symlink_to("nowhere")
    found = came(tmp_path / "in")
    assert [one.serial for one in found.records] == ["A"]
    assert len(found.refusals) == 4
    assert all("link" in one.reason for one in found.refusals)


def test_a_link_that_is_named_is_whoever_names_its_choice(tmp_path: Path) -> None:
    write(tmp_path, "out/a.csv")
    (tmp_path / "link.csv").symlink_to(tmp_path / "out" / "a.csv")
    assert came(tmp_path / "link.csv").record.serial == "A"


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    os.mkfifo(tmp_path / "b.csv")
    done: list[object] = []
    thread = threading.Thread(
        target=lambda: done.extend((came(tmp_path), came(tmp_path / "b.csv"))), daemon=True
    )
    thread.start()
    thread.join(10)
    assert len(done) == 2
    folder, named = done
    assert "pipe" in folder.refusals[0].reason  # type: ignore[attr-defined]
    assert "pipe" in named.refusal.reason  # type: ignore[attr-defined]


def test_devices_and_sockets_are_not_opened(tmp_path: Path) -> None:
    assert "device" in came("/dev/zero").refusal.reason
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(tmp_path / "s"))
        assert "socket" in came(tmp_path).refusal.reason


@pytest.mark.parametrize("name", ["nowhere.csv", "x" * 5000, "a\x00b"])
def test_a_file_that_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    assert "cannot be found" in came(f"{tmp_path}/{name}").refusal.reason


@pytest.mark.parametrize(
    "name",
    [b"a\nb.csv", b"\x1b[2Jx.csv", b"..csv", b"...", b"-rf.csv", b"caf\xe9.csv", "‮vsc.x".encode()],
)
def test_a_name_that_is_a_trick_can_be_printed_and_stored(tmp_path: Path, name: bytes) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    Path(os.fsdecode(path)).write_text(ROW.format("A"))
    record = came(tmp_path).record
    assert record.origin.file.isprintable()
    assert record.origin.file.encode()


def test_a_path_with_dots_is_what_it_leads_to(tmp_path: Path) -> None:
    write(tmp_path, "a/a.csv", "b/b.csv")
    assert came(f"{tmp_path}/a/../b/b.csv").record.serial == "B"


def test_a_folder_of_many_levels_is_walked_to_its_end(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / "a.csv").write_text(ROW.format("A"))
    assert came(tmp_path).record.serial == "A"


def test_one_file_that_cannot_be_read_leaves_the_others(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "c.csv")
    (tmp_path / "b.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    found = came(tmp_path)
    assert [one.serial for one in found.records] == ["A", "C"]
    assert [one.origin.file.rpartition("/")[2] for one in found.refusals] == ["b.csv"]
