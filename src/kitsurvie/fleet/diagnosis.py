"""From what the SSH library or the far end said to the trouble it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from socket import gaierror

from pyinfra.api.exceptions import PyinfraError
from pyinfra.connectors.ssh import AuthenticationException, BadHostKeyException, SSHException

from kitsurvie.fleet.target import Trouble

# sudo speaks the language of its user, but it starts its lines the same way ("sudo : " in French);
# only its last word counts, or a mere "unable to resolve host" would be taken for a refusal
_SUDO = re.compile(rb"^sudo ?: (.*)\s*\Z", re.MULTILINE)
_MISSING = re.compile(rb"command not found|: not found|commande introuvable", re.IGNORECASE)


class Refusal(Exception):
    """The host gave no usable answer."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{trouble}: {detail}")
        self.trouble = trouble
        self.detail = printable(detail)


def printable(text: str) -> str:
    """A text from the far end, without what a terminal would obey."""
    return "".join(char if char.isprintable() else "?" for char in text)[:300]


def of_connection(error: BaseException, *, tcp: bool) -> Refusal:
    """What an exception of the SSH library means; `tcp` says whether TCP was connected."""
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, Refusal):
            return each
        if isinstance(each, BadHostKeyException):
            return Refusal(Trouble.KEY_CHANGED, f"it shows {each.key.fingerprint}")
        if isinstance(each, AuthenticationException):
            return Refusal(Trouble.AUTHENTICATION, _words(each))
        if isinstance(each, gaierror):
            return Refusal(Trouble.UNREACHABLE, f"its name has no address ({_words(each)})")
    for each in chain:
        words = _words(each)
        if isinstance(each, SSHException):
            if words == "No authentication methods available":
                return Refusal(Trouble.AUTHENTICATION, "there is no key to offer: ssh-add it")
            if "no acceptable host key" in words or "StrictPolicy" in words:
                return Refusal(Trouble.KEY_CHANGED, "it has no key of the type pinned")
            if words == "Error reading SSH protocol banner":  # otherwise it goes on: with what
                return Refusal(Trouble.CLOSED, "it hung up before saying anything")
            if "EOF" in words or "not active" in words or "closed" in words.lower():
                return Refusal(Trouble.CLOSED, words)
            return Refusal(Trouble.RUBBISH, words)
        if isinstance(each, EOFError):
            return Refusal(Trouble.CLOSED, "it hung up")
        if isinstance(each, OSError):
            return Refusal(Trouble.CLOSED if tcp else Trouble.UNREACHABLE, words)
    if isinstance(error, PyinfraError):
        return Refusal(Trouble.AUTHENTICATION, _words(error))
    return Refusal(Trouble.RUBBISH, f"{type(error).__name__}: {_words(error)}")


def of_exit(command: str, code: int, stderr: bytes) -> tuple[Trouble | None, str]:
    """Whether a command failed before it began: sudo refused, or a program is not there."""
    if code == 0:
        return None, ""
    said = _SUDO.search(stderr) if command.startswith("sudo ") else None
    if said is not None:
        words = said[1].decode("utf-8", "replace").strip()
        missing = _MISSING.search(said[0]) is not None
        return (Trouble.MISSING if missing else Trouble.SUDO), printable(f"sudo says: {words}")
    if code == 127:
        return Trouble.MISSING, printable(stderr.decode("utf-8", "replace").strip())
    return None, ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The innermost cause first: pyinfra wraps what paramiko raised."""
    if error is not None:
        yield from _chain(error.__cause__ or error.__context__)
        yield error


def _words(error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(said.split())[:200] or type(error).__name__
