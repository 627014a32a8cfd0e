"""Somebody, as a command is told of them: a login that is read and never kept, or a pseudonym."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from kitsurvie.assets import pseudonym
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.errors import UsageError
from kitsurvie.workspace import Workspace

# the pseudonyms' key, beside the ledger and never in it
KEY = "pseudonyms.key"
# of a login or a pseudonym; what is longer was not meant
LONGEST = 200

Person = Annotated[
    str | None,
    typer.Argument(
        metavar="PERSON",
        help="A pseudonym (p-...); without it the login is asked for, or read from standard input.",
    ),
]


def pseudonyms(place: Workspace, *, everybody: bool = False) -> pseudonym.Pseudonyms:
    """What makes the pseudonyms of a workspace; `everybody`: also of logins said to be nobody's.

    Raises WorkspaceError when the key cannot be read or made.
    """
    place.make_state()
    key = pseudonym.read_key(place.state / KEY)
    return pseudonym.Pseudonyms(key, () if everybody else place.nobody)


def told(said: str | None) -> str:
    """The login or pseudonym that is meant; asked for where nothing is said.

    A list of processes shows arguments to every account of the machine: a login is refused there,
    and is a line of standard input instead. Raises UsageError.
    """
    if said is not None and not pseudonym.PATTERN.fullmatch(said):
        raise UsageError(
            "A login is not given as an argument, which every account of this machine can read.",
            remedy="Leave it out and type it when it is asked for, or give it on standard input.",
        )
    if said is None:
        said = _asked()
    said = said.strip()
    if not said or len(said) > LONGEST or not said.isprintable():
        raise UsageError(
            "No login was given.",
            remedy="Type it when it is asked for, or give it as one line on standard input.",
        )
    return said


def _asked() -> str:
    """A line of standard input, asked for on a terminal; empty where there is none."""
    if sys.stdin is None:
        return ""
    if sys.stdin.isatty():
        return str(typer.prompt("Login", err=True))
    try:
        return sys.stdin.readline(LONGEST + 2)
    except UnicodeDecodeError as error:
        raise UsageError(
            "The login on standard input is no text in UTF-8.", remedy="Give it in UTF-8."
        ) from error


def person(said: str | None, people: pseudonym.Pseudonyms) -> str:
    """The pseudonym of whoever is meant. Raises UsageError for an account that is nobody's."""
    found = people.of(told(said))
    if not found:
        raise UsageError(
            "That is an account of the system, of administrators or of nobody: no person.",
            remedy="Give the login of one person (`nobody` in kitsurvie.toml lists your own).",
        )
    return found


def known(estate: Estate) -> frozenset[str]:
    """Every pseudonym that the records name."""
    return frozenset(one.user for one in estate.records.values() if one.user)
