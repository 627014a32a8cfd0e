"""What every command shares to speak: text on stdout, complaints on stderr, JSON documents."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from typing import Any

from rich.console import Console

from kitsurvie.errors import KitsurvieError


def stdout() -> Console:
    """A console on standard output; wide when it is not a terminal, so that nothing is cut."""
    return _console(stderr=False)


def stderr() -> Console:
    """A console on standard error."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else int(os.environ.get("COLUMNS", "160"))
    # what a machine is called is no markup: `[/b]` would end a command, `:pc:` become a picture
    return Console(
        stderr=stderr, width=width, highlight=False, soft_wrap=False, markup=False, emoji=False
    )


def say(text: str) -> None:
    """One line for the user on standard output, as it is (no markup)."""
    print(text, flush=True)


def raw(content: bytes) -> None:
    """Bytes on standard output as they are, whatever the encoding of the terminal is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def printable(text: str, *, lines: bool = False) -> str:
    """The same text with what could drive a terminal written out; ends of line kept on demand.

    Whatever a host answered goes through here before it is shown.
    """
    kept = "\n" if lines else ""
    return "".join(c if c.isprintable() or c in kept else repr(c)[1:-1] for c in text)


def complain(text: str) -> None:
    """One line for the user on standard error, as it is (no markup)."""
    print(text, file=sys.stderr, flush=True)


def error(problem: KitsurvieError) -> None:
    """What happened, where, and what to do next."""
    complain(f"Error: {problem.what}")
    if problem.where:
        complain(f"  Where: {problem.where}")
    complain(f"  What to do: {problem.remedy}")


def fault(problem: BaseException) -> None:
    """An error nobody foresaw: the details go to a file, a sentence to the user."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="kitsurvie-fault-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exception(problem, file=file)
    complain(f"Error: kitsurvie met a fault of its own ({type(problem).__name__}).")
    complain(f"  Where: the details are in {file.name}")
    complain("  What to do: please report it with that file, after reading it for names.")


def document(kind: str, payload: dict[str, Any], *, version: int = 1) -> None:
    """Print one versioned JSON document on standard output: `{"kind", "version", ...payload}`."""
    whole = {"kind": kind, "version": version, **payload}
    sys.stdout.write("{")
    for number, (name, value) in enumerate(whole.items()):
        sys.stdout.write(f"{', ' if number else ''}{_json(name)}: ")
        # one entry of a list at a time: the text of a thousand hosts need not be in memory, and
        # json.dump, which writes bit by bit, takes ten times as long
        if isinstance(value, list):
            sys.stdout.write("[")
            for place, entry in enumerate(value):
                sys.stdout.write(f"{', ' if place else ''}{_json(entry)}")
            sys.stdout.write("]")
        else:
            sys.stdout.write(_json(value))
    sys.stdout.write("}\n")
    sys.stdout.flush()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
