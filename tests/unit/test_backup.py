"""A workspace in one file, and back: whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from kitsurvie import backup, ledger, workspace
from kitsurvie.cli import context, run_lock
from kitsurvie.errors import KitsurvieError, LedgerError, WorkspaceError
from kitsurvie.ledger import Ledger, Outcome, Record, RunState
from kitsurvie.model import Answer, Evidence, Status, Verdict

Members = list[tuple[tarfile.TarInfo, bytes]]
KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"


def kitsurvie(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kitsurvie.cli.main", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example syndicate, with one night in its ledger, a key, and a link."""
    root = tmp_path_factory.mktemp("model") / "syndicate"
    assert kitsurvie("init", root, cwd=root.parent).returncode == 0
    (root / "keys").mkdir()
    (root / "keys" / "observer").write_text(KEY)
    (root / "keys" / "observer").chmod(0o600)
    (root / "keys" / "observer.pub").write_text("ssh-ed25519 AAAA\n")
    (root / "inventory" / "known_hosts").write_text("a ssh-ed25519 AAAA\n")
    (root / "notes").symlink_to("inventory/hosts.yml")
    found = workspace.load(root)
    book = Ledger.open(found.ledger_url)
    hosts = json.loads(kitsurvie("inventory", "show", "--json", cwd=root).stdout)["hosts"]
    names = [host["name"] for host in hosts]
    run = book.start_run("compliance", "alice@desk", {}, names)
    for name in names[1:]:
        evidence = Evidence(name, {"true": Answer(0, b"", b"")})
        verdict = Verdict("firewall", "test_x", Status.DRIFT, "a", "b", ("true",))
        book.record(run, [Record(name, 1.0, (verdict,), evidence, Outcome.DRIFT)])
    book.end_run(run, RunState.ENDED)
    book.close()
    return root


@pytest.fixture
def place(model: Path, tmp_path: Path) -> workspace.Workspace:
    return workspace.load(shutil.copytree(model, tmp_path / "syndicate", symlinks=True))


def made(place: workspace.Workspace, into: Path, **more: bool) -> Path:
    copy = place.root.parent / "copy.sqlite"
    copy.unlink(missing_ok=True)
    assert ledger.copy(place.ledger_url, copy)
    keys = {"with_keys": False, **more}
    return backup.pack(place, into, ledger=copy, made_by="alice@desk", **keys).path


def test_a_restored_workspace_shows_the_same_night(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    before = kitsurvie("compliance", "show", "--json", cwd=place.root)
    assert before.returncode == 1, before.stderr
    done = kitsurvie("backup", tmp_path / "safe", "--json", cwd=place.root)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["ledger"], told["keys_left_out"]) == (True, ["keys/observer"])
    shutil.rmtree(place.root)
    back = kitsurvie("restore", tmp_path / "safe", place.root, cwd=tmp_path)
    assert back.returncode == 0, back.stderr
    after = kitsurvie("compliance", "show", "--json", cwd=place.root)
    assert (after.returncode, after.stdout) == (1, before.stdout)
    assert (place.root / "notes").readlink() == Path("inventory/hosts.yml")
    assert (place.root / "inventory" / "known_hosts").read_text() == "a ssh-ed25519 AAAA\n"
    assert not (place.root / "keys" / "observer").exists()
    assert place.state.stat().st_mode & 0o777 == 0o700
    assert (place.state / "ledger.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_group_s_workspace_of_before_comes_back_with_what_its_units_need(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    place.root.chmod(0o2770)
    place.make_state().chmod(0o2770)
    place.lock.write_text("{}")
    place.lock.chmod(0o660)
    path = made(place, tmp_path / "safe")
    backup.unpack(path, tmp_path / "there", overwrite=False, check=lambda _: None)
    state = tmp_path / "there" / ".kitsurvie"
    assert {
        name: oct(stat.S_IMODE((state / name).stat().st_mode))
        for name in ("refused", "ingest.lock", "run.lock")
    } == {"refused": "0o2770", "ingest.lock": "0o660", "run.lock": "0o660"}
    assert {(state / name).group() for name in ("refused", "ingest.lock")} == {state.group()}
    assert (state / "run.lock").read_text() == "{}"


def test_keys_come_along_only_when_asked_and_closed(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    path = made(place, tmp_path / "safe", with_keys=True)
    assert path.stat().st_mode & 0o777 == 0o600
    backup.unpack(path, tmp_path / "there", overwrite=False, check=lambda _: None)
    key = tmp_path / "there" / "keys" / "observer"
    assert (key.read_text(), key.stat().st_mode & 0o777) == (KEY, 0o600)


def test_a_ledger_that_is_written_to_meanwhile_is_copied_whole(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    stop = threading.Event()
    book = Ledger.open(place.ledger_url)

    def write() -> None:
        while not stop.is_set():
            book.end_run(book.start_run("compliance", "bob", {}, ("a", "b", "c")), RunState.ENDED)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            copy = tmp_path / f"copy-{number}"
            assert ledger.copy(place.ledger_url, copy)
            with sqlite3.connect(copy) as still:
                runs = still.execute("select count(*) from runs where kind='compliance'")
                hosts = still.execute(
                    "select count(*) from run_hosts join hosts on hosts.id = host_id where name='b'"
                )
                # a run and its hosts are one transaction; the first one had the whole inventory
                assert runs.fetchone()[0] - 1 == hosts.fetchone()[0]
    finally:
        stop.set()
        writer.join()
        book.close()


def test_a_damaged_ledger_makes_no_backup_and_deletes_none(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    good = made(place, tmp_path / "safe")
    path = place.state / "ledger.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\xff" * 8192
    path.write_bytes(data)
    with pytest.raises(LedgerError, match="cannot be copied"):
        ledger.copy(place.ledger_url, tmp_path / "copy")
    done = kitsurvie("backup", tmp_path / "safe", "--keep", "1", cwd=place.root)
    assert done.returncode == 2
    assert list((tmp_path / "safe").iterdir()) == [good]


def test_the_oldest_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    names = [f"kitsurvie-backup-2026112{n}T010203Z.tar.gz" for n in range(5)]
    for name in [*names, "letter.tar.gz", "kitsurvie-backup-old.tar.gz"]:
        (tmp_path / name).touch()
    assert [path.name for path in backup.rotate(tmp_path, 2)] == names[:3]
    assert backup.rotate(tmp_path, 2) == ()
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == sorted([*names[3:], "letter.tar.gz", "kitsurvie-backup-old.tar.gz"])


def test_the_backups_in_the_workspace_are_not_backed_up(place: workspace.Workspace) -> None:
    first = made(place, place.root / "backups")
    assert "workspace/kitsurvie.toml" in names_in(first)
    assert [name for name in names_in(first) if "backups" in name] == []


def names_in(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_what_leads_out_of_the_workspace_is_refused_and_leaves_nothing(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    (place.root / "elsewhere").symlink_to("/etc/passwd")
    with pytest.raises(WorkspaceError, match="leads out"):
        made(place, tmp_path / "safe")
    assert list((tmp_path / "safe").iterdir()) == []


def test_nothing_is_replaced_unless_asked_and_then_it_is_put_aside(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    path = made(place, tmp_path / "safe")
    (place.root / "kitsurvie.toml").write_text("parallel = 7\n")
    with pytest.raises(WorkspaceError, match="There is something"):
        backup.unpack(path, place.root, overwrite=False, check=lambda _: None)
    done = kitsurvie("restore", path, place.root, "--overwrite", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert workspace.load(place.root).parallel == 50
    [before] = tmp_path.glob("syndicate.before-*")
    assert (before / "kitsurvie.toml").read_text() == "parallel = 7\n"


@pytest.mark.parametrize("lock", ["lock", "ingest_lock"])
def test_nothing_is_put_aside_under_what_writes_there(
    place: workspace.Workspace, tmp_path: Path, lock: str
) -> None:
    path = made(place, tmp_path / "to")
    held = getattr(place, lock)
    with run_lock.hold(held, "what goes on", wait_for_orphan=False, tell=print):
        done = kitsurvie("restore", path, place.root, "--overwrite", cwd=tmp_path)
    assert done.returncode == 2
    assert "what goes on" in done.stderr
    assert [p.name for p in tmp_path.iterdir() if ".before-" in p.name] == []


def test_one_that_will_not_do_changes_nothing(place: workspace.Workspace, tmp_path: Path) -> None:
    path = made(place, tmp_path / "safe")

    def refuse(_: Path) -> None:
        raise LedgerError("no.", remedy="")

    with pytest.raises(LedgerError):
        backup.unpack(path, place.root, overwrite=True, check=refuse)
    assert workspace.load(place.root).parallel == 50
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.sqlite", "safe", "syndicate"]


def test_wherever_it_is_cut_it_is_no_backup(place: workspace.Workspace, tmp_path: Path) -> None:
    """But in the zeros after its manifest, where everything there is has been compared."""
    data = made(place, tmp_path / "safe").read_bytes()
    with gzip.open(backup.newest(tmp_path / "safe")) as whole:
        plain = whole.read().rstrip(b"\0")
    cut = tmp_path / "cut.tar.gz"
    for size in [0, 1, 10, *range(100, len(data), max(1, len(data) // 40)), len(data) - 9]:
        cut.write_bytes(data[:size])
        unpacked = zlib.decompressobj(31).decompress(data[:size]) if size else b""
        if len(unpacked) >= len(plain) + 1024:
            continue
        with pytest.raises(WorkspaceError, match=r"cannot be (used|brought back)"):
            backup.unpack(cut, tmp_path / "there", overwrite=False, check=lambda _: None)
        assert not (tmp_path / "there").exists()


def rebuilt(path: Path, change: Callable[[tarfile.TarInfo, bytes], Members]) -> Path:
    """The same archive with each of its members as `change` has it."""
    target = path.with_name("changed.tar.gz")
    with tarfile.open(path) as old, tarfile.open(target, "w:gz") as new:
        for member in old:
            file = old.extractfile(member) if member.isreg() else None
            for info, content in change(member, file.read() if file else b""):
                info.size = len(content)
                new.addfile(info, io.BytesIO(content))
    return target


def extra(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, to
    return info, b"x" if kind == tarfile.REGTYPE else b""


@pytest.mark.parametrize(
    "odd",
    [
        extra("workspace/../../outside"),
        extra("/tmp/outside"),
        extra("outside"),
        extra("workspace/unnamed"),
        extra("workspace/./twice"),
        extra("workspace/out", tarfile.SYMTYPE, "/etc"),
        extra("workspace/out", tarfile.SYMTYPE, "../../.."),
        extra("workspace/hard", tarfile.LNKTYPE, "workspace/kitsurvie.toml"),
        extra("workspace/pipe", tarfile.FIFOTYPE),
        extra("workspace/disk", tarfile.BLKTYPE),
        extra("workspace/kitsurvie.toml"),
    ],
    ids=lambda odd: f"{odd[0].name} {odd[0].type!r} {odd[0].linkname}",
)
def test_no_trick_of_paths_writes_anywhere(
    place: workspace.Workspace, tmp_path: Path, odd: tuple[tarfile.TarInfo, bytes]
) -> None:
    good = made(place, tmp_path / "safe")
    before = sorted(tmp_path.rglob("*"))

    def add(info: tarfile.TarInfo, data: bytes) -> Members:
        return [odd, (info, data)] if info.name == "manifest.json" else [(info, data)]

    bad = rebuilt(good, add)
    with pytest.raises(WorkspaceError, match="cannot be used"):
        backup.unpack(bad, tmp_path / "there", overwrite=False, check=lambda _: None)
    bad.unlink()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_changed_byte_is_noticed(place: workspace.Workspace, tmp_path: Path) -> None:
    def change(info: tarfile.TarInfo, data: bytes) -> Members:
        if info.name == "workspace/inventory/hosts.yml":
            data = data.replace(b"a", b"b", 1)
        return [(info, data)]

    bad = rebuilt(made(place, tmp_path / "safe"), change)
    with pytest.raises(WorkspaceError, match=r"hosts\.yml' is not what it was"):
        backup.unpack(bad, tmp_path / "there", overwrite=False, check=lambda _: None)


def test_a_file_that_is_no_archive_or_another_one_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.tar.gz"
    with tarfile.open(other, "w:gz") as tar:
        info, _ = extra("workspace/x")
        tar.addfile(info)
    (tmp_path / "text.tar.gz").write_bytes(gzip.compress(b"hello"))
    for path in (other, tmp_path / "text.tar.gz"):
        with pytest.raises(WorkspaceError, match="cannot be used"):
            backup.unpack(path, tmp_path / "there", overwrite=False, check=lambda _: None)
    with pytest.raises(WorkspaceError, match="There is no backup"):
        backup.newest(tmp_path)


def test_a_ledger_elsewhere_is_brought_back_into_the_workspace_and_told(
    place: workspace.Workspace, tmp_path: Path
) -> None:
    apart = tmp_path / "apart.sqlite"
    (place.state / "ledger.sqlite").rename(apart)
    (place.root / "kitsurvie.toml").write_text(f'ledger = "sqlite:///{apart}"\n')
    path = made(workspace.load(place.root), tmp_path / "safe")
    done = backup.unpack(path, tmp_path / "there", overwrite=False, check=lambda _: None)
    assert (tmp_path / "there" / ".kitsurvie" / "ledger.sqlite").is_file()
    assert "leads out of the workspace" in done.notes[0]


def test_under_sudo_the_person_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "daemon")
    assert context.who().startswith("daemon@")
    monkeypatch.setenv("LOGNAME", "somebody")
    monkeypatch.delenv("SUDO_USER")
    assert not context.who().startswith("somebody@")


def test_errors_have_a_remedy(place: workspace.Workspace, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KitsurvieError) as refused:
        made(place, tmp_path / "file" / "below")
    assert "earlier backups are whole" in refused.value.remedy
