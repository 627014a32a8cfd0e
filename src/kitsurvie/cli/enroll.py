"""`kitsurvie enroll`: the first contact with a machine."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from kitsurvie import workspace
from kitsurvie.cli import output
from kitsurvie.cli.enroll_person import person
from kitsurvie.cli.enroll_place import Newcomer, Place, add, settle
from kitsurvie.enroll import address as addresses
from kitsurvie.enroll.administrators import acting, from_variables
from kitsurvie.enroll.enrolment import Enrolled, Person, Request, Trust, enrol, meet_jump
from kitsurvie.enroll.host_key import PublicKey, fingerprint
from kitsurvie.enroll.record import record
from kitsurvie.enroll.road import PASSWORD_VARIABLE
from kitsurvie.errors import UsageError
from kitsurvie.model import Profile
from kitsurvie.workspace import Workspace

Address = Annotated[str, typer.Argument(help="Where the machine is today: IP address or DNS name.")]
Member = Annotated[str, typer.Option("--member", help="SIREN of the member it belongs to.")]
ProfileOf = Annotated[Profile | None, typer.Option("--profile", help="What it is used for.")]
Name = Annotated[str, typer.Option("--name", help="Its name in the inventory, for good.")]
Port = Annotated[int, typer.Option("--port", help="Port of its SSH server.")]
Login = Annotated[
    str, typer.Option("--login", help="Account of the first login (default: yours, here).")
]
Key = Annotated[
    Path | None,
    typer.Option("--key", help="Private key of the first login (default: agent, then password)."),
]
AdminKey = Annotated[
    Path | None,
    typer.Option(
        "--admin-key",
        help="Your own private key as administrator (default: the inventory's, --key, agent).",
    ),
]
As = Annotated[str, typer.Option("--as", help="The administrator you are (default: ansible_user).")]
Fingerprint = Annotated[
    str, typer.Option("--fingerprint", help="The host key to expect, SHA256:...; nothing is asked.")
]
JumpHost = Annotated[
    str, typer.Option("--jump", help="Go through user@address[:port] (default: kit__jump).")
]
AsJump = Annotated[bool, typer.Option("--as-jump", help="Only pin the key of a jump host.")]
ReplaceKey = Annotated[
    bool, typer.Option("--replace-key", help="It was reinstalled: confirm and pin its new key.")
]
Where = Annotated[
    Path | None, typer.Option("--workspace", help="The workspace (default: the one around here).")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def enroll(
    address: Address,
    member: Member = "",
    profile: ProfileOf = None,
    name: Name = "",
    port: Port = 22,
    login: Login = "",
    key: Key = None,
    admin_key: AdminKey = None,
    as_administrator: As = "",
    expected: Fingerprint = "",
    jump: JumpHost = "",
    as_jump: AsJump = False,
    replace_key: ReplaceKey = False,
    workspace_path: Where = None,
    as_json: Json = False,
) -> None:
    """Meet a machine: confirm its key, create the named administrators, prove the way in.

    The password of the first login is asked for, or read from KITSURVIE_ENROLL_PASSWORD. The
    workspace is written once everything was proved. Running it again repairs and changes nothing
    else.
    """
    # taken out of the environment at once: no child of ours inherits it
    password = os.environ.pop(PASSWORD_VARIABLE, None)
    space = workspace.find(workspace_path)
    at = addresses.endpoint(address, port)
    trust = Trust(
        known_hosts=space.known_hosts,
        fingerprint=fingerprint(expected) if expected else None,
        replace=replace_key,
    )
    asked = person(at, password)
    if as_jump:
        _pin_jump(space, at, trust, asked, as_json)
        return
    if not (member and profile and name):
        raise UsageError(
            "A machine needs a member, a profile and a name.",
            remedy="Give --member SIREN --profile server|desktop|laptop --name NAME"
            " (or --as-jump to pin the key of a jump host only).",
        )
    newcomer = Newcomer(addresses.host_name(name), at, member, profile, jump)
    place = settle(space, newcomer)
    named = from_variables(place.host.variables, where=f"{name}, member {member}")
    through = jump or place.host.jump
    mine = admin_key or (Path(place.host.key_file) if place.host.key_file else key)
    request = Request(
        name=newcomer.name,
        at=at,
        login=addresses.user_name(login or getpass.getuser()),
        key_file=key.expanduser() if key else None,
        administrators=named,
        administrator=acting(
            named, as_administrator or str(place.host.variables.get("ansible_user") or "")
        ),
        admin_key_file=mine.expanduser().absolute() if mine else None,
        trust=trust,
        timeout_s=space.connect_timeout_s,
        jump=addresses.jump(through) if through else None,
    )
    _enrol(space, request, newcomer, place, asked, as_json)


def _enrol(
    space: Workspace,
    request: Request,
    newcomer: Newcomer,
    place: Place,
    asked: Person,
    as_json: bool,
) -> None:
    enrolled = enrol(request, asked)

    def add_to_inventory() -> None:
        if not place.known:
            add(space, newcomer)

    record(
        space.known_hosts,
        enrolled.name,
        enrolled.keys,
        replace=request.trust.replace,
        add_to_inventory=add_to_inventory,
    )
    if as_json:
        output.document("enrolment", _document(enrolled, newcomer, place, request))
    else:
        _tell(enrolled, newcomer)


def _pin_jump(
    space: Workspace, at: addresses.Endpoint, trust: Trust, asked: Person, as_json: bool
) -> None:
    key = meet_jump(at, trust, asked, timeout_s=space.connect_timeout_s)
    name = addresses.jump_name(at)
    record(trust.known_hosts, name, [key], replace=trust.replace, add_to_inventory=lambda: None)
    if as_json:
        output.document("jump_host", {"name": name, "pinned": [_key(key)]})
        return
    output.say(f"The key of the jump host {at} is pinned: {key.type} {key.fingerprint}")
    output.say(f"Next: kit__jump: USER@{at} in the variables of a member or EPCI, or --jump.")


def _key(key: PublicKey) -> dict[str, str]:
    return {"type": key.type, "fingerprint": key.fingerprint}


def _document(
    enrolled: Enrolled, newcomer: Newcomer, place: Place, request: Request
) -> dict[str, Any]:
    return {
        "name": enrolled.name,
        "address": enrolled.at.address,
        "port": enrolled.at.port,
        "jump": request.jump.pinned_as if request.jump else None,
        "member": newcomer.member,
        "profile": newcomer.profile.value,
        "debian": enrolled.debian,
        "host_key": _key(enrolled.host_key),
        "pinned": [_key(key) for key in enrolled.keys],
        "administrators": list(enrolled.administrators),
        "proved_as": enrolled.proved_as,
        "done": list(enrolled.did),
        "warnings": list(enrolled.warnings),
        "added_to_inventory": not place.known,
    }


def _tell(enrolled: Enrolled, newcomer: Newcomer) -> None:
    output.say(
        f"{enrolled.name} is enrolled: {newcomer.profile.value} of {newcomer.member},"
        f" Debian {enrolled.debian}, at {enrolled.at}."
    )
    for key in enrolled.keys:
        seen = " (the one confirmed)" if key == enrolled.host_key else ""
        output.say(f"  pinned  {key.type} {key.fingerprint}{seen}")
    for change in enrolled.did or ("nothing to change on the machine",):
        output.say(f"  done    {change}")
    output.say(f"  proved  {enrolled.proved_as} logs in by key and may use sudo")
    for warning in enrolled.warnings:
        output.complain(f"  warning {warning}")
    output.say(f"Next: kitsurvie compliance run --limit {enrolled.name}")
