"""The workspace of the lab: a small syndicate whose members own the machines."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from kitsurvie.lab.roster import Kind, Place, inventory_names
from kitsurvie.lab.territory import epcis, members
from kitsurvie.workspace import CONFIG_NAME

ADMIN = "admin1"
_SSH_ARGUMENTS = (
    "-o HostKeyAlias={{ inventory_hostname }} "
    "-o 'UserKnownHostsFile=\"{{ inventory_dir }}/known_hosts\"' "
    "-o StrictHostKeyChecking=yes"
)
# An emulated processor takes its time to log somebody in, and to sudo.
_PATIENCE = {"ansible_timeout": 120}
_MADE_BY = "# Made by `kitsurvie lab up`"
# Named for plain Ansible: given the folder, it would read known_hosts as an inventory too.
_ANSIBLE_CFG = f"{_MADE_BY}, for plain Ansible.\n[defaults]\ninventory = inventory/hosts.yml\n"
# what a disposable machine is spared, and why: take the two lines of one away to try it
_SPARED = {
    "backup_seen": "a machine of the lab holds nothing to back up",
    "mail_client": "heavy: a quarter of a gigabyte on each machine",
    "office_suite": "heavy: half a gigabyte on each machine",
    "web_browser": "heavy: a quarter of a gigabyte on each machine",
}
_SOURCE = "# Names and numbers: Etalab decoupage-administratif 6.0.0 (INSEE COG, DGCL), "
_SOURCE += "Licence Ouverte 2.0.\n"


def administrator_key(folder: Path) -> Path:
    """The private key of the lab's administrator, made if it is not there yet."""
    key = folder / "keys" / ADMIN
    key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not key.exists():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{ADMIN}@lab", "-f", str(key)],
            check=True,
            stdin=subprocess.DEVNULL,
        )
    return key


def public_key(folder: Path) -> str:
    """The administrator's public key as one line."""
    return (administrator_key(folder).with_suffix(".pub")).read_text(encoding="utf-8").strip()


def write(folder: Path, places: Iterable[Place], *, enrolled: bool) -> None:
    """Write the workspace.

    The hosts are the lab's own and written anew; variables and settings that are there already
    are somebody's work and stay.
    """
    inventory = folder / "inventory"
    variables = inventory / "group_vars"
    (variables / "all").mkdir(parents=True, exist_ok=True)
    _keep(folder / CONFIG_NAME, f"{_MADE_BY}; every setting has its default.\n")
    _keep(folder / "ansible.cfg", _ANSIBLE_CFG)
    _keep(variables / "all" / "lab.yml", _yaml(_everyone(folder), f"{_MADE_BY}.\n"))
    for siren, name in epcis().items():
        _keep(
            variables / f"epci_{siren}.yml",
            _yaml({"kit__epci": {"siren": siren, "name": name}}, _SOURCE),
        )
    for member in members().values():
        described = {
            "siren": member.siren,
            "name": member.name,
            "kind": str(member.kind),
            "insee": member.insee,
        }
        _keep(variables / f"member_{member.siren}.yml", _yaml({"kit__member": described}, _SOURCE))
    hosts = _yaml(_hosts(places if enrolled else ()), f"{_MADE_BY}, and written anew by it.\n")
    (inventory / "hosts.yml").write_text(hosts, encoding="utf-8")


def pin(folder: Path, place: Place, keys: Iterable[str]) -> None:
    """Pin a machine's host keys under its inventory names, and no older one."""
    file = folder / "inventory" / "known_hosts"
    names = {name for name, _address in inventory_names(place)}
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    kept = [line for line in lines if line.split(" ", 1)[0] not in names]
    kept += [f"{name} {key}" for name in sorted(names) for key in keys]
    file.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def unpin_all(folder: Path) -> None:
    """Forget every host key: the machines are new."""
    (folder / "inventory" / "known_hosts").unlink(missing_ok=True)


def _everyone(folder: Path) -> dict[str, Any]:
    return {
        "ansible_user": ADMIN,
        "ansible_ssh_private_key_file": str(administrator_key(folder)),
        "ansible_ssh_common_args": _SSH_ARGUMENTS,
        "ansible_python_interpreter": "/usr/bin/python3",
        "kit__mode": "observe",
        "accounts__administrators": [{"name": ADMIN, "keys": [public_key(folder)]}],
        "support_contact__name": "Assistance informatique du labo",
        # a number from the range that the French regulator reserves for fiction
        "support_contact__phone": "02 61 91 00 00",
        "support_contact__email": "assistance@example.org",
        **{f"{measure}__mode": "off" for measure in _SPARED},
        **{f"{measure}__off_reason": why for measure, why in _SPARED.items()},
    }


def _hosts(places: Iterable[Place]) -> dict[str, Any]:
    """The inventory tree; members without hosts are in it too."""
    hosts: dict[str, dict[str, Any]] = {siren: {} for siren in members()}
    for place in places:
        for name, address in inventory_names(place):
            hosts[place.member][name] = {
                "ansible_host": address,
                "kit__profile": str(place.profile),
                **(_PATIENCE if place.kind is Kind.VM else {}),
            }
    tree: dict[str, Any] = {f"epci_{siren}": {"children": {}} for siren in epcis()}
    for member in members().values():
        group = {"hosts": hosts[member.siren]}
        tree[f"epci_{member.epci}"]["children"][f"member_{member.siren}"] = group
    return {"all": {"children": tree}}


def _yaml(document: dict[str, Any], head: str) -> str:
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{head}{text}"


def _keep(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")
