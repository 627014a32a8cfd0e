"""Add a host to the inventory, its member's and EPCI's groups with it."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kitsurvie.errors import InventoryError
from kitsurvie.inventory import insertion, names, removal, sources, structure, syntax, territory
from kitsurvie.model import Member, Profile
from kitsurvie.workspace import Workspace, is_shared, open_private, put_in_place


def add_host(
    workspace: Workspace,
    name: str,
    address: str,
    *,
    member: str | Member,
    profile: Profile,
    port: int = 22,
    user: str | None = None,
    jump: str | None = None,
    variables: Mapping[str, Any] | None = None,
) -> Path:
    """Write a host into the inventory and give back the file that holds it.

    `member` is a SIREN that the inventory or the territory data knows, or a Member when neither
    does. `user` and `jump` are written only when given: they are mostly the group's. A host that
    is there already, in the same member's group, has its values replaced one by one (that is what
    enrolling again does); comments and everything else stay as they are. Two calls at once wait for
    each other. Raises InventoryError; the files are then as they were.
    """
    values: dict[str, Any] = {"ansible_host": address}
    if port != 22:
        values["ansible_port"] = port
    if user:
        values["ansible_user"] = user
    values["kit__profile"] = profile.value
    if jump:
        values["kit__jump"] = jump
    values.update(variables or {})
    _refuse(name, address, port, user, jump)
    with _alone(workspace):
        files = sources.read(workspace.inventory)
        shape = structure.read(files)
        siren = member if isinstance(member, str) else member.siren
        group = f"member_{siren}"
        documents = {
            source.shown: syntax.parse(source.data, source.shown)[1]
            for source in files
            if source.kind == "hosts"
        }
        file, path = _place(workspace, documents, group)
        new: dict[Path, str] = {}
        if path is None:
            who = _who(siren, member)
            file, path = _above(workspace, documents, who)
            path.append(group)
            new.update(_group_files(workspace, shape, who))
        _refuse_elsewhere(shape, documents, name, group)
        text = file.read_text(encoding="utf-8") if file.is_file() else "---\n"
        shown = f"{workspace.inventory.name}/{file.relative_to(workspace.inventory)}"
        new[file] = _with_host(text, [*path, "hosts", name], values, shown)
        for target, content in new.items():
            replace(target, content)
    return file


def remove_host(workspace: Workspace, name: str) -> tuple[Path, ...]:
    """Take a host out of every group of the inventory; gives the files that held it.

    Its member's group stays, and so does a file of its own variables (`host_vars`). Raises
    InventoryError; the files are then as they were.
    """
    with _alone(workspace):
        new: dict[Path, str] = {}
        for source in sources.read(workspace.inventory):
            if source.kind != "hosts":
                continue
            text = source.data.decode()
            for path in list(_places_of(syntax.parse(source.data, source.shown)[1], name, [])):
                text = removal.take_out(text, path, source.shown)
            if text != source.data.decode():
                new[workspace.inventory.parent / source.shown] = text
        for target, content in new.items():
            replace(target, content)
    return tuple(new)


def _places_of(data: Any, host: str, above: list[str]) -> Iterator[list[str]]:
    """The way to each place at which a host is named, among nested `children`."""
    for group, content in (data or {}).items():
        if isinstance(content, dict):
            if host in (content.get("hosts") or {}):
                yield [*above, group, "hosts", host]
            yield from _places_of(content.get("children"), host, [*above, group, "children"])


def replace(path: Path, content: str) -> None:
    """Write a file whole or not at all; a link stays a link, rights stay as they are.

    Raises InventoryError when it cannot be written.
    """
    real = path.resolve()
    try:
        if not real.parent.exists():
            real.parent.mkdir(parents=True)
            if is_shared(real.parent.parent):
                real.parent.chmod(0o2775)
        shared = is_shared(real.parent)
        mode = real.stat().st_mode & 0o777 if real.exists() else 0o664 if shared else 0o644
        put_in_place(real, content.encode("utf-8"), mode)
    except OSError as error:
        raise InventoryError(
            f"The inventory cannot be written: {error.strerror}.",
            where=str(path),
            remedy="Mend the rights or the space there.",
        ) from error


def _refuse(name: str, address: str, port: int, user: str | None, jump: str | None) -> None:
    flaws = {
        f"{name!r} cannot be the name of a host": names.good_host(name),
        f"{address!r} is neither an IP address nor a DNS name": names.good_address(address),
        f"{port} is not a port": 1 <= port <= 65535,
        f"{user!r} cannot be an account": user is None or names.good_user(user),
        f"{jump!r} is not user@address[:port]": jump is None or names.jump(jump) is not None,
    }
    for flaw, good in flaws.items():
        if not good:
            raise InventoryError(f"{flaw}.", remedy="Mend it and try again.", where=repr(name))


@contextlib.contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Hold the inventory's lock: two sysadmins may enrol at the same moment."""
    try:
        workspace.make_state()
        with os.fdopen(open_private(workspace.state / "inventory.lock", os.O_WRONLY), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise InventoryError(
            f"The inventory cannot be locked: {error.strerror}.",
            where=str(workspace.state),
            remedy="Mend the rights or the space there.",
        ) from error


def _place(
    workspace: Workspace, documents: Mapping[str, Any], group: str
) -> tuple[Path, list[str] | None]:
    """The file and path at which a group stands, else the file for new groups and None."""
    for shown, document in documents.items():
        found = _find(document, group, [])
        if found:
            return workspace.inventory.parent / shown, found
    return workspace.inventory / "hosts.yml", None


def _above(
    workspace: Workspace, documents: Mapping[str, Any], who: Member
) -> tuple[Path, list[str]]:
    """The file and the `children` below which a new member's group goes."""
    if who.epci is None:
        return workspace.inventory / "hosts.yml", ["all", "children"]
    file, path = _place(workspace, documents, f"epci_{who.epci}")
    return file, [*(path or ["all", "children", f"epci_{who.epci}"]), "children"]


def _find(data: Any, group: str, path: list[str]) -> list[str] | None:
    """The longest way to a group among nested `children`: where it is defined, not only named."""
    best: list[str] | None = None
    for name, content in (data or {}).items():
        here = [*path, name]
        found = here if name == group else None
        if isinstance(content, dict):
            found = found or _find(content.get("children"), group, [*here, "children"])
        if found and (best is None or len(found) > len(best)):
            best = found
    return best


def _who(siren: str, member: str | Member) -> Member:
    if not names.good_siren(siren):
        raise InventoryError(
            f"{siren!r} is not a SIREN: 9 digits, the last one a Luhn key.",
            remedy="Look it up in the public directory of companies and mend the digits.",
        )
    known = territory.member(siren)
    if isinstance(member, Member):
        return member
    if known is None:
        raise InventoryError(
            f"Neither the inventory nor the territory data knows the member {siren}.",
            remedy=f"Describe it first: a group member_{siren} in hosts.yml, and kit__member with "
            f"siren, name, kind and insee in group_vars/member_{siren}.yml.",
        )
    return known


def _group_files(
    workspace: Workspace, shape: structure.Structure, who: Member
) -> Iterator[tuple[Path, str]]:
    """The variables files of a new member and of its EPCI, unless something sets them already."""
    if not who.name.isprintable() or not names.good_insee(who.insee):
        raise InventoryError(
            f"The member {who.siren} has no usable name or INSEE code.",
            remedy="Give its name on one line and the 5 characters of its commune's code.",
        )
    told = {(d.scope, d.name) for d in shape.definitions if d.kind == "group"}
    group = f"member_{who.siren}"
    values = {"siren": who.siren, "name": who.name, "kind": who.kind.value, "insee": who.insee}
    if (group, "kit__member") not in told:
        yield _variables_file(workspace, group, "kit__member", values)
    if who.epci and (f"epci_{who.epci}", "kit__epci") not in told:
        name = territory.epci(who.epci)
        if name is None:
            raise InventoryError(
                f"Neither the inventory nor the territory data knows the EPCI {who.epci}.",
                remedy=f"Write kit__epci with siren and name in group_vars/epci_{who.epci}.yml.",
            )
        values = {"siren": who.epci, "name": name}
        yield _variables_file(workspace, f"epci_{who.epci}", "kit__epci", values)


def _variables_file(
    workspace: Workspace, group: str, variable: str, values: dict[str, str]
) -> tuple[Path, str]:
    folder = workspace.inventory / "group_vars"
    path = folder / f"{group}.yml"
    if (folder / group).is_dir():
        # Ansible reads the folder and never looks at a file of the same name
        path = folder / group / "main.yml"
    elif (folder / f"{group}.yaml").is_file():
        path = folder / f"{group}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else "---\n"
    for name, value in values.items():
        text = insertion.put(text, [variable, name], value, f"group_vars/{path.name}")
    return path, text


def _refuse_elsewhere(
    shape: structure.Structure, documents: Mapping[str, Any], name: str, group: str
) -> None:
    """A host has one member: one that stands in another group already is not moved silently."""
    if name in shape.group_lines:
        raise InventoryError(
            f"{name} is already the name of a group.",
            where=shape.group_lines[name],
            remedy="Choose another name for the host.",
        )
    for document in documents.values():
        for found in _groups_of(document, name):
            if found != group and found.startswith("member_"):
                raise InventoryError(
                    f"The host {name} already belongs to {found}.",
                    where=shape.host_lines[name],
                    remedy="Take it out of there first, or choose another name.",
                )


def _groups_of(data: Any, host: str) -> Iterator[str]:
    for name, content in (data or {}).items():
        if isinstance(content, dict):
            if host in (content.get("hosts") or {}):
                yield str(name)
            yield from _groups_of(content.get("children"), host)


def _with_host(text: str, path: list[str], values: dict[str, Any], shown: str) -> str:
    data: Any = syntax.parse(text.encode(), shown)[1]
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    if not data:
        return insertion.put(text, path, values, shown)
    if "ansible_port" in data:  # a port of its own no more
        values = {"ansible_port": 22, **values}
    for variable, value in values.items():
        text = insertion.put(text, [*path, variable], value, shown)
    return text
