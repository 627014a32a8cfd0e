"""`kitsurvie spool`: the keys that PCs hand in with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from kitsurvie import inventory as inventories
from kitsurvie import kit, spool
from kitsurvie.cli import options as asked_for
from kitsurvie.cli import output
from kitsurvie.cli.self_observation import FOLDER, MEASURE
from kitsurvie.errors import ExitCode, KitsurvieError
from kitsurvie.model import Inventory, Mode
from kitsurvie.spool import Published
from kitsurvie.workspace import Workspace, find

app = typer.Typer(help="Where PCs that observe themselves hand in.")


@app.callback()
def _group() -> None:
    """Where PCs that observe themselves hand in."""


@app.command()
def keys(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would change; exit code 1 if anything.")
    ] = False,
    json: asked_for.Json = False,
    workspace: asked_for.Workspace = None,
) -> int:
    """Bring the keys that sshd takes for the spool in line with the workspace, and show them.

    A key opens the spool while its machine is in the inventory, its file is in spool_keys/ and the
    measure self_observation is not off there. deploy and retire do this by themselves.
    """
    place = find(workspace)
    said = spool.publish(place, meant(place, inventories.load(place)), write=not check)
    if json:
        output.document(
            "spool_keys",
            {
                "file": str(said.file),
                "keys": dict(said.keys),
                "added": list(said.added),
                "removed": list(said.removed),
                "shared": [list(names) for names in said.shared],
            },
        )
    else:
        for host, key in said.keys.items():
            output.say(f"{host} {spool.keys.TYPE} {key}")
        tell(said)
    return ExitCode.DRIFT if check and (said.added or said.removed) else ExitCode.COMPLIANT


def collect(place: Workspace, inventory: Inventory, seen: Mapping[str, str]) -> list[str]:
    """Keep the keys that a deployment saw on machines, and let them in; gives what was odd.

    Where no spool is set up here, the keys are kept and nobody is let in.
    """
    odd = []
    try:
        wanted = meant(place, inventory)
        for host in spool.stored(place).keys() - wanted:
            # switched off there: a copy of its key must not be let in when it is switched on again
            if host in inventory.hosts:
                spool.remove(place, host)
        for host, text in seen.items():
            try:
                spool.add(place, host, text)
            except ValueError as error:
                odd.append(f"{host} hands nothing in: {error} ({FOLDER}/key.pub).")
        if (place.spool / "keys").is_dir():
            tell(spool.publish(place, wanted))
        elif seen:
            odd.append(
                f"There is no spool here ({place.spool}): what machines observe of themselves is "
                "heard once it is set up (playbooks/spool.yml), then: kitsurvie spool keys"
            )
    except (KitsurvieError, OSError) as error:
        # the deployment is done, and is to be told whatever became of the keys
        odd.append(f"The keys of the spool are not in line: {error}")
    return odd


def forget(place: Workspace, host: str) -> list[str]:
    """A machine is gone: its key is let in no more. Gives what went wrong."""
    if not spool.remove(place, host):
        return []
    return collect(place, inventories.load(place), {})


def meant(place: Workspace, inventory: Inventory) -> set[str]:
    """The machines that are to observe themselves today, and to hand in somewhere."""
    measure = kit.load(place.roles).get(MEASURE)
    if measure is None:
        return set()
    return {
        name
        for name, host in inventory.hosts.items()
        if host.profile in measure.profiles
        and kit.mode(measure, host.variables) is not Mode.OFF
        and kit.resolve(measure, host.variables).get(f"{MEASURE}__server")
    }


def tell(said: Published) -> None:
    """What changed in the list, on standard error."""
    for word, names in (("let in", said.added), ("no longer let in", said.removed)):
        if names:
            output.complain(f"Spool keys, {word}: {', '.join(names)}")
    for names in said.shared:
        output.complain(
            f"Spool keys, left out: {', '.join(names)} have one and the same key (a copied disk?). "
            "On all but one: rm /var/lib/kitsurvie/self_observation/key*, then kitsurvie deploy."
        )
