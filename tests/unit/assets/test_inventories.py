"""What agents say of a machine, in JSON and in XML, as one shape."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

import pytest

from kitsurvie.assets.record import (
    Antivirus,
    Firewall,
    Interface,
    Kind,
    Program,
    Source,
    Volume,
)

from .conftest import INVENTORIES, PEOPLE, Desk, came, inventory

MIB = 1 << 20


def test_a_windows_pc_says_its_condition(desk: Desk) -> None:
    record = desk.json(
        inventory(
            operatingsystem={
                "name": "Windows",
                "full_name": "Microsoft Windows 10 Professionnel",
                "version": "22H2",
                "kernel_version": "10.0.19045",
            },
            hardware={"name": "PC-1", "chassis_type": "Desktop", "memory": 8192},
            antivirus=[{"name": "Windows Defender", "enabled": True, "uptodate": False}],
            firewalls=[{"profile": "PublicProfile", "status": "on"}, {"status": "off"}],
            drives=[
                {
                    "letter": "C:",
                    "type": "Local Disk",
                    "total": 100,
                    "free": 20,
                    "encrypt_status": "Yes",
                },
                {"letter": "E:", "type": "Removable Disk", "total": 8, "free": 8},
                {"letter": "Z:", "type": "Network Drive", "total": 8},
            ],
            softwares=[{"name": "LibreOffice", "version": "24.8"}, {"name": "LibreOffice"}],
            cpus=[{"name": "Intel i5"}],
        )
    ).record
    told = record.condition
    assert (told.system, told.system_version) == ("Microsoft Windows 10 Professionnel", "22H2")
    assert (told.memory_mib, told.processor, told.battery) == (8192, "Intel i5", None)
    assert told.antivirus == (Antivirus("Windows Defender", True, False),)
    assert told.firewalls == (Firewall("PublicProfile", True), Firewall("", False))
    assert told.volumes == (Volume("C:", 100 * MIB, 20 * MIB, True),)
    assert told.programs == (Program("LibreOffice", "24.8"), Program("LibreOffice"))
    assert record.left_aside == ()


def test_an_inventory_that_lists_none_differs_from_one_that_is_silent(desk: Desk) -> None:
    none = desk.json(inventory(antivirus=[], softwares=[], batteries=[], drives=[])).record
    assert none.condition.antivirus == none.condition.programs == none.condition.volumes == ()
    assert none.condition.battery is False
    silent = desk.json(inventory()).record
    assert silent.condition.antivirus is silent.condition.programs is None
    assert silent.condition.battery is None


def test_the_condition_of_a_real_laptop() -> None:
    record = came(INVENTORIES / "glpi_computer_1.json").records[0]
    assert record.condition.system == "Fedora 31 (Workstation Edition)"
    assert record.condition.memory_mib == 7800
    assert record.condition.battery
    assert record.condition.firewalls == (Firewall("", True),)
    root = next(one for one in record.condition.volumes or () if one.mount == "/")
    assert root == Volume("/", 40189 * MIB, 11683 * MIB, True)
    assert len(record.condition.programs or ()) > 5
    assert record.seen == datetime(2020, 6, 12, 12, 19, 54, tzinfo=UTC)
    macs = [one.mac for one in record.interfaces]
    assert len(macs) == len(set(macs))
    assert "00:00:00:00:00:00" not in macs
    assert Interface("00:e0:4c:68:01:db", "enp57s0u1u4 r8152") in record.interfaces


def test_the_condition_of_a_real_windows_pc_in_xml() -> None:
    record, screen = came(INVENTORIES / "fusion_2.xml").records
    assert record.source is Source.AGENT_XML
    assert record.condition.system == "Microsoft Windows 8.1 Professionnel"
    assert record.condition.antivirus == (
        Antivirus("Windows Defender", True, True),
        Antivirus("Kaspersky Endpoint Security 10 for Windows", True, True),
    )
    assert record.condition.volumes is not None
    assert record.condition.volumes[0] == Volume("C:", 115123 * MIB, 71954 * MIB, None)
    assert record.user == PEOPLE.of("cvigneron")
    blue = next(one for one in record.interfaces if "Bluetooth" in one.what)
    assert blue.mac == "74:F3:95:C7:E8:C2"
    assert next(one for one in record.interfaces if "virtuelle" in one.what).virtual
    assert (screen.kind, screen.serial, screen.user) == (Kind.SCREEN, "C975661HAB2R", "")


def test_the_programs_of_a_phone_are_nobodys_business() -> None:
    record = came(INVENTORIES / "glpi_phone_1.json").record
    assert record.kind is Kind.PHONE
    assert record.condition.programs is None


def test_an_inventory_of_ocs_has_its_own_names(desk: Desk) -> None:
    record = desk.xml(
        "<HARDWARE><NAME>PC-1</NAME><OSNAME>Debian GNU/Linux</OSNAME><OSVERSION>12.4</OSVERSION>"
        "<MEMORY>4096</MEMORY><PROCESSORT>Celeron</PROCESSORT><USERID>marie</USERID>"
        "<LASTDATE>2026-10-26 09:00:00</LASTDATE></HARDWARE>"
        "<BIOS><TYPE>Notebook</TYPE><SSN>A1</SSN></BIOS>"
        "<NETWORKS><MACADDR>54:BF:64:2D:05:51</MACADDR><TYPE>Ethernet</TYPE>"
        "<VIRTUALDEV>0</VIRTUALDEV></NETWORKS>"
        "<NETWORKS><MACADDR>54:BF:64:2D:05:52</MACADDR><TYPE>bridge</TYPE>"
        "<VIRTUALDEV>1</VIRTUALDEV></NETWORKS>"
        "<DRIVES><TYPE>/</TYPE><TOTAL>100</TOTAL><FREE>20</FREE></DRIVES>"
        "<SOFTWARES><NAME>bash</NAME><VERSION>5.2</VERSION></SOFTWARES>"
        "<ACCOUNTINFO><KEYNAME>TAG</KEYNAME><KEYVALUE>50002</KEYVALUE></ACCOUNTINFO>"
    ).record
    assert (record.key, record.kind, record.serial) == ("pc-1", Kind.LAPTOP, "A1")
    assert (record.entity, record.member, record.user) == ("50002", "215000027", PEOPLE.of("marie"))
    assert record.seen == datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
    assert record.interfaces == (
        Interface("54:BF:64:2D:05:51"),
        Interface("54:BF:64:2D:05:52", "bridge", True),
    )
    told = record.condition
    assert (told.system, told.system_version) == ("Debian GNU/Linux", "12.4")
    assert (told.memory_mib, told.processor) == (4096, "Celeron")
    assert told.volumes == (Volume("/", 100 * MIB, 20 * MIB),)
    assert told.programs == (Program("bash", "5.2"),)
    assert record.left_aside == ()


def test_what_windows_tells_ocs_of_its_security_is_read(desk: Desk) -> None:
    record = desk.xml(
        "<SECURITYCENTER><CATEGORY>Antivirus</CATEGORY><PRODUCT>Defender</PRODUCT>"
        "<ENABLED>1</ENABLED><UPTODATE>0</UPTODATE></SECURITYCENTER>"
        "<SECURITYCENTER><CATEGORY>Firewall</CATEGORY><PRODUCT>Windows</PRODUCT>"
        "<ENABLED>0</ENABLED></SECURITYCENTER>"
    ).record
    assert record.condition.antivirus == (Antivirus("Defender", True, False),)
    assert record.condition.firewalls == (Firewall("Windows", False),)


def test_what_the_agents_of_debian_write_of_a_machine_without_dmi_is_read(desk: Desk) -> None:
    record = desk.xml(
        "<BIOS>\n</BIOS><CPUS><TYPE>AMD EPYC</TYPE><CORES>2</CORES></CPUS>"
        "<HARDWARE><NAME>vm</NAME><LASTLOGGEDUSER>wtmp</LASTLOGGEDUSER><MEMORY>24105</MEMORY>"
        "<DATELASTLOGGEDUSER>Tue May 20 00:00:00</DATELASTLOGGEDUSER></HARDWARE>"
        "<NETWORKS><DESCRIPTION>eth0</DESCRIPTION><TYPE>ether</TYPE>"
        "<MACADDR>54:bf:64:2d:05:51</MACADDR></NETWORKS>"
    ).record
    assert (record.name, record.serial, record.kind) == ("vm", "", Kind.UNKNOWN)
    assert (record.user, record.seen) == ("", None)
    assert record.condition.processor == "AMD EPYC"
    assert record.interfaces == (Interface("54:bf:64:2d:05:51", "eth0"),)
    assert record.left_aside == ()


def test_names_of_older_agents_are_known(desk: Desk) -> None:
    record = desk.xml(
        "<FIREWALL><STATUS>on</STATUS></FIREWALL><USER><LOGIN>paul</LOGIN></USER>"
        "<NETWORKS><MACADDR>54:BF:64:2D:05:51</MACADDR><TYPE>802.11 card</TYPE></NETWORKS>"
        "<NETWORKS><MACADDR>00:00:00:00:00:00</MACADDR><TYPE>Local</TYPE></NETWORKS>"
    ).record
    assert record.condition.firewalls == (Firewall("", True),)
    assert record.user == PEOPLE.of("paul")
    assert record.interfaces == (Interface("54:BF:64:2D:05:51", "802.11 card"),)
    assert record.left_aside == ()


def test_an_inventory_that_ocs_packed_is_unpacked(desk: Desk) -> None:
    raw = (INVENTORIES / "fusion_2.xml").read_bytes()
    packed = desk.file("one.ocs", zlib.compress(raw))
    assert [one.key for one in packed.records] == [
        one.key for one in came(INVENTORIES / "fusion_2.xml").records
    ]


@pytest.mark.parametrize(
    ("itemtype", "kind"),
    [("Phone", Kind.PHONE), ("Printer", Kind.PRINTER), ("NetworkEquipment", Kind.NETWORK)],
)
def test_what_the_agent_calls_it_is_what_it_is(desk: Desk, itemtype: str, kind: Kind) -> None:
    assert desk.json({**inventory(), "itemtype": itemtype}).record.kind is kind


def test_a_virtual_machine_is_told(desk: Desk) -> None:
    assert desk.json(inventory(hardware={"vmsystem": "VMware"})).record.kind is Kind.VIRTUAL


def test_the_user_is_the_last_one_or_the_only_one(desk: Desk) -> None:
    def user(last: str, *there: str) -> str:
        told = inventory(hardware={"lastloggeduser": last}, users=[{"login": x} for x in there])
        return desk.json(told).record.user

    assert user("marie", "paul") == PEOPLE.of("marie")
    assert user("", "MAIRIE\\paul") == PEOPLE.of("paul")
    assert user("administrateur", "paul") == PEOPLE.of("paul")
    assert user("administrateur", "administrateur") == ""
    assert user("", "paul", "marie") == ""


def test_an_inventory_is_of_its_access_log_or_else_of_its_last_logon(desk: Desk) -> None:
    hardware = {"datelastloggeduser": "Wed Oct 28 08:15"}
    logged = inventory(hardware=hardware, accesslog={"logdate": "2026-10-30 10:00:00"})
    assert desk.json(logged).record.seen == datetime(2026, 10, 30, 9, 0, tzinfo=UTC)
    beside = desk.json(inventory(hardware=hardware)).record
    assert beside.seen == datetime(2026, 10, 28, 7, 15, tzinfo=UTC)
    nameless = {**inventory(hardware=hardware), "deviceid": "pc-1"}
    assert desk.json(nameless).record.seen is None


def test_an_inventory_from_the_future_is_refused(desk: Desk) -> None:
    told = inventory(accesslog={"logdate": "2027-10-30 10:00:00"})
    assert "to come" in desk.json(told).refusal.reason


def test_screens_are_known_by_their_serial_or_by_their_computer(desk: Desk) -> None:
    monitors = [
        {"manufacturer": "Dell Inc.", "serial": "C975661HAB2R", "caption": "DELL 1707FP"},
        {"manufacturer": "Dell Inc.", "serial": "00000000"},
        {"manufacturer": "ACR", "serial": "16843009"},
        {},
    ]
    came = desk.json({**inventory(monitors=monitors), "tag": "50002"})
    screens = came.records[1:]
    assert {one.kind for one in screens} == {Kind.SCREEN}
    assert {one.member for one in screens} == {"215000027"}
    assert [one.key for one in screens] == [
        "screen:dell inc:c975661hab2r",
        "pc-1-2026-10-29-09-00-00/screen/2",
        "pc-1-2026-10-29-09-00-00/screen/3",
    ]


def test_a_part_that_cannot_be_used_is_left_aside_and_told(desk: Desk) -> None:
    record = desk.json(
        {
            **inventory(
                hardware={"name": "PC-1", "memory": "much", "uuid": ["a"]},
                bios="none",
                drives=[{"total": "100", "letter": "C:"}, 7],
                networks=[{"mac": "54:BF:64:2D:05:51"}],
            ),
            "itemtype": "Toaster",
        }
    ).record
    assert record.name == "PC-1"
    assert record.condition.volumes == (Volume("C:", 100 * MIB),)
    assert [one.mac for one in record.interfaces] == ["54:BF:64:2D:05:51"]
    assert set(record.left_aside) == {
        "itemtype is not written as GLPI asks: left aside.",
        "hardware.memory is no whole number: left aside.",
        "hardware.uuid is no text: left aside.",
        "bios is no object: left aside.",
        "drives[1] is no object: left aside.",
        "networks[0].description is missing.",
    }


def test_what_is_left_aside_is_counted_where_it_is_too_much_to_tell(desk: Desk) -> None:
    record = desk.json(inventory(softwares=[7] * 100)).record
    assert len(record.left_aside) == 21
    assert record.left_aside[-1] == "80 more parts are left aside."


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"content": {}}, "no deviceid"),
        ({"deviceid": "", "content": {}}, "no deviceid"),
        ({"deviceid": "x"}, "no content"),
        ({"deviceid": "x", "content": []}, "no content"),
        ("[]", "one file a device"),
        ('{"deviceid": "x", "content": {}', "no JSON"),
        ('{\n"deviceid": "x"\n"content": {}}', "no JSON"),
    ],
)
def test_what_is_no_inventory_is_refused_and_says_so(
    desk: Desk, document: str, reason: str
) -> None:
    assert reason in desk.json(document).refusal.reason


def test_a_fault_in_json_or_xml_has_its_line(desk: Desk) -> None:
    assert desk.json('{\n"deviceid": "x"\n"content": {}}').refusal.origin.line == 3
    assert desk.file("one.xml", "<REQUEST>\n<A>\n</B>").refusal.origin.line == 3


@pytest.mark.parametrize(
    "xml", ["<html/>", "<REQUEST/>", "<REQUEST><CONTENT>x</CONTENT></REQUEST>"]
)
def test_xml_that_is_no_inventory_is_refused(desk: Desk, xml: str) -> None:
    assert "no inventory" in desk.file("one.xml", xml).refusal.reason


def test_each_device_that_a_look_at_the_network_found_is_a_record(desk: Desk) -> None:
    found = desk.xml(
        "<DEVICE><INFO><TYPE>PRINTER</TYPE><SERIAL>P1</SERIAL><NAME>laser</NAME></INFO></DEVICE>"
        "<DEVICE><INFO><TYPE>NETWORKING</TYPE><MAC>00:04:2d:07:6b:ae</MAC></INFO></DEVICE>"
        "<DEVICE><ERROR>no answer</ERROR></DEVICE>"
    )
    assert [(one.key, one.kind) for one in found.records] == [
        ("network:P1", Kind.PRINTER),
        ("network:00:04:2d:07:6b:ae", Kind.NETWORK),
    ]
    assert len(found.refusals) == 1
