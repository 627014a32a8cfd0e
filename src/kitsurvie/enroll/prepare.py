"""Prepare the machine: one script, run once as root, its data quoted, its answers read by line."""

from __future__ import annotations

import base64
import re
import secrets
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import resources

from kitsurvie.enroll.administrators import Administrator
from kitsurvie.enroll.contact import Contact
from kitsurvie.enroll.host_key import HOST_KEY_TYPES, PublicKey, parse
from kitsurvie.enroll.secret import Secret
from kitsurvie.enroll.session import Heard, converse
from kitsurvie.errors import EnrolError, HostError, KitsurvieError

# installing python3 over a village's ADSL line takes minutes
PREPARE_DEADLINE_S = 900.0
Progress = Callable[[str], None]


@dataclass(slots=True)
class Prepared:
    """What the machine said: Debian's version, what was changed there, its host keys."""

    debian: str = ""
    did: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    host_keys: list[PublicKey] = field(default_factory=list)
    failure: tuple[str, str] | None = None
    done: bool = False


def script(administrators: Iterable[Administrator], login: str) -> str:
    """The whole text sent to the machine's shell: the data, quoted, then the fixed script."""
    lines = []
    for administrator in administrators:
        keys = "".join(f"{key}\n" for key in administrator.keys)
        known = "adopt" if administrator.adopt else "new"
        lines.append(f"{administrator.name} {base64.b64encode(keys.encode()).decode()} {known}")
    body = resources.files("kitsurvie.enroll").joinpath("prepare.sh").read_text(encoding="utf-8")
    data = f"administrators={shlex.quote(chr(10).join(lines))}\nlogin={shlex.quote(login)}\n"
    return data + body


def prepare(
    contact: Contact,
    login: str,
    administrators: tuple[Administrator, ...],
    *,
    password: Callable[[], Secret | None],
    prepared: Prepared,
    progress: Progress,
) -> None:
    """Run the script as root and fill `prepared` as the answers come.

    Root is had by being root, else by sudo; `password` is called only if sudo asks. Raises
    EnrolError or HostError; `prepared.did` then says what had been done.
    """
    conversation = _Conversation(
        login,
        script(administrators, login),
        password=password,
        prepared=prepared,
        progress=progress,
    )
    heard = converse(
        contact,
        conversation.command(_is_root(contact)),
        conversation.reply,
        deadline_s=PREPARE_DEADLINE_S,
    )
    conversation.finish()
    if not conversation.started:
        raise conversation.refusal(heard, contact.road.label)
    if prepared.failure is not None:
        raise _failed(*prepared.failure, where=contact.road.label)
    if not prepared.done:
        raise HostError(
            "The machine stopped in the middle of its preparation.",
            where=f"{contact.road.label}: {_last_line(heard.stderr)}",
            remedy="Look at its console and log, then run the same command again.",
        )


def _is_root(contact: Contact) -> bool:
    nonce = secrets.token_hex(8)
    heard = converse(
        contact,
        ["/bin/sh", "-c", f"echo {nonce} $(id -u)"],
        lambda _: b"",
        deadline_s=contact.road.timeout_s * 3,
    )
    found = re.search(rb"%s (\d+)" % nonce.encode(), heard.stdout)
    if found is None:
        raise EnrolError(
            "That account has no ordinary shell: the machine did not answer a simple command.",
            where=f"{contact.road.label}: {_last_line(heard.stderr or heard.stdout)}",
            remedy="Log in as another account with --login.",
        )
    return found.group(1) == b"0"


class _Conversation:
    """What to answer to sudo, then to the script.

    The password goes out only in answer to a prompt that holds a number drawn for this one
    command: sent blindly, it would be run as a command by the shell when sudo wants none.
    """

    def __init__(
        self,
        login: str,
        text: str,
        *,
        password: Callable[[], Secret | None],
        prepared: Prepared,
        progress: Progress,
    ) -> None:
        self.started = False
        self._login = login
        self._text = text
        self._password = password
        self._prepared = prepared
        self._progress = progress
        self._nonce = secrets.token_hex(16)
        self._asked = 0
        self._secret: Secret | None = None
        self._read = 0
        self._line = b""

    def command(self, root: bool) -> list[str]:
        # the ready word tells that the shell is root's and listens: only then is the text sent
        shell = ["/bin/sh", "-c", f"echo ready-{self._nonce}; exec /bin/sh -s"]
        if root:
            return shell
        return ["env", "LC_ALL=C", "sudo", "-k", "-S", "-p", f"[ask-{self._nonce}]", "--", *shell]

    def reply(self, heard: Heard) -> bytes:
        if self.started:
            self._follow(heard.stdout)
            return b""
        ready = f"ready-{self._nonce}\n".encode()
        if (at := heard.stdout.find(ready)) >= 0:
            self.started = True
            self._read = at + len(ready)
            return self._text.encode()
        asked = heard.stderr.count(f"[ask-{self._nonce}]".encode())
        if asked == self._asked:
            return b""
        self._asked = asked
        return self._answer(asked)

    def _answer(self, asked: int) -> bytes:
        if asked > 1:
            raise EnrolError(
                f"sudo does not accept the password of {self._login}.",
                remedy="Give the password of that account (KITSURVIE_ENROLL_PASSWORD or typed), or"
                " log in as an account that may use sudo (--login).",
            )
        self._secret = self._password()
        if self._secret is None:
            raise EnrolError(
                f"sudo wants the password of {self._login} and none was given.",
                remedy="Run the command in a terminal, or give it in KITSURVIE_ENROLL_PASSWORD.",
            )
        return self._secret.reveal().encode() + b"\n"

    def _follow(self, stdout: bytes) -> None:
        """Read the whole lines that have come since the last time."""
        self._line += stdout[self._read :]
        self._read = len(stdout)
        *whole, self._line = self._line.split(b"\n")
        for line in whole:
            words = line.decode(errors="replace").split(" ", 2)
            if words[0] == "kitsurvie" and len(words) > 1:
                self._take(words[1], words[2] if len(words) > 2 else "")

    def _take(self, word: str, rest: str) -> None:
        prepared = self._prepared
        rest = "".join(c for c in rest if c.isprintable())
        if word == "os":
            prepared.debian = rest
        elif word == "say":
            self._progress(rest)
        elif word == "did":
            prepared.did.append(rest)
            self._progress(rest)
        elif word == "warn":
            prepared.warnings.append(rest)
        elif word == "hostkey":
            try:
                prepared.host_keys.append(parse(rest, types=HOST_KEY_TYPES))
            except ValueError:
                # a DSA key of old, say: not pinned, so never trusted
                return
        elif word == "failed":
            code, _, text = rest.partition(" ")
            prepared.failure = (code, text)
        elif word == "done":
            prepared.done = True

    def finish(self) -> None:
        """Forget the password and the text: nothing more is to be sent."""
        self._text = ""

    def refusal(self, heard: Heard, where: str) -> EnrolError:
        """The script never started: say why sudo, or the shell, said no."""
        said = heard.stderr.decode(errors="replace").replace(f"[ask-{self._nonce}]", "")
        if self._secret is not None:
            said = self._secret.cut_from(said)
        if heard.rc == 127 or "sudo: No such file" in said or "sudo: not found" in said:
            return EnrolError(
                f"{self._login} is not root and the machine has no sudo.",
                where=where,
                remedy="Log in as root by key (--login root --key FILE), or install sudo there.",
            )
        return EnrolError(
            f"sudo refuses {self._login} on the machine.",
            where=f"{where}: {_last_line(said.encode())}",
            remedy="Log in as an account that may become root: --login NAME, or --login root"
            " with --key FILE.",
        )


def _last_line(text: bytes) -> str:
    lines = [line.strip() for line in text.decode(errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else "it gave no reason"
    return "".join(c for c in last if c.isprintable())[:200]


def _failed(code: str, text: str, *, where: str) -> KitsurvieError:
    """The script's own refusals, as sentences."""
    if code == "os":
        return EnrolError(
            f"This machine runs {text}: only Debian 12 and 13 are supported.",
            where=where,
            remedy="Install or upgrade it to Debian 12 or 13, then enrol it.",
        )
    if code == "disk":
        return HostError(
            "The machine's disk is full or cannot be written.",
            where=f"{where}: {text}",
            remedy="Make room there (apt-get clean; journalctl --vacuum-size=50M), then run the"
            " same command again.",
        )
    if code == "packages":
        return HostError(
            "What enrolment needs cannot be installed on the machine.",
            where=f"{where}: {text}",
            remedy="Give it a way to its package mirror (network, /etc/apt/sources.list), or"
            " install python3 and sudo by hand; then run the same command again.",
        )
    if code == "taken":
        return EnrolError(
            f"The machine has an account named {text} with a password: it may be somebody's there,"
            " who would become its administrator.",
            where=where,
            remedy="Choose another name in accounts__administrators; or, if it is that"
            " administrator's own account, write adopt: true beside its name.",
        )
    sentences = {
        "account": ("An administrator's account cannot be created.", "Choose another name in"),
        "keys": ("An administrator's keys cannot be written.", "Mend that home, or the keys in"),
        "sudoers": ("The sudo rule was refused and taken back.", "Mend the machine's sudoers, or"),
    }
    what, start = sentences.get(code, ("The machine could not be prepared.", "Compare with"))
    return EnrolError(
        what,
        where=f"{where}: {text}",
        remedy=f"{start} accounts__administrators, then run the same command again.",
    )
