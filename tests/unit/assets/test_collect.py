"""What the fleet says of itself becomes records; only the road to the hosts is replaced."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from kitsurvie import workspace
from kitsurvie.assets.readers import fleet
from kitsurvie.assets.record import Kind
from kitsurvie.cli import init
from kitsurvie.cli.assets import collecting, listing
from kitsurvie.cli.assets import estate as estates
from kitsurvie.errors import ExitCode, UsageError
from kitsurvie.fleet.target import Reply, Trouble
from kitsurvie.ledger import Ledger
from kitsurvie.observe import request

pytestmark = pytest.mark.usefixtures("these_days")

TODAY = date.today()
LINKS = [
    {"ifname": "lo", "link_type": "loopback", "address": "00:00:00:00:00:00"},
    {
        "ifname": "eno1", "link_type": "ether", "address": "3c:52:82:aa:bb:01", "parentbus": "pci",
    },
    {
        "ifname": "wlo1", "link_type": "ether", "address": "5e:11:22:33:44:55",
        "permaddr": "3c:52:82:aa:bb:02",
    },
    {"ifname": "enx1", "link_type": "ether", "address": "3c:52:82:aa:bb:03", "parentbus": "usb"},
    {
        "ifname": "virbr0", "link_type": "ether", "address": "52:54:00:00:00:01",
        "linkinfo": {"info_kind": "bridge"},
    },
    {"ifname": "tun0", "link_type": "none"},
]  # fmt: skip
FIRMWARE = """sys_vendor:HP
product_name:HP EliteBook 840 G8
product_serial:5CG1234XYZ
product_uuid:4c4c4544-0051-3510-8052-b7c04f4d3332
board_vendor:HP
board_name:880D
chassis_type:10
"""
POWER = """AC/type:Mains
BAT0/type:Battery
BAT0/model_name:Primary
hidpp_battery_0/type:Battery
hidpp_battery_0/scope:Device
"""
LAPTOP = {
    fleet.NAME: "PC-ACCUEIL\n",
    fleet.SYSTEM: "Debian GNU/Linux 13 (trixie)\n13.2\n",
    fleet.FIRMWARE: FIRMWARE,
    fleet.KEPT_IN: "none\nnone\n",
    fleet.LINKS: json.dumps(LINKS),
    fleet.POWER: POWER,
    fleet.PROCESSOR: "model name\t: 11th Gen Intel(R) Core(TM) i5-1145G7\n",
    fleet.MEMORY: "MemTotal:       16058720 kB\n",
    fleet.SESSIONS: f"{TODAY - timedelta(3)}\troot\n{TODAY - timedelta(2)}\tnathalie.garnier\n",
}
CONTAINER = {**LAPTOP, fleet.KEPT_IN: "systemd-nspawn\nkvm\n"}


class Road:
    """Answers for the hosts as the runner there would: bytes in, bytes out."""

    said: ClassVar[dict[str, dict[str, str]]] = {}
    flaws: ClassVar[dict[str, str]] = {}
    down: ClassVar[dict[str, Trouble]] = {}
    asked: ClassVar[dict[str, tuple[str, ...]]] = {}
    rubbish: ClassVar[set[str]] = set()

    def __init__(self, targets: Any, *_: Any) -> None:
        self.queue: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, host: str, command: str, stdin: bytes) -> None:
        assert command == request.COMMAND
        size, _, rest = stdin.partition(b"\n")
        body = rest[int(size) :].partition(b"\n")[2]
        self.asked[host] = tuple(body.decode().split("\0"))
        self.queue.append(host)

    def finish(self, host: str) -> None:
        pass

    def replies(self) -> Iterator[Reply]:
        for host in self.queue:
            if host in self.down:
                yield Reply(host, None, b"", b"", self.down[host], "no route to host")
                continue
            if host in self.rubbish:
                yield Reply(host, 0, b"welcome!\n", b"")
                continue
            plain = b""
            for command in self.asked[host]:
                text = self.said.get(host, LAPTOP)[command].encode("utf-8", "surrogateescape")
                plain += b"0 %s %d 0\n" % (self.flaws.get(command, "-").encode(), len(text)) + text
            body = zlib.compress(plain)
            nonce = request.nonce(self.asked[host]).encode()
            yield Reply(host, 0, b"\nkitsurvie-answers 1 %s %d\n%b" % (nonce, len(body), body), b"")


@pytest.fixture(autouse=True)
def road(monkeypatch: pytest.MonkeyPatch) -> type[Road]:
    Road.said, Road.flaws, Road.down, Road.asked, Road.rubbish = {}, {}, {}, {}, set()
    monkeypatch.setattr(collecting, "Fleet", Road)
    return Road


HOSTS = """---
all:
  children:
    epci_200042604:
      children:
        member_215002189:
          hosts:
            pc-1: {ansible_host: 198.18.0.1, kit__profile: laptop}
            srv-1: {ansible_host: 198.18.0.2, kit__profile: server}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "syndicate"
    init.init(root)
    for name in ("hosts.yml", "consultations.yml"):
        (root / "inventory" / name).unlink(missing_ok=True)
    (root / "inventory" / "hosts.yml").write_text(HOSTS)
    return root


Collect = Callable[..., dict[str, Any]]


@pytest.fixture
def collect(root: Path, capsys: pytest.CaptureFixture[str]) -> Collect:
    def run(**more: Any) -> dict[str, Any]:
        capsys.readouterr()
        code = collecting.collect(json=True, workspace=root, **more)
        return {**json.loads(capsys.readouterr().out), "code": code}

    return run


def consult(root: Path) -> None:
    text = 'consultations:\n  - {all: true, body: a committee, on: "2026-03-12"}\n'
    (root / "inventory" / "consultations.yml").write_text(text)


def estate(root: Path) -> estates.Estate:
    place = workspace.load(root)
    return estates.load(Ledger.open(place.ledger_url).register, place)


def test_a_laptop_is_taken_with_all_that_identifies_it(root: Path, collect: Collect) -> None:
    told = collect(limit="pc-1")
    assert (told["code"], told["counts"]["new"]) == (0, 1)
    one = estate(root).records["fleet//pc-1"]
    assert (one.name, one.maker, one.model) == ("PC-ACCUEIL", "HP", "HP EliteBook 840 G8")
    assert (one.serial, one.uuid) == ("5CG1234XYZ", "4c4c4544-0051-3510-8052-b7c04f4d3332")
    assert one.kind is Kind.LAPTOP
    assert (one.member, one.commune) == ("215002189", "50218")
    condition = one.condition
    assert (condition.system, condition.system_version) == ("Debian GNU/Linux 13 (trixie)", "13.2")
    assert (condition.memory_mib, condition.battery) == (15682, True)
    assert condition.processor == "11th Gen Intel(R) Core(TM) i5-1145G7"
    assert condition.programs is None, "what was not asked is silence"
    assert one.seen is not None
    assert one.left_aside == ()


def test_the_address_of_the_hardware_counts_and_no_dock_nor_bridge(
    root: Path, collect: Collect
) -> None:
    from kitsurvie.assets import identifiers

    collect(limit="pc-1")
    one = estate(root).records["fleet//pc-1"]
    assert identifiers.macs(one.interfaces) == ("3c5282aabb01", "3c5282aabb02")


def test_an_export_of_the_same_machine_is_the_same_device(root: Path, collect: Collect) -> None:
    from kitsurvie.cli.assets import importing

    table = root.parent / "parc.csv"
    table.write_text("id;nom;siren;numéro de série\r\n7;PC-1;215002189;5CG1234XYZ\r\n")
    importing.import_([table], workspace=root)
    collect(limit="pc-1")
    (device,) = estate(root).devices.values()
    assert len(device.records) == 2


def test_the_firmware_a_container_sees_is_not_its_own(root: Path, collect: Collect) -> None:
    Road.said = {"pc-1": CONTAINER}
    told = collect(limit="pc-1")
    one = estate(root).records["fleet//pc-1"]
    assert (one.kind, one.serial, one.uuid, one.model) == (Kind.VIRTUAL, "", "", "")
    assert one.condition.battery is None
    assert "not its own" in told["hosts"][0]["left_aside"][0]


def test_a_virtual_machine_has_a_serial_of_its_own(root: Path, collect: Collect) -> None:
    Road.said = {"srv-1": {**LAPTOP, fleet.KEPT_IN: "none\nkvm\n", fleet.POWER: ""}}
    collect(limit="srv-1")
    one = estate(root).records["fleet//srv-1"]
    assert (one.kind, one.serial, one.condition.battery) == (Kind.VIRTUAL, "5CG1234XYZ", False)


def test_who_used_it_is_not_even_asked_before_a_consultation(root: Path, collect: Collect) -> None:
    told = collect()
    assert fleet.SESSIONS not in Road.asked["pc-1"]
    assert (told["counts"]["not_consulted"], told["counts"]["days"]) == (1, 0)
    assert estate(root).records["fleet//pc-1"].user == ""


def test_days_of_use_come_as_pseudonyms_of_pcs_alone(root: Path, collect: Collect) -> None:
    consult(root)
    told = collect()
    assert (told["counts"]["not_consulted"], told["counts"]["days"]) == (0, 1)
    assert fleet.SESSIONS not in Road.asked["srv-1"], "nobody sits at a server"
    user = estate(root).records["fleet//pc-1"].user
    (day,) = Ledger.open(workspace.load(root).ledger_url).register.days("2000-01-01", "2100-01-01")
    assert (day.user, day.day) == (user, (TODAY - timedelta(2)).isoformat())
    assert user.startswith("p-")
    assert b"garnier" not in (workspace.load(root).state / "ledger.sqlite").read_bytes()


def test_days_that_cannot_be_are_left_out(root: Path, collect: Collect) -> None:
    consult(root)
    lines = [
        f"{TODAY + timedelta(30)}\talice", f"{TODAY - timedelta(200)}\talice", "2026-13-40\talice",
        "nonsense", f"{TODAY}\talice", f"{TODAY}\tbob",
    ]  # fmt: skip
    Road.said = {"pc-1": {**LAPTOP, fleet.SESSIONS: "\n".join(lines)}}
    assert collect(limit="pc-1")["counts"]["days"] == 2
    assert estate(root).records["fleet//pc-1"].user == "", "two were there on the last day"


def test_sessions_cut_short_cost_the_sessions_alone(root: Path, collect: Collect) -> None:
    consult(root)
    Road.flaws = {fleet.SESSIONS: "timeout"}
    told = collect(limit="pc-1")
    assert (told["code"], told["counts"]["days"]) == (0, 0)
    assert "left aside" in told["hosts"][0]["left_aside"][0]


def test_a_host_cut_short_keeps_its_whole_record(root: Path, collect: Collect) -> None:
    collect()
    Road.flaws = {fleet.FIRMWARE: "timeout"}
    told = collect(limit="pc-1")
    assert (told["code"], told["import"]) == (ExitCode.HOSTS, None)
    assert told["hosts"][0]["state"] == "error"
    assert estate(root).records["fleet//pc-1"].serial == "5CG1234XYZ"


def test_one_line_for_each_host_out_of_reach_and_the_others_are_taken(
    root: Path, collect: Collect, capsys: pytest.CaptureFixture[str]
) -> None:
    Road.down = {"srv-1": Trouble.UNREACHABLE}
    assert collecting.collect(workspace=root) == ExitCode.HOSTS
    said = capsys.readouterr().out
    assert len([line for line in said.splitlines() if "srv-1" in line]) == 1
    assert "srv-1 cannot be reached: no route to host." in said
    assert set(estate(root).records) == {"fleet//pc-1"}


def test_a_laptop_that_is_away_is_no_failure(root: Path, collect: Collect) -> None:
    Road.down = {"pc-1": Trouble.UNREACHABLE}
    told = collect()
    assert (told["code"], told["hosts"][0]["state"]) == (0, "unreachable")


def test_a_refused_login_is_one_even_of_a_laptop(root: Path, collect: Collect) -> None:
    Road.down = {"pc-1": Trouble.AUTHENTICATION}
    assert collect(limit="pc-1")["code"] == ExitCode.HOSTS


def test_rubbish_is_told_and_nothing_is_imported(
    root: Path, collect: Collect, capsys: pytest.CaptureFixture[str]
) -> None:
    Road.rubbish = {"pc-1"}
    assert collecting.collect(limit="pc-1", workspace=root) == ExitCode.HOSTS
    assert "No machine answered: nothing was imported." in capsys.readouterr().out
    assert estate(root).records == {}


def test_hostile_answers_are_values_left_aside(root: Path, collect: Collect) -> None:
    Road.said = {
        "pc-1": {
            fleet.NAME: "\x1b[2J" + "x" * 5000,
            fleet.SYSTEM: "\udcff\udcfe\x07",
            fleet.FIRMWARE: "product_serial:" + "9" * 5000 + "\nnot a line\n",
            fleet.KEPT_IN: "",
            fleet.LINKS: '{"not": "a list"}',
            fleet.POWER: "../../x:y\n",
            fleet.PROCESSOR: "",
            fleet.MEMORY: "MemTotal: many kB",
        }
    }
    told = collect(limit="pc-1")
    one = estate(root).records["fleet//pc-1"]
    assert (told["code"], one.serial, one.interfaces) == (0, "", ())
    assert one.condition.memory_mib is None
    assert any("longer than" in note for note in told["hosts"][0]["left_aside"])
    assert "\x1b" not in json.dumps(told, ensure_ascii=False)


def test_a_host_that_is_not_there_is_a_usage_error(root: Path, collect: Collect) -> None:
    with pytest.raises(UsageError, match="pc-9"):
        collect(limit="pc-9")


def test_collecting_again_doubles_nothing(
    root: Path, collect: Collect, capsys: pytest.CaptureFixture[str]
) -> None:
    other = FIRMWARE.replace("5CG1234XYZ", "CZC9876ABC").replace("4c4c4544", "4c4c4545")
    Road.said = {"srv-1": {**LAPTOP, fleet.FIRMWARE: other, fleet.LINKS: "[]"}}
    collect()
    assert collect()["counts"]["devices"] == 2
    capsys.readouterr()
    listing.list_(json=True, workspace=root)
    assert len(json.loads(capsys.readouterr().out)["devices"]) == 2


SAID = """2026-11-26T08:00:01+0100 pc-1 lightdm[812]: pam_unix(lightdm:session): session opened for user nathalie.garnier(uid=1501) by (uid=0)
2026-11-26T08:00:01+0100 pc-1 gdm-password][81]: pam_unix(gdm-password:session): session opened for user CMN\\luc(uid=1203400) by (uid=0)
2026-11-26T08:00:01+0100 pc-1 lightdm[81]: pam_unix(lightdm-greeter:session): session opened for user lightdm(uid=107) by (uid=0)
2026-11-26T08:00:01+0100 pc-1 sshd[81]: pam_unix(sshd:session): session opened for user admin1(uid=1001) by (uid=0)
2026-11-26T08:00:01+0100 pc-1 sudo[81]: pam_unix(sudo:session): session opened for user root(uid=0) by (uid=1001)
2026-11-26T09:00:01+0100 pc-1 login[81]: pam_unix(login:session): session opened for user root(uid=0) by LOGIN(uid=0)
2026-11-26T17:00:01+0100 pc-1 lightdm[812]: pam_unix(lightdm:session): session closed for user nathalie.garnier
2026-11-26T17:30:01+0100 pc-1 login[81]: pam_unix(login:session): session opened for user nathalie.garnier(uid=1501) by LOGIN(uid=0)
"""  # noqa: E501


def test_what_leaves_a_machine_of_its_sessions_is_days_and_logins_of_people() -> None:
    import subprocess

    after = fleet.SESSIONS.partition(" | ")[2]
    done = subprocess.run(
        ["/bin/sh", "-c", after], input=SAID.encode(), capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines() == [
        "2026-11-26\tCMN\\luc", "2026-11-26\tnathalie.garnier",
    ]  # fmt: skip
