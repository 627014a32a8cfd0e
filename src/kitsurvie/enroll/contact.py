"""One SSH connection by paramiko: the key is looked at first, then a credential is shown."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from paramiko.pkey import UnknownKeyType

from kitsurvie.enroll.host_key import PublicKey
from kitsurvie.enroll.road import Road, travel
from kitsurvie.enroll.secret import Secret
from kitsurvie.errors import EnrolError, HostError

# paramiko tells its thread's troubles to the log with a traceback; ours are sentences
logging.getLogger("paramiko").addHandler(logging.NullHandler())

# Debian's sshd hangs up at the sixth attempt: one is left for the password
AGENT_KEYS_TRIED = 4
_ALGORITHMS = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}


class Contact:
    """A connection whose encryption is up. Nothing secret has been sent yet."""

    def __init__(self, transport: paramiko.Transport, road: Road) -> None:
        self.transport = transport
        self.road = road
        offered = transport.get_remote_server_key()
        self.host_key = PublicKey(offered.get_name(), offered.get_base64())

    def log_in(
        self, user: str, *, key_file: Path | None, password: Callable[[], Secret | None]
    ) -> None:
        """Open a session as `user`: by the key file alone when given, else agent then password.

        `password` is called only when the agent's keys did not do. Raises EnrolError when the
        machine refuses, HostError when it stops answering.
        """
        self.transport.auth_timeout = max(self.road.timeout_s, 30.0)
        try:
            if key_file is not None:
                self._by_key(user, _load(key_file), key_file)
            elif not self._by_agent(user):
                self._by_password(user, password())
        except paramiko.AuthenticationException as error:
            if self.transport.is_active() and "timeout" not in str(error).lower():
                raise
            raise self._stopped() from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise self._stopped() from error

    def _by_key(self, user: str, key: paramiko.PKey, key_file: Path) -> None:
        try:
            self.transport.auth_publickey(user, key)
        except (paramiko.AuthenticationException, paramiko.SSHException) as error:
            if not self.transport.is_active() or "timeout" in str(error).lower():
                raise
            raise EnrolError(
                f"The machine does not let {user} in with the key {key_file}.",
                where=self.road.label,
                remedy=f"Put its public key in the authorized_keys of {user}, or log in by"
                " password: leave --key out.",
            ) from error

    def _by_agent(self, user: str) -> bool:
        with contextlib.suppress(paramiko.SSHException):
            for key in paramiko.Agent().get_keys()[:AGENT_KEYS_TRIED]:
                try:
                    if not self.transport.auth_publickey(user, key):
                        return True
                except paramiko.AuthenticationException:
                    if not self.transport.is_active():
                        raise
        return False

    def _by_password(self, user: str, secret: Secret | None) -> None:
        if secret is None:
            raise EnrolError(
                f"Nothing opens {user} on the machine: no key was accepted, no password given.",
                where=self.road.label,
                remedy="Give --key FILE, or the password in KITSURVIE_ENROLL_PASSWORD, or run the"
                " command in a terminal and type it.",
            )
        try:
            missing = self.transport.auth_password(user, secret.reveal())
        except paramiko.BadAuthenticationType as error:
            raise EnrolError(
                f"The machine takes no password for {user} (it takes:"
                f" {', '.join(error.allowed_types) or 'nothing'}).",
                where=self.road.label,
                remedy="Log in by key with --key FILE, or as another account with --login.",
            ) from error
        except paramiko.AuthenticationException as error:
            if not self.transport.is_active():
                raise
            raise EnrolError(
                f"The machine refuses the password of {user}.",
                where=self.road.label,
                remedy="Check the account (--login) and type the password again. Debian lets root"
                " in by key only: take an ordinary account with sudo.",
            ) from error
        if missing:
            raise EnrolError(
                f"The machine wants more than a password for {user}: {', '.join(missing)}.",
                where=self.road.label,
                remedy="Log in by key with --key FILE.",
            )

    def _stopped(self) -> HostError:
        return HostError(
            "The machine stopped answering while we were logging in.",
            where=self.road.label,
            remedy="Look at its SSH server's log (journalctl -u ssh), then run the command again.",
        )


@contextmanager
def meet(road: Road, *, prefer: tuple[PublicKey, ...] = ()) -> Iterator[Contact]:
    """Connect and agree on keys, no further: the host key is there to be looked at.

    The types of `prefer` (the pinned keys) are asked for first, as OpenSSH does, so that a
    machine that gains a new type of key is not taken for another one. Raises HostError when
    what answers is not a working SSH server.
    """
    with travel(road) as link:
        transport = paramiko.Transport(link)
        try:
            _negotiate(transport, road, prefer)
            yield Contact(transport, road)
        finally:
            transport.close()


def _negotiate(transport: paramiko.Transport, road: Road, prefer: tuple[PublicKey, ...]) -> None:
    wanted = {key.type for key in prefer}
    # a stable sort: pinned types first, the strongest first among equals
    types = sorted(_ALGORITHMS, key=lambda kind: kind not in wanted)
    transport.get_security_options().key_types = tuple(
        n for kind in types for n in _ALGORITHMS[kind]
    )
    transport.banner_timeout = road.timeout_s
    transport.handshake_timeout = road.timeout_s
    started = time.monotonic()
    trouble = ""
    try:
        transport.start_client(timeout=road.timeout_s)
    except (paramiko.SSHException, EOFError, OSError) as error:
        trouble = str(error)
    # start_client returns without a word when its time is over
    if transport.is_active() and transport.initial_kex_done:
        transport.set_keepalive(15)
        return
    if not trouble or time.monotonic() - started >= road.timeout_s:
        raise HostError(
            f"The machine did not finish its SSH greeting in {road.timeout_s:g} s.",
            where=road.label,
            remedy="It may be overloaded, or that port is not SSH: check --port, then try again.",
        )
    raise HostError(
        "What answers there is not an SSH server we can talk to.",
        where=f"{road.label}: {_short(trouble)}",
        remedy="Check --port; a very old SSH server must be brought up to date first.",
    )


def _short(text: str) -> str:
    """A line of what a stranger sent, printable and not long."""
    return "".join(c if c.isprintable() else "?" for c in text)[:160]


def _load(path: Path) -> paramiko.PKey:
    try:
        key: paramiko.PKey = paramiko.PKey.from_path(path)
    except FileNotFoundError as error:
        raise EnrolError(
            "The key file is not there.",
            where=str(path),
            remedy="Give the private key's file, for instance --key ~/.ssh/id_ed25519",
        ) from error
    except (TypeError, paramiko.PasswordRequiredException) as error:
        raise EnrolError(
            "The key is protected by a passphrase.",
            where=str(path),
            remedy=f"Put it in your agent (ssh-add {path}) and leave --key out.",
        ) from error
    except (ValueError, OSError, paramiko.SSHException, UnknownKeyType) as error:
        raise EnrolError(
            "The key file cannot be used.",
            where=str(path),
            remedy="It must be a private key that ssh-keygen made, readable by you; one with a"
            " passphrase goes in your agent (ssh-add), without --key.",
        ) from error
    return key
