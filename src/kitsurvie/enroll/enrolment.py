"""The enrolment of one machine, step by step. Nothing is written in the workspace here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.address import Endpoint, Jump, jump_name
from kitsurvie.enroll.administrators import Administrator
from kitsurvie.enroll.contact import Contact, meet
from kitsurvie.enroll.host_key import PublicKey
from kitsurvie.enroll.prepare import Prepared, prepare
from kitsurvie.enroll.proof import prove
from kitsurvie.enroll.road import Road
from kitsurvie.enroll.secret import Secret
from kitsurvie.errors import EnrolError, KitsurvieError


@dataclass(frozen=True, slots=True)
class Trust:
    """What decides whether a host key is the right one.

    `fingerprint` was given by the person (None: ask them); `replace` allows a key other than the
    one pinned, which then has to be confirmed like a first one.
    """

    known_hosts: Path
    fingerprint: str | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One machine to enrol.

    `login` and `key_file` open it the first time (no file: agent, then password).
    `administrator` is the one who will deploy and proves the way in, with `admin_key_file` or,
    without one, the agent. `jump_key_file` opens the jump host.
    """

    name: str
    at: Endpoint
    login: str
    key_file: Path | None
    administrators: tuple[Administrator, ...]
    administrator: str
    admin_key_file: Path | None
    trust: Trust
    timeout_s: float
    jump: Jump | None = None

    @property
    def road(self) -> Road:
        """The way to the machine."""
        return Road(
            to=self.at,
            known_hosts=self.trust.known_hosts,
            timeout_s=self.timeout_s,
            jump=self.jump,
            key_file=self.admin_key_file,
        )


@dataclass(frozen=True, slots=True)
class Person:
    """What only the person at the keyboard can give; the command line fills it.

    `confirm(key, pinned)` says whether the key shown is the machine's; `password(account)` gives
    a password or None; `progress` is told each step.
    """

    confirm: Callable[[PublicKey, tuple[PublicKey, ...]], bool]
    password: Callable[[str], Secret | None]
    progress: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A machine that is ready and proved.

    `host_key` is the one confirmed, `keys` all that are to be pinned; `did` is what was changed
    on the machine, empty when it was all there.
    """

    name: str
    at: Endpoint
    host_key: PublicKey
    keys: tuple[PublicKey, ...]
    debian: str
    administrators: tuple[str, ...]
    proved_as: str
    did: tuple[str, ...]
    warnings: tuple[str, ...]


def enrol(request: Request, person: Person) -> Enrolled:
    """Prepare the machine and prove the way in; the caller then writes the workspace.

    Raises EnrolError for what is refused and HostError for a machine that does not answer; the
    remedy then names what had already been done there.
    """
    pinned = known_hosts.keys_of(request.trust.known_hosts, request.name)
    prepared = Prepared()
    try:
        person.progress(f"connecting to {request.road.label}")
        with meet(request.road, prefer=() if request.trust.replace else pinned) as contact:
            check_key(contact, request.name, request.trust, person)
            _prepare(contact, request, person, prepared)
        keys = _to_pin(request, contact.host_key, prepared, pinned)
        person.progress(f"proving the way in as {request.administrator}")
        prove(
            request.road,
            name=request.name,
            keys=keys,
            administrator=request.administrator,
            key_file=request.admin_key_file,
        )
    except KitsurvieError as error:
        if not prepared.did:
            raise
        raise _with_what_was_done(error, prepared) from error
    return Enrolled(
        name=request.name,
        at=request.at,
        host_key=contact.host_key,
        keys=keys,
        debian=prepared.debian,
        administrators=tuple(one.name for one in request.administrators),
        proved_as=request.administrator,
        did=tuple(prepared.did),
        warnings=tuple(prepared.warnings),
    )


def meet_jump(at: Endpoint, trust: Trust, person: Person, *, timeout_s: float) -> PublicKey:
    """The confirmed key of a jump host; no credential is sent, nothing is changed there."""
    name = jump_name(at)
    pinned = known_hosts.keys_of(trust.known_hosts, name)
    road = Road(to=at, known_hosts=trust.known_hosts, timeout_s=timeout_s)
    with meet(road, prefer=() if trust.replace else pinned) as contact:
        check_key(contact, name, trust, person)
        return contact.host_key


def check_key(contact: Contact, name: str, trust: Trust, person: Person) -> None:
    """Go on only with the pinned key, or one that the person confirms. Raises EnrolError."""
    key = contact.host_key
    pinned = known_hosts.keys_of(trust.known_hosts, name)
    if pinned and key not in pinned and not trust.replace:
        raise known_hosts.changed(name, pinned, key, where=contact.road.label)
    if trust.fingerprint is not None:
        if trust.fingerprint != key.fingerprint:
            raise _mismatch(contact, trust.fingerprint)
        return
    if key in pinned:
        return
    if not person.confirm(key, pinned):
        raise EnrolError(
            f"The key of {name} was not confirmed: nothing was sent, nothing was changed.",
            where=f"{contact.road.label}: {key.type} {key.fingerprint}",
            remedy="Compare with the machine's console (ssh-keygen -lf"
            f" {key_file_on_the_machine(key)}), then run the command again.",
        )


def _mismatch(contact: Contact, given: str) -> EnrolError:
    key = contact.host_key
    return EnrolError(
        f"The machine's key is {key.type} {key.fingerprint}, not {given}:"
        " nothing was sent, nothing was changed.",
        where=contact.road.label,
        remedy=f"On the machine's console: ssh-keygen -lf {key_file_on_the_machine(key)}"
        " If it shows the one you gave, another machine answers at that address.",
    )


def key_file_on_the_machine(key: PublicKey) -> str:
    """Where that key lies on the machine, for the person at its console."""
    kind = key.type.removeprefix("ssh-").partition("-")[0]
    return f"/etc/ssh/ssh_host_{kind}_key.pub"


def _prepare(contact: Contact, request: Request, person: Person, prepared: Prepared) -> None:
    known: list[Secret | None] = []

    def password() -> Secret | None:
        # asked once: it serves the login, then sudo
        if not known:
            known.append(person.password(request.login))
        return known[0]

    person.progress(f"logging in as {request.login}")
    contact.log_in(request.login, key_file=request.key_file, password=password)
    person.progress("preparing the machine")
    prepare(
        contact,
        request.login,
        request.administrators,
        password=password,
        prepared=prepared,
        progress=person.progress,
    )


def _to_pin(
    request: Request, seen: PublicKey, prepared: Prepared, pinned: tuple[PublicKey, ...]
) -> tuple[PublicKey, ...]:
    """Every key of the server we confirmed; only the one seen if the files are another server's."""
    listed = set(prepared.host_keys)
    keys = listed if seen in listed else {seen}
    if not request.trust.replace:
        known_hosts.refuse_change(request.name, pinned, keys, where=request.road.label)
        keys |= set(pinned)
    return tuple(sorted(keys))


def _with_what_was_done(error: KitsurvieError, prepared: Prepared) -> KitsurvieError:
    done = "; ".join(prepared.did)
    return type(error)(
        error.what,
        where=error.where,
        remedy=f"{error.remedy} Already done on the machine: {done}. The workspace is unchanged.",
    )
