"""Inventories that real agents write on real machines, and what kitsurvie asks them itself.

A container has no firmware of its own: no serial number, no UUID, no chassis, no battery, and its
one interface is virtual. What it can show is that nothing an agent writes is refused or lost, and
that name, system, memory and address come through. A virtual machine has a serial number and a
UUID, which only root may read, and no battery: those are proved on inventories of real PCs, in
tests/unit/assets.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.lab.spine import Desk

from kitsurvie import lab, workspace
from kitsurvie.assets.record import Kind, Record
from kitsurvie.assets.systems import recognise
from kitsurvie.cli.assets import estate as estates
from kitsurvie.ledger import Ledger

AGENTS = {
    "fusioninventory": ["fusioninventory-agent", "--local=/root/fusioninventory"],
    "ocsinventory": ["ocsinventory-agent", "--local=/root/ocsinventory"],
}
PERSON = "nathalie.garnier"


@dataclass(frozen=True)
class Truth:
    """What a machine says of itself, asked without any of our own commands."""

    name: str
    release: str
    memory_mib: int
    mac: str


def sh(machine: lab.Machine, line: str) -> str:
    done = machine.run(["sh", "-c", line], timeout_s=600)
    assert done.returncode == 0, done.stderr.decode()[-800:]
    return done.stdout.decode().strip()


def truth(machine: lab.Machine) -> Truth:
    return Truth(
        name=sh(machine, "hostname"),
        release=sh(machine, ". /etc/os-release && echo $VERSION_ID"),
        memory_mib=int(sh(machine, "awk '/^MemTotal/ {print $2}' /proc/meminfo")) // 1024,
        mac=sh(machine, "cat /sys/class/net/host0/address"),
    )


def with_agents(machine: lab.Machine) -> None:
    sh(
        machine,
        "export DEBIAN_FRONTEND=noninteractive; apt-get update -q && apt-get install -q -y "
        "--no-install-recommends fusioninventory-agent ocsinventory-agent pamtester",
    )


@pytest.fixture(scope="module")
def fleet(
    tmp_path_factory: pytest.TempPathFactory, spare_request: lab.Request
) -> Iterator[lab.Lab]:
    """A machine of each release, with both agents as Debian has them."""
    folder = tmp_path_factory.mktemp("inventories") / "lab"
    try:
        made = lab.up(folder, replace(spare_request, enrolled=True))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(with_agents, made.machines))
        yield made
    finally:
        lab.down(folder)


@pytest.fixture
def desk(fleet: lab.Lab) -> Iterator[Desk]:
    """The lab's workspace, with an empty register each time."""
    made = Desk(fleet.folder)
    yield made
    imports = made.run("assets", "imports", "--json").document["imports"]
    for one in imports:
        if one["undone"] is None:
            made.run("assets", "undo", str(one["import"]))


def records(fleet: lab.Lab) -> dict[str, Record]:
    place = workspace.load(fleet.folder)
    ledger = Ledger.open(place.ledger_url)
    try:
        found = estates.load(ledger.register, place).records.values()
        return {one.name: one for one in found}
    finally:
        ledger.close()


def agrees(record: Record, said: Truth) -> None:
    condition = record.condition
    assert record.name == said.name
    system = recognise(condition.system, condition.system_version)
    assert (system.name, system.version) == ("debian", said.release)
    assert condition.memory_mib == said.memory_mib
    assert [one.mac for one in record.interfaces] == [said.mac]
    assert condition.processor


@pytest.mark.parametrize("agent", AGENTS)
def test_a_live_inventory_is_taken_whole(
    fleet: lab.Lab, desk: Desk, tmp_path: Path, agent: str
) -> None:
    for machine in fleet.machines:
        sh(machine, f"rm -rf /root/{agent}; mkdir /root/{agent}; {' '.join(AGENTS[agent])}")
        (name,) = sh(machine, f"ls /root/{agent}").splitlines()
        written = machine.run(["cat", f"/root/{agent}/{name}"]).stdout
        (tmp_path / f"{machine.name}-{name}").write_bytes(written)
    member = fleet.machines[0].member
    said = desk.run("assets", "import", str(tmp_path), "--entity", member, "--json")
    assert (said.code, said.document["refused"]) == (0, []), said.why()
    assert said.document["counts"]["new"] == len(fleet.machines)
    listed = desk.run("assets", "list", "--member", member, "--json").document["devices"]
    assert {one["name"] for one in listed} == {machine.name for machine in fleet.machines}
    found = records(fleet)
    for machine in fleet.machines:
        one = found[machine.name]
        agrees(one, truth(machine))
        assert one.left_aside == ()
        assert one.serial == "", "a container has none of its own"
        assert any(p.name == "ocsinventory-agent" for p in one.condition.programs or ())
    again = desk.run("assets", "import", str(tmp_path), "--entity", member, "--json")
    assert again.document["counts"]["same"] == len(fleet.machines)


def test_what_the_fleet_says_itself_is_taken_as_it_is(fleet: lab.Lab, desk: Desk) -> None:
    said = desk.run("assets", "collect", "--json")
    assert (said.code, said.document["counts"]["new"]) == (0, len(fleet.machines)), said.err
    found = records(fleet)
    for machine in fleet.machines:
        one = found[machine.name]
        agrees(one, truth(machine))
        assert (one.kind, one.serial, one.member) == (Kind.VIRTUAL, "", machine.member)
        assert len(one.left_aside) == 1, one.left_aside
    counted = desk.run("assets", "list", "--json").document["devices"]
    assert len(counted) == len(fleet.machines)


def test_a_machine_that_is_off_is_one_line_and_the_other_is_taken(
    fleet: lab.Lab, desk: Desk
) -> None:
    on, off = (machine.name for machine in fleet.machines)
    lab.sleep(fleet, off)
    try:
        said = desk.run("assets", "collect")
    finally:
        lab.wake(fleet, off)
    assert said.code == 3
    assert [off in line for line in said.out.splitlines()].count(True) == 1, said.out
    assert set(records(fleet)) == {on}


def test_who_sat_there_comes_as_a_day_and_a_pseudonym_once_somebody_was_consulted(
    fleet: lab.Lab, desk: Desk
) -> None:
    for machine in fleet.machines:
        sh(machine, f"id {PERSON} >/dev/null 2>&1 || useradd --create-home {PERSON}")
        # a session of the service that the console logs in by, through PAM as it is there
        for account in (PERSON, "root"):
            sh(machine, f"pamtester login {account} open_session close_session")
        sh(machine, "journalctl --sync")
    # the first one is a server, at which nobody sits
    with desk.variables(f"host:{fleet.machines[0].name}", kit__profile="desktop"):
        silent = desk.run("assets", "collect", "--json").document["counts"]
        assert silent["days"] == 0
        assert silent["not_consulted"] == len(fleet.machines)
        consulted = fleet.folder / "inventory" / "consultations.yml"
        consulted.write_text(
            'consultations:\n  - {all: true, body: a committee, on: "2026-03-12"}\n'
        )
        try:
            said = desk.run("assets", "collect", "--json").document["counts"]
        finally:
            consulted.unlink()
    assert said["days"] == len(fleet.machines), said
    (user,) = {one.user for one in records(fleet).values()}  # one person is one pseudonym
    kept = b"".join(f.read_bytes() for f in (fleet.folder / ".kitsurvie").glob("ledger.sqlite*"))
    assert user.encode() in kept
    assert PERSON.encode() not in kept


@pytest.mark.slow
def test_an_agent_and_kitsurvie_read_one_serial_off_a_machine_with_a_firmware(
    spare_request: lab.Request, spare_folder: Path, tmp_path: Path
) -> None:
    wanted = replace(spare_request, machines=0, vms=("trixie",), enrolled=True)
    fleet = lab.up(spare_folder, wanted)
    (machine,) = fleet.machines
    desk = Desk(fleet.folder)
    sh(machine, "apt-get update -q && apt-get install -q -y --no-install-recommends dmidecode "
       "fusioninventory-agent")  # fmt: skip
    sh(machine, "mkdir /root/fusioninventory; fusioninventory-agent --local=/root/fusioninventory")
    written = tmp_path / "live.xml"
    written.write_bytes(machine.run(["sh", "-c", "cat /root/fusioninventory/*"]).stdout)
    assert desk.run("assets", "collect").code == 0
    said = desk.run("assets", "import", str(written), "--entity", machine.member, "--json")
    assert (said.code, said.document["refused"]) == (0, [])
    serial = sh(machine, "cat /sys/class/dmi/id/product_serial")
    assert serial.startswith("LAB")
    uuid = sh(machine, "cat /sys/class/dmi/id/product_uuid")
    shown = desk.run("assets", "show", serial, "--json").document
    assert len(shown["records"]) == 2, "two sources, one machine"
    place = workspace.load(fleet.folder)
    ledger = Ledger.open(place.ledger_url)
    for one in estates.load(ledger.register, place).records.values():
        assert (one.serial, one.uuid.lower()) == (serial, uuid.lower())
        assert one.kind is Kind.VIRTUAL
    ledger.close()
