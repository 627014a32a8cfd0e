"""Bring a lab up, take it down, put a machine to sleep, make one new again."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from kitsurvie.errors import LabError
from kitsurvie.lab import (
    archive,
    base,
    cgroup,
    disk,
    mirror,
    needs,
    network,
    power,
    record,
    roster,
    seed,
    settings,
    syndicate,
)
from kitsurvie.lab.machine import Machine
from kitsurvie.lab.record import Lab
from kitsurvie.lab.roster import Kind, Place, Request

Say = Callable[[str], None]


def _silent(_line: str) -> None:
    return


def up(folder: Path, request: Request, *, cache: Path | None = None, say: Say = _silent) -> Lab:
    """Bring a lab up in `folder`, or what is missing of it; machines that run are left alone.

    `say` gets one line per step. Raises LabError when something is lacking or in the way; what
    was begun is then taken away by `down`.
    """
    places = roster.places(request)
    needs.root()
    needs.commands(vms=bool(request.vms))
    if request.vms:
        needs.virtual_hardware()
    folder = folder.resolve()
    with _alone(folder):
        needs.kernel(record.hidden(folder))
        lab = _resume(folder, request) if record.exists(folder) else None
        if lab is None:
            _claim(folder, request)
            needs.disk(folder, request.machines, len(request.vms))
            lab = _plan(folder, request, places, cache or _cache(), say)
        network.raise_bridge(request.prefix, roster.gateway(request), request.network)
        if not archive.runs(request.prefix):
            archive.start(
                request.prefix,
                roster.gateway(request),
                mirror.read(),
                cache or _cache(),
                record.hidden(folder),
            )
        _boot(lab, places, say)
        return lab


def down(folder: Path, *, say: Say = _silent) -> None:
    """Take a lab away wholly: processes, mounts, bridge, rules, disks. Base images stay."""
    needs.root()
    folder = folder.resolve()
    if not record.hidden(folder).is_dir():
        say("There is no lab here.")
        return
    with _alone(folder):
        needs.clear_trial(record.hidden(folder))
        if not record.exists(folder):
            _unclaim(folder)
            say("There is no lab here.")
            return
        lab = record.load(folder)
        for machine in lab.machines:
            power.ask_to_stop(machine)
        _each(lab.machines, power.stop, lambda machine: say(f"{machine.name}: off"))
        for machine in lab.machines:
            power.forget(machine)
        cgroup.kill(archive.group(lab.request.prefix))
        cgroup.remove(cgroup.of_lab(lab.request.prefix))
        network.lower_bridge(lab.request.prefix, lab.request.network)
        _unclaim(folder)
        (record.hidden(folder) / "state.json").unlink()


def sleep(lab: Lab, name: str, *, unplug: bool = False) -> None:
    """Switch a machine off, or only take it off the network."""
    needs.root()
    machine = lab.machine(name)
    if not unplug:
        power.stop(machine)
    elif machine.leader_pid is not None:
        machine.unplugged_file.touch()
        network.unplug(name)


def wake(lab: Lab, name: str) -> None:
    """Switch a machine on, and put it back on the network."""
    needs.root()
    machine = lab.machine(name)
    if machine.unplugged_file.exists():
        machine.unplugged_file.unlink()
        if machine.leader_pid is not None:
            network.plug(lab.request.prefix, name)
    power.start(machine)
    power.wait_ready(machine)


def renew(lab: Lab, name: str) -> None:
    """Give a machine its first disk again: same keys, same address, nothing else of its past."""
    needs.root()
    machine = lab.machine(name)
    power.stop(machine)
    (machine.folder / "seeded").unlink(missing_ok=True)
    machine.unplugged_file.unlink(missing_ok=True)
    _seed(lab, machine)
    power.start(machine)
    power.wait_ready(machine)


def _cache() -> Path:
    return Path(os.environ.get("KITSURVIE_LAB_CACHE", str(base.CACHE)))


def purge(say: Say = _silent) -> None:
    """Remove the base images that labs share. Raises LabError while a lab stands on them."""
    needs.root()
    for claim in sorted((settings.RUNTIME / "labs").glob("*")):
        other = Path(claim.read_text().strip())
        if record.exists(other):
            raise LabError(
                "The base images stay: a lab stands on them.",
                where=str(other),
                remedy=f"Take it down first: kitsurvie lab down --dir {other}",
            )
    base.purge(_cache())
    say(f"Removed {_cache()}")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One command at a time changes a lab."""
    record.hidden(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    with (record.hidden(folder) / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(
                "Another command is at work on this lab.",
                where=str(folder),
                remedy="Let it end, then try again.",
            ) from None
        yield


def _resume(folder: Path, request: Request) -> Lab:
    lab = record.load(folder)
    if lab.request != request:
        raise LabError(
            f"There is another lab here: {lab.request.count} machines named "
            f"{lab.request.prefix}-.. on {lab.request.network}"
            f"{', enrolled' if lab.request.enrolled else ''}.",
            where=str(folder),
            remedy="Ask for the same one, take it down first (kitsurvie lab down), "
            "or give another --dir.",
        )
    return lab


def _unclaim(folder: Path) -> None:
    """Give up the disks of a lab, and the prefix it holds on this host."""
    shutil.rmtree(record.hidden(folder) / "machines", ignore_errors=True)
    for name in ("state.new", "archive.json", "archive.log"):
        (record.hidden(folder) / name).unlink(missing_ok=True)
    for claim in (settings.RUNTIME / "labs").glob("*"):
        if claim.read_text().strip() == str(folder):
            claim.unlink()


def _claim_file(prefix: str) -> Path:
    return settings.RUNTIME / "labs" / prefix


def _claim(folder: Path, request: Request) -> None:
    """A prefix and an address range belong to one lab at a time on a host."""
    claim = _claim_file(request.prefix)
    if claim.exists():
        other = Path(claim.read_text().strip())
        if other != folder and record.exists(other):
            raise LabError(
                f"The prefix {request.prefix} belongs to another lab of this host.",
                where=str(other),
                remedy=f"Give another --prefix, or: kitsurvie lab down --dir {other}",
            )
    network.refuse_overlap(request.prefix, request.network)
    claim.parent.mkdir(parents=True, exist_ok=True)
    claim.write_text(f"{folder}\n")


def _plan(folder: Path, request: Request, places: tuple[Place, ...], cache: Path, say: Say) -> Lab:
    """Everything that can be made before the first machine boots."""
    source = mirror.read()
    images = _bases(places, source, cache, say)
    machines_folder = record.hidden(folder) / "machines"
    shutil.rmtree(machines_folder, ignore_errors=True)
    syndicate.unpin_all(folder)
    password = secrets.token_urlsafe(12)
    lab = Lab(
        folder=folder,
        request=request,
        install_user=base.INSTALL_USER,
        password=password,
        password_hash=seed.password_hash(next(iter(images.values())), password),
        admin_key=syndicate.administrator_key(folder),
        machines=tuple(
            Machine(
                name=place.name,
                prefix=request.prefix,
                addresses=place.addresses,
                release=place.release,
                profile=place.profile,
                member=place.member,
                host_key_sha256="",
                folder=machines_folder / place.name,
                base=images[place.kind, place.release],
                kind=place.kind,
            )
            for place in places
        ),
    )
    syndicate.write(folder, places, enrolled=request.enrolled)
    lab = _identify(lab)
    if request.enrolled:
        for place, machine in zip(places, lab.machines, strict=True):
            syndicate.pin(folder, place, seed.public_keys(machine.folder / "identity"))
    record.save(lab)
    return lab


def _bases(
    places: tuple[Place, ...], source: mirror.Mirror, cache: Path, say: Say
) -> dict[tuple[Kind, str], Path]:
    makers = {Kind.CONTAINER: base.ensure, Kind.VM: disk.ensure}
    wanted = sorted({(place.kind, place.release) for place in places})
    with ThreadPoolExecutor() as workers:
        images = workers.map(lambda one: makers[one[0]](one[1], source, say, cache), wanted)
        return dict(zip(wanted, images, strict=True))


def _identify(lab: Lab) -> Lab:
    def one(machine: Machine) -> Machine:
        seed.host_keys(machine.folder / "identity")
        return replace(machine, host_key_sha256=seed.fingerprint(machine.folder / "identity"))

    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as workers:
        return replace(lab, machines=tuple(workers.map(one, lab.machines)))


def _seed(lab: Lab, machine: Machine) -> None:
    """Write a machine's first files, unless its disk was begun before and is whole."""
    if (machine.folder / "seeded").exists():
        return
    for name in ("upper", "work"):
        shutil.rmtree(machine.folder / name, ignore_errors=True)
    length = int(lab.request.network.split("/")[1])
    seed.write(
        seed.Seed(
            name=machine.name,
            addresses=machine.addresses,
            gateway=roster.gateway(lab.request),
            prefix_length=length,
            mtu=network.mtu(),
            nameservers=seed.nameservers(),
            apt_conf=archive.apt_conf(machine.base, roster.gateway(lab.request)),
            password_hash=lab.password_hash,
            admin=syndicate.ADMIN,
            admin_key=syndicate.public_key(lab.folder),
            enrolled=lab.request.enrolled,
        ),
        machine.folder / "identity",
        machine.base,
        machine.upper_dir,
    )
    if machine.kind is Kind.VM:
        for name in ("work", "root"):
            (machine.folder / name).mkdir(exist_ok=True)
        disk.make(
            machine.base,
            machine.upper_dir,
            machine.folder / "work",
            machine.folder / "root",
            machine.folder / "disk.img",
        )
    (machine.folder / "seeded").touch()


def _boot(lab: Lab, places: tuple[Place, ...], say: Say) -> None:
    gives_up = threading.Event()
    begun = time.monotonic()

    def one(machine: Machine) -> None:
        if gives_up.is_set():
            return
        if not machine.kept:
            if not cgroup.kill(machine.cgroup):
                raise LabError(
                    f"{machine.name} is left over from before and cannot be ended.",
                    where=str(machine.cgroup),
                    remedy="Look at the processes of that control group.",
                )
            _seed(lab, machine)
            power.start(machine)
        if machine.unplugged_file.exists():
            machine.unplugged_file.unlink()
            network.plug(lab.request.prefix, machine.name)
        power.wait_ready(machine, gives_up)

    def tell(machine: Machine) -> None:
        say(f"{machine.name}: up ({machine.address})")

    _each(lab.machines, one, tell, gives_up)
    say(f"{len(places)} machines up in {time.monotonic() - begun:.1f} s")


def _each(
    machines: Iterable[Machine],
    act: Callable[[Machine], None],
    done: Callable[[Machine], None],
    gives_up: threading.Event | None = None,
) -> None:
    """Do something to all machines at once; an error or Ctrl-C asks the others to give up."""
    with ThreadPoolExecutor(max_workers=roster.MOST_MACHINES) as workers:
        waiting = {workers.submit(act, machine): machine for machine in machines}
        try:
            for future in as_completed(waiting):
                future.result()
                done(waiting[future])
        except BaseException:
            if gives_up:
                gives_up.set()
            workers.shutdown(wait=False, cancel_futures=True)
            raise
