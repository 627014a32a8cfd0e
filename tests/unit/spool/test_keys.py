"""The keys of machines: files that are reviewed, one list that follows them."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from kitsurvie import workspace
from kitsurvie.errors import WorkspaceError
from kitsurvie.spool import add, publish, remove, stored
from kitsurvie.workspace import Workspace


def public(number: int) -> str:
    raw = b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes([number]) * 32
    return f"ssh-ed25519 {base64.b64encode(raw).decode()} root@pc\n"


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    (tmp_path / "kitsurvie.toml").write_text('spool = "spool"')
    (tmp_path / "spool" / "keys").mkdir(parents=True)
    return workspace.load(tmp_path)


def test_the_list_follows_the_files_and_the_machines_that_are_meant(place: Workspace) -> None:
    for number in (1, 2, 3):
        add(place, f"pc-{number}", public(number))
    said = publish(place, {"pc-1", "pc-2"})
    assert (said.added, said.removed) == (("pc-1", "pc-2"), ())
    text = (place.spool / "keys" / "list").read_text()
    assert text.splitlines()[0] == f"pc-1 {public(1).rpartition(' ')[0]}"
    assert remove(place, "pc-1")
    assert not remove(place, "pc-1")
    said = publish(place, {"pc-1", "pc-2"})
    assert (said.added, said.removed, list(said.keys)) == ((), ("pc-1",), ["pc-2"])
    assert "pc-1" not in (place.spool / "keys" / "list").read_text()


def test_a_look_changes_nothing(place: Workspace) -> None:
    add(place, "pc-1", public(1))
    assert publish(place, {"pc-1"}, write=False).added == ("pc-1",)
    assert not (place.spool / "keys" / "list").exists()


def test_machines_with_one_key_are_all_left_out(place: Workspace) -> None:
    add(place, "pc-1", public(1))
    add(place, "pc-2", public(1))
    add(place, "pc-3", public(3))
    said = publish(place, {"pc-1", "pc-2", "pc-3"})
    assert (list(said.keys), said.shared) == (["pc-3"], (("pc-1", "pc-2"),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh-rsa AAAA root@pc",
        public(1) + public(2),
        'command="date" ' + public(1),
        public(1).replace("AAAA", "AAAB"),
        "ssh-ed25519 " + "A" * 68,
    ],
)
def test_what_is_no_ed25519_key_is_refused(place: Workspace, text: str) -> None:
    with pytest.raises(ValueError, match=r"key|base64"):
        add(place, "pc-1", text)
    place.spool_keys.mkdir(exist_ok=True)
    (place.spool_keys / "pc-1.pub").write_text(text)
    with pytest.raises(WorkspaceError, match="not the public key"):
        stored(place)


def test_a_spool_that_is_not_there_is_said(place: Workspace) -> None:
    (place.spool / "keys").rmdir()
    add(place, "pc-1", public(1))
    with pytest.raises(WorkspaceError, match="cannot be written"):
        publish(place, {"pc-1"})
