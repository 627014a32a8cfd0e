"""How the command line ends when it does not end well."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kitsurvie.cli import commands, init, output

ENDS = """
import sys
from kitsurvie.cli import kit, main
def end(*_, **__):
    {how}
kit.app.registered_commands[0].callback.__globals__["kit"].load = end
sys.argv = ["kitsurvie", "kit", "list", "--workspace", {place!r}]
main.main()
"""


def run(place: Path, how: str) -> subprocess.CompletedProcess[str]:
    (place / "kitsurvie.toml").write_text("")
    program = ENDS.format(how=how, place=str(place))
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True,
        env={**os.environ, "TMPDIR": str(place)},
    )  # fmt: skip


def test_a_reader_that_leaves_is_no_fault_and_not_compliance(tmp_path: Path) -> None:
    done = run(tmp_path, "raise BrokenPipeError(32, 'Broken pipe')")
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize("how", ["sys.exit(0)", "raise ZeroDivisionError"])
def test_whatever_ends_a_command_early_is_a_fault_with_its_details_in_a_file(
    tmp_path: Path, how: str
) -> None:
    done = run(tmp_path, how)
    assert done.returncode == 2
    assert "a fault of its own" in done.stderr
    assert "Traceback" not in done.stderr
    (details,) = tmp_path.glob("kitsurvie-fault-*.txt")
    assert "Traceback" in details.read_text()


@pytest.mark.parametrize(
    "payload", [{}, {"a": []}, {"hosts": [{"é": [1, None]}, 2.5], "b": {"c": "\n"}}]
)
def test_a_document_is_what_json_says_it_is(
    payload: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    output.document("thing", payload, version=3)
    whole = {"kind": "thing", "version": 3, **payload}
    assert capsys.readouterr().out == json.dumps(whole, ensure_ascii=False) + "\n"


HEAVY = {"ansible", "gevent", "jinja2", "paramiko", "pyinfra", "pytest", "testinfra"}
READS = """
import sys
from kitsurvie.cli import main
sys.argv = ["kitsurvie", *{words!r}]
try:
    main.main()
except SystemExit:
    print("\\nread:", *{{name.partition(".")[0] for name in sys.modules}})
"""


@pytest.mark.parametrize("command", ["diff", "history"])
def test_reading_the_ledger_reads_nothing_that_looks_at_hosts_or_makes_pages(
    tmp_path: Path, command: str
) -> None:
    init.init(tmp_path / "syndicate")
    words = ["compliance", command, "--workspace", str(tmp_path / "syndicate")]
    done = subprocess.run(
        [sys.executable, "-c", READS.format(words=words)], capture_output=True, text=True
    )
    read = done.stdout.rpartition("read:")[2].split()
    assert "sqlalchemy" in read, done.stderr
    assert HEAVY & set(read) == set()


def test_a_command_is_read_when_it_is_asked_for_and_once() -> None:
    places = commands.Later({"plan": "plan:plan", "nowhere": "no_such_module:it"})
    assert list(places) == ["plan", "nowhere"]
    assert "nowhere" in places
    assert places["plan"] is places["plan"]
    assert places["plan"].name == "plan"
    assert places.get("neither") is None
    with pytest.raises(ModuleNotFoundError):
        places["nowhere"]
