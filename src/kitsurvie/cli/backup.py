"""`kitsurvie backup` and `kitsurvie restore`: a workspace and its ledger in one file, and back."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from kitsurvie import backup as backups
from kitsurvie import ledger as ledgers
from kitsurvie import workspace as workspaces
from kitsurvie.cli import output, run_lock
from kitsurvie.cli.context import who
from kitsurvie.cli.options import Json, Workspace


def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="The folder that holds the backups.")],
    keep: Annotated[
        int | None,
        typer.Option("--keep", min=1, metavar="N", help="Then delete the oldest beyond N."),
    ] = None,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="The private keys of the workspace, too.")
    ] = False,
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Copy the workspace and its ledger into one new file; runs may go on meanwhile.

    Inventory, settings, pinned keys, own measures, ledger. Not the history of git, nor private keys
    unless asked. Whoever reads it knows where every machine is weak: only its owner may.
    """
    place = workspaces.find(workspace)
    with tempfile.TemporaryDirectory(prefix="kitsurvie-backup-") as folder:
        copy = Path(folder) / "ledger.sqlite"
        has_ledger = ledgers.copy(place.ledger_url, copy)
        made = backups.pack(
            place, to, ledger=copy if has_ledger else None, with_keys=with_keys, made_by=who()
        )
    gone = backups.rotate(to, keep) if keep else ()
    if json:
        output.document(
            "backup",
            {
                "path": str(made.path), "bytes": made.size, "files": made.files,
                "ledger": has_ledger, "keys_left_out": list(made.keys_left_out),
                "deleted": [str(path) for path in gone],
            },
        )  # fmt: skip
        return 0
    output.say(f"{made.path}: {made.files} files, {made.size / 1e6:.1f} MB.")
    if not has_ledger:
        output.say("Without a ledger: there is none yet, or it is in a database of its own.")
    if made.keys_left_out:
        output.say(f"Private keys left out (--with-keys): {', '.join(made.keys_left_out)}.")
    if gone:
        output.say(f"Deleted: {', '.join(path.name for path in gone)}.")
    return 0


def restore(
    source: Annotated[
        Path, typer.Argument(metavar="FROM", help="A backup, or the folder whose newest is meant.")
    ],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the workspace is to be again.")
    ],
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Put what is there aside, as DIR.before-MOMENT."),
    ] = False,
    json: Json = False,
) -> int:
    """Bring a workspace and its ledger back from a backup, whole or not at all.

    Each file is compared with its checksum before anything is replaced, and nothing is deleted.
    """
    archive = backups.newest(source)
    with ExitStack() as stack:
        if overwrite and (folder / workspaces.CONFIG_NAME).is_file():
            # what goes on would write into the folder that is put aside
            place = workspaces.load(folder)
            for lock in (place.lock, place.ingest_lock):
                stack.enter_context(
                    run_lock.hold(
                        lock, "a restoration", wait_for_orphan=False, tell=output.complain
                    )
                )
        done = backups.unpack(archive, folder, overwrite=overwrite, check=_usable)
    if json:
        output.document(
            "restore",
            {
                "path": str(done.root), "backup": str(archive), "made_at": done.made_at,
                "made_by": done.made_by, "files": done.files,
                "before": str(done.before) if done.before else None, "notes": list(done.notes),
            },
        )  # fmt: skip
        return 0
    made = time.strftime("%Y-%m-%d %H:%M", time.localtime(done.made_at))
    output.say(f"{done.root} is as it was on {made} ({done.files} files, by {done.made_by}).")
    if done.before:
        output.say(f"What was there is in {done.before}: delete it once you are sure.")
    for note in done.notes:
        output.say(note)
    return 0


def _usable(root: Path) -> None:
    """Raises WorkspaceError or LedgerError when this kitsurvie cannot work with what comes back."""
    place = workspaces.load(root)
    if Path(place.ledger_url.partition(":///")[2]).is_relative_to(place.root):
        ledgers.Ledger.open(place.ledger_url).close()
