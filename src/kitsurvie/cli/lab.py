"""`kitsurvie lab`: disposable machines to try a measure on before it meets a town hall."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.table import Table

from kitsurvie import lab, workspace
from kitsurvie.cli import output
from kitsurvie.lab import scenario
from kitsurvie.lab.territory import members

app = typer.Typer(
    help="Disposable real Debian machines, and a small syndicate around them (needs root).",
    no_args_is_help=True,
)

_Folder = typer.Option(Path("lab"), "--dir", help="The folder of the lab: its workspace.")


@app.command()
def up(
    machines: int = typer.Option(4, "--machines", help="How many containers, up to 24."),
    prefix: str = typer.Option(
        "ks", "--prefix", envvar="KITSURVIE_LAB_PREFIX", help="What their names begin with."
    ),
    network: str = typer.Option(
        "198.18.0.0/20",
        "--network",
        envvar="KITSURVIE_LAB_NETWORK",
        help="Their address range, inside 198.18.0.0/15.",
    ),
    folder: Path = _Folder,
    addresses_per_machine: int = typer.Option(
        1,
        "--addresses-per-machine",
        help="Further addresses make one machine play several hosts (scale tests).",
    ),
    releases: str = typer.Option(
        "bookworm,trixie", "--releases", help="Debian releases, in turn, comma-separated."
    ),
    vm: bool = typer.Option(
        False,
        "--vm",
        help="Besides, one virtual machine of each release: a kernel and a boot loader of its own.",
    ),
    enrolled: bool = typer.Option(
        False, "--enrolled", help="With the administrator's account, pinned keys and inventory."
    ),
) -> None:
    """Bring machines up, or those of them that are missing."""
    asked = tuple(release.strip() for release in releases.split(",") if release.strip())
    request = lab.Request(
        machines=machines,
        prefix=prefix,
        network=network,
        addresses_per_machine=addresses_per_machine,
        releases=asked,
        enrolled=enrolled,
        vms=asked if vm else (),
    )
    made = lab.up(folder, request, say=output.complain)
    if not enrolled:
        _say_how_to_enrol(made)
    output.say(f"The lab's workspace is {made.folder}")


def _say_how_to_enrol(made: lab.Lab) -> None:
    output.say(f"First login: user {made.install_user}, password {made.password} (sudo the same).")
    output.say("Enrol the machines (the password is asked for, or read from")
    output.say("KITSURVIE_ENROLL_PASSWORD; the fingerprint is what each one's console shows):")
    for machine in made.machines:
        output.say(
            f"  kitsurvie enroll {machine.address} --workspace {made.folder} --member "
            f"{machine.member} --profile {machine.profile} --name {machine.name} "
            f"--login {made.install_user} --fingerprint {machine.host_key_sha256}"
        )


@app.command()
def down(
    folder: Path = _Folder,
    purge_cache: bool = typer.Option(
        False, "--purge-cache", help="Remove the base images too, that other labs share."
    ),
) -> None:
    """Take the lab away: machines, network, disks. The workspace's files stay."""
    lab.down(folder, say=output.complain)
    if purge_cache:
        lab.purge(say=output.complain)


@app.command()
def status(
    folder: Path = _Folder,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on stdout."),
) -> None:
    """What the machines are and whether they run."""
    made = lab.load(folder)
    if as_json:
        output.document(
            "lab_status",
            {
                "workspace": str(made.folder),
                "network": made.request.network,
                "enrolled": made.request.enrolled,
                "machines": [_described(machine) for machine in made.machines],
            },
        )
        return
    table = Table("machine", "kind", "state", "address", "release", "profile", "member", "host key")
    for machine in made.machines:
        table.add_row(
            machine.name,
            str(machine.kind),
            machine.state,
            machine.address,
            machine.release,
            str(machine.profile),
            f"{members()[machine.member].name} ({machine.member})",
            machine.host_key_sha256,
        )
    output.stdout().print(table)


def _described(machine: lab.Machine) -> dict[str, object]:
    return {
        "name": machine.name,
        "kind": str(machine.kind),
        "state": machine.state,
        "addresses": list(machine.addresses),
        "release": machine.release,
        "profile": str(machine.profile),
        "member": machine.member,
        "host_key_sha256": machine.host_key_sha256,
        "leader_pid": machine.leader_pid,
        "upper_dir": str(machine.upper_dir),
    }


@app.command("break")
def break_(
    host: str = typer.Argument("", help="The machine, such as ks-01."),
    name: str = typer.Argument(
        "", metavar="SCENARIO", help="Such as firewall/drift_table_flushed; without one: a list."
    ),
    folder: Path = _Folder,
) -> None:
    """Break a measure on a machine as life does, or list the ways to."""
    roles = (
        workspace.load(folder).roles
        if (folder / workspace.CONFIG_NAME).is_file()
        else (workspace.shipped("roles"),)
    )
    if not host or not name:
        for known in scenario.known(roles):
            output.say(known)
        return
    made = lab.load(folder)
    scenario.act(made.machine(host), name, roles)
    output.say(f"{host}: {name} done")


@app.command()
def sleep(
    host: str = typer.Argument(help="The machine, such as ks-03."),
    folder: Path = _Folder,
    unplug: bool = typer.Option(False, "--unplug", help="Leave it on, off the network."),
) -> None:
    """Put a machine to sleep, as a laptop in its bag: off, or on without a network."""
    lab.sleep(lab.load(folder), host, unplug=unplug)
    output.say(f"{host}: {'unplugged' if unplug else 'off'}")


@app.command()
def wake(
    host: str = typer.Argument(help="The machine, such as ks-03."), folder: Path = _Folder
) -> None:
    """Wake a machine up and plug it in."""
    lab.wake(lab.load(folder), host)
    output.say(f"{host}: up")
