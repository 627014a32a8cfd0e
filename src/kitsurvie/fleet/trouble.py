"""A trouble as an error with its remedy."""

from __future__ import annotations

from kitsurvie.errors import HostError
from kitsurvie.fleet.target import Reply, Trouble

_SENTENCES: dict[Trouble, tuple[str, str]] = {
    Trouble.UNREACHABLE: (
        "{host} cannot be reached",
        "Is it switched on and on the network? Check ansible_host and ansible_port.",
    ),
    Trouble.TIMEOUT: (
        "{host} did not answer in time",
        "Look at its load and its line, or raise the time limit in kitsurvie.toml.",
    ),
    Trouble.NOT_ENROLLED: (
        "{host} has no pinned host key",
        "Enrol it: kitsurvie enroll ADDRESS --name {host} --member SIREN --profile PROFILE",
    ),
    Trouble.KEY_CHANGED: (
        "{host} shows another host key than the one pinned",
        "If the machine was reinstalled, enrol it again: kitsurvie enroll ADDRESS --name {host} "
        "--member SIREN --profile PROFILE --replace-key. "
        "If not, somebody may be in the middle: find out before going on.",
    ),
    Trouble.AUTHENTICATION: (
        "{host} refused the login",
        "Check ansible_user and ansible_ssh_private_key_file, and that your key is still there.",
    ),
    Trouble.JUMP: (
        "The jump host of {host} does not let us through",
        "Check kit__jump, that its key is pinned as jump:<address>:<port>, and that it is up.",
    ),
    Trouble.SUDO: (
        "sudo on {host} refuses to run without a password",
        "Enrol the host again, or give the administrator NOPASSWD in /etc/sudoers.d.",
    ),
    Trouble.MISSING: (
        "{host} lacks a program an observation needs",
        "Enrol the host again: it makes sure that python3 and sudo are there.",
    ),
    Trouble.TOO_LARGE: (
        "{host} answered more than is read from any host",
        "Log in and run the same command: something there writes without end.",
    ),
    Trouble.CLOSED: (
        "{host} ended the connection before its answer was whole",
        "Try again; if it stays, read the ssh log of that host.",
    ),
    Trouble.RUBBISH: (
        "What answers at the address of {host} does not speak SSH",
        "Check ansible_host and ansible_port.",
    ),
    Trouble.WORKER: (
        "{host} was not reached: kitsurvie's own connection process ended",
        "Run the command again; if it stays, please report it.",
    ),
}


def explain(reply: Reply) -> HostError:
    """The error for a reply that has a trouble. Raises ValueError for one that has none."""
    if reply.trouble is None:
        raise ValueError(f"{reply.host} has no trouble to explain")
    what, remedy = _SENTENCES[reply.trouble]
    detail = f": {reply.detail}" if reply.detail else ""
    return HostError(
        f"{what.format(host=reply.host)}{detail.rstrip('.')}.",
        where=reply.host,
        remedy=remedy.format(host=reply.host),
    )
