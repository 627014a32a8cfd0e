"""From resolved variables to hosts, members and EPCI, and what makes that impossible."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kitsurvie.inventory import names
from kitsurvie.inventory.problem import Problem
from kitsurvie.inventory.resolved import Record, Resolved, Variables
from kitsurvie.model import Host, Inventory, Member, MemberKind, Profile

# what Ansible obeys and the fleet does not read, and the values that change nothing
_ROAD_IS_OURS: Mapping[str, tuple[str, ...]] = {
    "ansible_become_user": ("root",),
    "ansible_connection": ("ssh", "smart"),
    "ansible_ssh_args": (),
    "ansible_ssh_executable": (),
    "ansible_ssh_host": (),
    "ansible_ssh_port": (),
    "ansible_ssh_user": (),
}
_ADAPT = "Compare with the example that `kitsurvie init` writes."


def build(resolved: Resolved, digest: str) -> Inventory:
    """Hosts, members and EPCI of an inventory in which `problems` found nothing."""
    ancestry = resolved.ancestry()
    groups_of: dict[tuple[str, ...], tuple[str, ...]] = {}
    profiles = {profile.value: profile for profile in Profile}
    members: dict[str, Member] = {}
    epcis: dict[str, str] = {}
    hosts: dict[str, Host] = {}
    account = ""
    for record in resolved.records:
        groups = groups_of.get(record.groups)
        if groups is None:
            groups = groups_of[record.groups] = _all_groups(record, ancestry)
        variables = resolved.variables(record)
        siren = _sirens(groups, "member")[0]
        epci = next(iter(_sirens(groups, "epci")), None)
        if siren not in members:
            told = variables["kit__member"]
            members[siren] = Member(
                siren, told["name"], MemberKind(told["kind"]), told["insee"], epci
            )
        if epci is not None and epci not in epcis:
            epcis[epci] = variables["kit__epci"]["name"]
        user = variables.get("ansible_user") or account
        if not user:
            user = account = getpass.getuser()  # as ssh does
        hosts[record.name] = Host(
            name=record.name,
            address=variables.get("ansible_host") or record.name,
            port=int(variables.get("ansible_port") or 22),
            user=user,
            key_file=_key_file(variables),
            member=siren,
            epci=epci,
            insee=members[siren].insee,
            profile=profiles[variables["kit__profile"]],
            groups=groups,
            variables=variables,
            jump=variables.get("kit__jump") or None,
            settings=resolved.settings_of(record),
        )
    return Inventory(hosts, members, epcis, digest)


def problems(resolved: Resolved) -> Iterator[Problem]:
    """What keeps the hosts from being built, group by group, then host by host.

    `where` is the name of the group or host; the reader knows the lines.
    """
    ancestry = resolved.ancestry()
    for group in ancestry:
        yield from _group_problems(group, ancestry)
    groups_of: dict[tuple[str, ...], tuple[str, ...]] = {}
    told: set[tuple[str, str]] = set()
    for record in resolved.records:
        groups = groups_of.setdefault(record.groups, _all_groups(record, ancestry))
        variables = resolved.variables(record)
        for problem in _host_problems(record, groups, variables, ancestry):
            # what a group says wrongly is said once, not once per machine
            if (problem.where, problem.what) not in told:
                told.add((problem.where, problem.what))
                yield problem


def _all_groups(record: Record, ancestry: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({name for group in record.groups for name in ancestry.get(group, ())}))


def _sirens(groups: tuple[str, ...], kind: str) -> list[str]:
    return [g[len(kind) + 1 :] for g in groups if g.startswith(f"{kind}_")]


def _key_file(variables: Variables) -> str | None:
    found = variables.get("ansible_ssh_private_key_file") or variables.get(
        "ansible_private_key_file"
    )
    if not found:
        return None
    try:
        return str(Path(found).expanduser())
    except RuntimeError:  # the home of somebody unknown here: ssh will say so
        return str(found)


def _group_problems(group: str, ancestry: Mapping[str, tuple[str, ...]]) -> Iterator[Problem]:
    kind, _, siren = group.partition("_")
    if kind not in ("member", "epci"):
        return
    if not names.good_siren(siren):
        yield Problem(
            group,
            f"The group {group} does not end in a SIREN (9 digits, the last one a Luhn key).",
            "Look the SIREN up and mend the digits, or name the group otherwise if it is no "
            f"{kind}.",
        )
    above = [name for name in ancestry[group] if name != group]
    if kind == "member":
        if _sirens(tuple(above), "member"):
            yield Problem(
                group,
                f"The member group {group} lies inside another member's group.",
                "A member is a child of its EPCI's group, or of `all`.",
            )
        if len(_sirens(tuple(above), "epci")) > 1:
            yield Problem(
                group,
                f"The member group {group} is a child of several EPCI groups: "
                f"{', '.join(_sirens(tuple(above), 'epci'))}.",
                "Keep it under the one EPCI it belongs to.",
            )
    elif _sirens(tuple(above), "epci") or _sirens(tuple(above), "member"):
        yield Problem(
            group,
            f"The EPCI group {group} lies inside another EPCI's or member's group.",
            "Put EPCI groups directly under `all`.",
        )


def _host_problems(
    record: Record,
    groups: tuple[str, ...],
    variables: Variables,
    ancestry: Mapping[str, tuple[str, ...]],
) -> Iterator[Problem]:
    name = record.name
    if not names.good_host(name):
        yield Problem(repr(name), f"{name!r} cannot be the name of a host.", _ADAPT)
        return
    members = _sirens(groups, "member")
    if len(members) != 1:
        what = (
            f"The host {name} belongs to no member."
            if not members
            else f"The host {name} is in the groups of several members: {', '.join(members)}."
        )
        yield Problem(name, what, "Put it in the one group member_<SIREN> of who owns it.")
    else:
        yield from _member_problems(name, members[0], variables)
        rightful = ancestry[f"member_{members[0]}"]
        for epci in _sirens(groups, "epci"):
            if f"epci_{epci}" not in rightful:
                yield Problem(
                    name,
                    f"The host {name} is in epci_{epci} beside its member's group, not through it: "
                    "Ansible would let the EPCI's values win over the member's.",
                    f"Make member_{members[0]} a child of epci_{epci} and take the host out of "
                    "the latter.",
                )
    for epci in _sirens(groups, "epci"):
        yield from _epci_problems(name, epci, variables)
    yield from _profile_problems(name, variables)
    yield from _road_problems(name, variables)


def _member_problems(host: str, siren: str, variables: Variables) -> Iterator[Problem]:
    group = f"member_{siren}"
    told = variables.get("kit__member")
    if not isinstance(told, dict):
        yield Problem(
            group,
            f"Nothing says who the member {siren} is: kit__member is "
            f"{'missing' if told is None else 'not a mapping'}.",
            f'Write in group_vars/{group}.yml: kit__member: {{siren: "{siren}", name: ..., kind: '
            "commune, insee: ...}.",
        )
        return
    if told.get("siren") != siren:
        yield Problem(
            group,
            f"kit__member of the host {host} names the SIREN {told.get('siren')!r}, its group "
            f"says {siren}.",
            "Write the SIREN of the group, between quotes.",
        )
    kinds = [kind.value for kind in MemberKind]
    if told.get("kind") not in kinds:
        yield Problem(
            group,
            f"The kind of the member {siren} is {told.get('kind')!r}.",
            f"Write one of: {', '.join(kinds)}.",
        )
    if not names.good_insee(told.get("insee")):
        yield Problem(
            group,
            f"The INSEE code of the member {siren} is {told.get('insee')!r}, not 5 characters.",
            'Write the code of the commune where it sits, between quotes: "50002".',
        )
    yield from _name_problem(group, f"the member {siren}", told.get("name"))
    for key in sorted(set(told) - {"siren", "name", "kind", "insee"}):
        yield Problem(
            group,
            f"kit__member of {siren} holds {key!r}, which means nothing.",
            "It holds siren, name, kind and insee.",
        )


def _epci_problems(host: str, siren: str, variables: Variables) -> Iterator[Problem]:
    group = f"epci_{siren}"
    told = variables.get("kit__epci")
    if not isinstance(told, dict) or told.get("siren") != siren:
        yield Problem(
            group,
            f"kit__epci, as the host {host} sees it, does not name the EPCI {siren}.",
            f'Write in group_vars/{group}.yml: kit__epci: {{siren: "{siren}", name: ...}}.',
        )
        return
    yield from _name_problem(group, f"the EPCI {siren}", told.get("name"))


def _name_problem(group: str, who: str, name: object) -> Iterator[Problem]:
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > 200:
        yield Problem(group, f"The name of {who} is {name!r}.", "Write its name on one line.")


def _profile_problems(host: str, variables: Variables) -> Iterator[Problem]:
    profile = variables.get("kit__profile")
    profiles = ", ".join(profile.value for profile in Profile)
    if profile is None:
        yield Problem(host, f"The host {host} has no profile.", f"Set kit__profile: {profiles}.")
    elif profile not in {profile.value for profile in Profile}:
        yield Problem(
            host, f"The host {host} has the profile {profile!r}.", f"Write one of: {profiles}."
        )


def _road_problems(host: str, variables: Variables) -> Iterator[Problem]:
    address = variables.get("ansible_host", host)
    if not names.good_address(address):
        yield Problem(
            host,
            f"The address of {host} is {_short(address)}: neither an IP address nor a DNS name.",
            "Mend ansible_host, as plain text.",
        )
    port = variables.get("ansible_port", 22)
    digits = isinstance(port, str) and port.isascii() and port.isdigit() and len(port) < 6
    whole = isinstance(port, int) and not isinstance(port, bool)
    if not (digits or whole) or not 1 <= int(port) <= 65535:
        yield Problem(
            host,
            f"The port of {host} is {_short(port)}.",
            "Mend ansible_port: a number from 1 to 65535.",
        )
    user = variables.get("ansible_user")
    if user is not None and not names.good_user(user):
        yield Problem(
            host,
            f"The account to log in to {host} is {_short(user)}.",
            "Mend ansible_user: letters, digits, dot, dash, underscore, as plain text.",
        )
    for name in ("ansible_ssh_private_key_file", "ansible_private_key_file"):
        key = variables.get(name)
        if key is not None and not _good_path(key):
            yield Problem(
                host,
                f"{name} of {host} is {_short(key)}.",
                "Write the path of a private key, without quotes, $ or backslash.",
            )
    for name, harmless in _ROAD_IS_OURS.items():
        if name in variables and variables[name] not in harmless:
            yield Problem(
                host,
                f"{name} of {host} would lead Ansible by another road than the one observed.",
                "Take it out; ansible_host, ansible_port, ansible_user and kit__jump say the road.",
            )
    jump = variables.get("kit__jump")
    if jump and names.jump(jump) is None:
        yield Problem(
            host,
            f"The jump host of {host} is {_short(jump)}.",
            "Mend kit__jump: user@address or user@address:port.",
        )


def _good_path(path: Any) -> bool:
    return (
        isinstance(path, str)
        and bool(path)
        and path.isprintable()
        and not any(mark in path for mark in ("{{", '"', "'", "$", "`", "\\"))
        and not path.startswith("-")
    )


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
