"""`kitsurvie spool`: the keys that PCs hand in with."""

from __future__ import annotations

from typing import Annotated

import typer

from kitsurvie import inventory as inventories
from kitsurvie import kit, spool
from kitsurvie.cli import options as asked_for
from kitsurvie.cli import output
from kitsurvie.errors import ExitCode
from kitsurvie.model import Inventory, Mode
from kitsurvie.spool import Published
from kitsurvie.workspace import Workspace, find

# the measure that makes machines observe themselves
MEASURE = "self_observation"

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
    said = publish(place, inventories.load(place), write=not check)
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


def publish(place: Workspace, inventory: Inventory, *, write: bool = True) -> Published:
    """The list for sshd, for the machines that are to observe themselves today."""
    measure = kit.load(place.roles).get(MEASURE)
    wanted = {
        name
        for name, host in inventory.hosts.items()
        if measure is not None
        and host.profile in measure.profiles
        and kit.mode(measure, host.variables) is not Mode.OFF
    }
    return spool.publish(place, wanted, write=write)


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
