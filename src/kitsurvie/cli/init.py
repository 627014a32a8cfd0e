"""`kitsurvie init`: a workspace to start from, with the example syndicate."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from kitsurvie import workspace
from kitsurvie.cli import output
from kitsurvie.errors import WorkspaceError
from kitsurvie.inventory.sources import NOT_INVENTORIES

CONFIG = """\
# A kitsurvie workspace: this file, the inventory beside it, and your own measures (if any) in
# roles/.
# Every setting has a default, shown here; take the # away to change one.

# Where the Ansible inventory is (hosts.yml, group_vars/, known_hosts).
# inventory = "inventory"

# Where kitsurvie keeps what it learns. It can grow: evidence of every night is kept there.
# state = ".kitsurvie"

# The ledger of runs and verdicts, an SQLAlchemy URL; empty: an SQLite file in the state folder.
# ledger = ""

# Where PCs that observe themselves hand in (playbooks/spool.yml sets it up).
# spool = "/var/lib/kitsurvie-spool"

# The private key of the night, which may only look (kitsurvie compliance run --as-observer), such
# as keys/observer; empty: there is none.
# observer_key = ""

# Seconds given to a machine to answer, and to be looked at.
# connect_timeout_s = 10
# observe_timeout_s = 120

# How many machines are talked to at once, and how many behind one jump host (one ADSL line).
# parallel = 50
# parallel_per_site = 4

# How many days ahead a waiver may end, how many days an attestation may hold, and for how many days
# a machine may stay unseen before it is named for it.
# waiver_days = 366
# attestation_days = 1096
# unseen_days = 30

# For how many days `kitsurvie compliance prune` keeps verdicts, and the answers that prove them.
# verdicts_days = 400
# evidence_days = 90

# A measure that drifted so many times on one machine, within so many days, is named for it.
# recurrent_times = 3
# recurrent_days = 30

# Logins that are no person's, in every export of equipment: a kiosk, a service, a shared session.
# nobody = []

# The SIREN of the syndicate itself, and the name and address of its data protection officer: who
# owns what is lent to every member, and who answers for the data (kitsurvie privacy).
# syndicate = ""
# dpo = ""

# What `kitsurvie assets health` goes by: after how many days an inventory proves nothing of today,
# after how many years a machine is old, which kinds must have their disk encrypted, and of which
# systems the paid extension was bought, such as ["windows-10", "windows-server", "ubuntu"].
# health_stale_days = 90
# health_years = 7
# health_encrypted = ["laptop", "tablet"]
# health_extended = []
"""
IGNORED = """\
# What kitsurvie learns stays here; inventory/known_hosts is shared: it is how machines are known.
/.kitsurvie/
/keys/
"""
ANSIBLE = f"""\
# For those who call ansible or ansible-playbook themselves; kitsurvie does not read this file.
[defaults]
inventory = inventory

[inventory]
enable_plugins = yaml
ignore_patterns = {", ".join(NOT_INVENTORIES)}
"""
NEXT = """\
{folder} holds an example syndicate. Next:
  cd {folder}
  kitsurvie inventory show         see whom it serves, with which machines
  kitsurvie kit list               see the measures of the kit
  kitsurvie inventory check        see what is wrong or missing
Then put your own members in inventory/ and bring in a first machine:
  kitsurvie enroll ADDRESS --member SIREN --profile server --name NAME
  kitsurvie plan"""


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Make a workspace with an example syndicate to start from."""
    example = _example()
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise WorkspaceError(
                "A workspace is made in a new or empty folder only; this one is not.",
                where=str(folder),
                remedy="Name another folder, or empty it yourself.",
            )
        files = {
            **example,
            Path(".gitignore"): IGNORED.encode(),
            Path("ansible.cfg"): ANSIBLE.encode(),
            # last: an interrupted init leaves no workspace behind
            Path(workspace.CONFIG_NAME): CONFIG.encode(),
        }
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise WorkspaceError(
            f"The workspace cannot be written: {error.strerror}.",
            where=str(error.filename or folder),
            remedy="Mend the rights or the space there, or name another folder.",
        ) from error
    output.say(NEXT.format(folder=shlex.quote(str(folder))))


def _example() -> dict[Path, bytes]:
    """The example inventory without the territory, which is read from the kit itself."""
    shipped = workspace.shipped("inventory")
    found = {
        Path("inventory") / path.relative_to(shipped): path.read_bytes()
        for path in sorted(shipped.rglob("*.yml"))
        if path.is_file() and "territory" not in path.relative_to(shipped).parts
    }
    if not found:
        raise WorkspaceError(
            "The example inventory is missing from this installation.",
            where=str(shipped),
            remedy="Install kitsurvie again.",
        )
    return found
