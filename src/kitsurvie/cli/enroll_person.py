"""What an enrolment asks of the person at the keyboard: is it that key, and the password."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from kitsurvie.cli import output
from kitsurvie.enroll.address import Endpoint
from kitsurvie.enroll.enrolment import Person, key_file_on_the_machine
from kitsurvie.enroll.host_key import PublicKey
from kitsurvie.enroll.secret import Secret
from kitsurvie.errors import EnrolError


def person(at: Endpoint, given: str | None) -> Person:
    """Questions go to the terminal through standard error; `given` is the password if known."""
    return Person(confirm=_confirm(at), password=_password(given), progress=_progress)


def _confirm(at: Endpoint) -> Callable[[PublicKey, tuple[PublicKey, ...]], bool]:
    def confirm(key: PublicKey, pinned: tuple[PublicKey, ...]) -> bool:
        if not sys.stdin.isatty():
            raise EnrolError(
                f"Nobody is there to confirm the key of {at}: {key.type} {key.fingerprint}.",
                remedy="Compare it with the machine's console"
                f" (ssh-keygen -lf {key_file_on_the_machine(key)}), then give it with"
                " --fingerprint.",
            )
        output.complain(f"The machine at {at} shows this key:")
        output.complain(f"  {key.type}")
        output.complain(f"  {key.fingerprint}")
        for old in pinned:
            output.complain(f"It was known under another: {old.type} {old.fingerprint}")
        output.complain(
            f"On its console, this command must show the same: ssh-keygen -lf"
            f" {key_file_on_the_machine(key)}"
        )
        return typer.confirm("Is it the same?", default=False, err=True)

    return confirm


def _password(given: str | None) -> Callable[[str], Secret | None]:
    def password(account: str) -> Secret | None:
        if given is not None:
            return Secret(given)
        if not sys.stdin.isatty():
            return None
        typed: str = typer.prompt(f"Password of {account} there", hide_input=True, err=True)
        return Secret(typed)

    return password


def _progress(step: str) -> None:
    if sys.stderr.isatty():
        output.complain(f"... {step}")
