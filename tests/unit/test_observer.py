"""The program that the observer's key runs, and the list that says what it may be asked."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsurvie import workspace
from kitsurvie.cli import observer
from kitsurvie.cli.learnt import Learnt
from kitsurvie.errors import WorkspaceError
from kitsurvie.fleet.target import Target
from kitsurvie.ledger import Ledger
from kitsurvie.model import Answer
from kitsurvie.observe import answers, request

ROLE = Path(__file__).parents[2] / "roles" / "observer"
Ask = Callable[..., subprocess.CompletedProcess[bytes]]


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it is installed, but for the two places it reads."""
    folder = tmp_path_factory.mktemp("observer")
    text = (ROLE / "files" / "observe").read_text(encoding="utf-8")
    text = text.replace("/var/lib/kitsurvie/observer/commands", str(folder / "commands"))
    text = text.replace("/usr/lib/kitsurvie/observer/runner.py", str(folder / "runner.py"))
    text = text.replace("FIRST_S, READ_S = 15, 60", "FIRST_S, READ_S = 2, 2")
    (folder / "observe").write_text(text, encoding="utf-8")
    (folder / "runner.py").write_bytes((ROLE / "files" / "runner.py").read_bytes())
    (folder / "commands").write_text("")
    return folder


@pytest.fixture
def ask(placed: Path) -> Ask:
    def run(
        *commands: str,
        listed: tuple[str, ...] = (),
        stdin: bytes | None = None,
        words: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[bytes]:
        (placed / "commands").write_text("".join(f"{digest(c)}\n" for c in listed))
        if stdin is None:
            stdin = build(*commands)
        return subprocess.run(
            [sys.executable, "-ISB", placed / "observe", *words],
            input=stdin, capture_output=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def build(*commands: str, with_runner: bool = False) -> bytes:
    return request.build(
        commands, command_s=5, deadline_s=20, max_answer_bytes=1000, with_runner=with_runner
    )


def test_what_is_on_the_list_is_answered_and_the_rest_is_not(ask: Ask) -> None:
    commands = ["echo one", "touch /tmp/never", "printf two; exit 3", "echo one "]
    done = ask(*commands, listed=("echo one", "printf two; exit 3"))
    found = answers.decode("h", commands, done.stdout).answers
    assert found == {
        "echo one": Answer(0, b"one\n", b""),
        "touch /tmp/never": Answer(-1, b"", b"", "unlisted"),
        "printf two; exit 3": Answer(3, b"two", b""),
        "echo one ": Answer(-1, b"", b"", "unlisted"),
    }


def test_a_runner_that_is_sent_is_not_run(ask: Ask, tmp_path: Path) -> None:
    mine = f"open({str(tmp_path / 'proof')!r}, 'w')".encode()
    whole = build("echo one")
    done = ask(listed=("echo one",), stdin=b"%d\n%b" % (len(mine), mine) + whole[2:])
    assert answers.decode("h", ["echo one"], done.stdout).answers["echo one"].stdout == b"one\n"
    assert list(tmp_path.iterdir()) == []
    # an administrator's whole request is understood, and its runner passed over
    again = ask(listed=("echo one",), stdin=build("echo one", with_runner=True))
    assert again.stdout == done.stdout


def test_an_empty_list_answers_nothing(ask: Ask) -> None:
    done = ask("id", "")
    assert {a.flaw for a in answers.decode("h", ["id", ""], done.stdout).answers.values()} == {
        "unlisted"
    }


def test_no_argument_is_taken(ask: Ask) -> None:
    done = ask("echo one", listed=("echo one",), words=("-c",))
    assert (done.returncode, done.stdout) == (1, b"")


NUMBERS = b"2 1000 1000 1000 1000"


@pytest.mark.parametrize(
    "stdin",
    [
        b"", b"0", b"x\n", b"-1\n", b"0\n", b"999999999999\n", b"0\nkitsurvie-request 1 x 1\n",
        b"0\nkitsurvie-request 1 0123456789abcdef " + NUMBERS + b" 9999999999\nx",
        b"0\nkitsurvie-request 1 0123456789abcdef " + NUMBERS + b" 20\nshort",
        b"0\nkitsurvie-request 1 0123456789abcdef " + NUMBERS + b" 0\n",
        b"0\nkitsurvie-request 1 0123456789abcdef -2 1000 1000 1000 1000 1\nx",
        b"0\nkitsurvie-request 1 0123456789abcdef " + NUMBERS + b" 9000\n" + b"\0" * 9000,
        b"A" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_request_is_sent_away_with_a_word(ask: Ask, stdin: bytes) -> None:
    done = ask(stdin=stdin, listed=("echo one",))
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"kitsurvie: ")
    assert b"Traceback" not in done.stderr


def test_limits_beyond_measure_are_brought_down(ask: Ask) -> None:
    head, body = build("head -c 3000000 /dev/zero").split(b" 1000 ", 1)
    stdin = b"%b 9999999999 %b" % (head, body.replace(b"16777216", b"9999999999"))
    done = ask(listed=("head -c 3000000 /dev/zero",), stdin=stdin)
    found = answers.decode("h", ["head -c 3000000 /dev/zero"], done.stdout)
    [answer] = found.answers.values()
    assert (answer.flaw, len(answer.stdout)) == ("truncated", 1 << 20)


def test_a_request_that_is_held_back_ends(placed: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-ISB", placed / "observe"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    began = time.monotonic()
    assert process.wait(timeout=30) == 1
    assert time.monotonic() - began >= 1.5
    assert b"busy, or the request was slow" in process.stderr.read()
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(blacklist_characters="\0"), max_size=40), max_size=5))
def test_no_text_is_run_that_is_not_on_the_list(placed: Path, texts: list[str]) -> None:
    texts = ["true", *texts]
    try:
        stdin = build(*texts)
    except UnicodeEncodeError:
        return
    (placed / "commands").write_text(f"{digest('true')}\n")
    done = subprocess.run(
        [sys.executable, "-ISB", placed / "observe"], input=stdin, capture_output=True, check=True
    )
    found = answers.decode("h", texts, done.stdout).answers
    assert {a.flaw for t, a in found.items() if t != "true"} <= {"unlisted"}


def test_the_program_observes_with_the_runner_of_administrators() -> None:
    assert (ROLE / "files" / "runner.py").read_bytes() == request.runner()


def test_the_check_knows_the_programs_and_kitsurvie_the_check() -> None:
    check = (ROLE / "checks" / "test_observer.py").read_text(encoding="utf-8")
    values = {
        node.targets[0].id: node.value
        for node in ast.parse(check).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    programs = ast.literal_eval(values["PROGRAMS"])
    assert programs == {
        f"/usr/lib/kitsurvie/observer/{name}": sha256(
            (ROLE / "files" / name).read_bytes()
        ).hexdigest()
        for name in ("observe", "runner.py")
    }
    home = ast.literal_eval(values["HOME"])
    assert ast.unparse(values["LIST"]) == "f'sha256sum {HOME}/commands'"
    assert f"sha256sum {home}/commands" == observer.LIST
    keys = (ROLE / "templates" / "authorized_keys.j2").read_text(encoding="utf-8")
    assert f'command="{request.OBSERVER_COMMAND}"' in keys
    tasks = (ROLE / "tasks" / "main.yml").read_text(encoding="utf-8")
    assert f"name: {request.OBSERVER}\n" in tasks


@pytest.fixture
def place(tmp_path: Path) -> workspace.Workspace:
    (tmp_path / "kitsurvie.toml").write_text('observer_key = "keys/observer"\n')
    return workspace.load(tmp_path)


def test_an_observer_goes_everywhere_under_its_own_name(place: workspace.Workspace) -> None:
    target = Target("a", "192.0.2.1", 22, "admin1", "/k", ("k",), "admin1@192.0.2.9:2222", "s")
    found = observer.as_observer(target, Path("/o"))
    assert (found.user, found.key_file) == ("kitsurvie-observer", "/o")
    assert found.jump == "kitsurvie-observer@192.0.2.9:2222"
    assert (found.host_keys, found.address, found.site) == (("k",), "192.0.2.1", "s")


def test_without_a_key_it_is_said_how_to_make_one(place: workspace.Workspace) -> None:
    with pytest.raises(WorkspaceError, match="cannot be read"):
        observer.key_of(place)
    (place.root / "kitsurvie.toml").write_text("")
    with pytest.raises(WorkspaceError, match="No observer's key") as refused:
        observer.key_of(workspace.load(place.root))
    assert "ssh-keygen" in refused.value.remedy


def test_a_list_is_what_was_asked_of_the_class_and_old_when_it_lacks_something(
    place: workspace.Workspace,
) -> None:
    ledger = Ledger.open(place.ledger_url)
    lists = observer.Lists(ledger)
    lists.asked("a", "servers", ["x", "y"])
    lists.asked("b", "servers", ["x", "z"])
    lists.asked("c", "desktops", ["w"])
    assert lists.of("a") == tuple(sorted(map(digest, "xyz")))
    assert lists.of("c") == (digest("w"),)
    there = sha256("".join(f"{d}\n" for d in lists.of("a")).encode()).hexdigest()
    assert not lists.old("a", there)
    assert lists.old("a", "")
    assert lists.old("c", there)
    # a later run, which has seen less of the class, leaves a list alone that is enough
    later = observer.Lists(ledger)
    later.asked("a", "servers", ["x", "z"])
    assert not later.old("a", there)
    later.asked("a", "servers", ["x", "new"])
    assert later.old("a", there)
    ledger.close()


def test_in_a_shared_workspace_an_administrator_runs_nothing_that_the_ledger_says(
    place: workspace.Workspace,
) -> None:
    place.root.chmod(0o2770)
    ledger = Ledger.open(place.ledger_url)
    ledger.learn("class:x", ["rm -rf /"])
    mine = Learnt(place, ledger, believed=False)
    assert mine.read() == {}
    mine.learn("class:x", ["true"])
    mine.keep()
    ledger.learn("class:x", ["rm -rf /"])
    assert Learnt(place, ledger, believed=False).read() == {"class:x": ("true",)}
    assert Learnt(place, ledger, believed=True).read() == {"class:x": ("rm -rf /",)}
    file = place.state / f"learnt-{os.geteuid()}.json"
    file.chmod(0o666)
    assert Learnt(place, ledger, believed=False).read() == {}
    ledger.close()


def test_in_a_workspace_of_one_s_own_the_ledger_is_believed(place: workspace.Workspace) -> None:
    ledger = Ledger.open(place.ledger_url)
    ledger.learn("class:x", ["true"])
    assert Learnt(place, ledger, believed=False).read() == {"class:x": ("true",)}
    ledger.close()
