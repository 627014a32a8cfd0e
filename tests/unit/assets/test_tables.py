"""Tables of devices and of people, under the headings that tools and people give them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from kitsurvie.assets import packing
from kitsurvie.assets.folding import fold
from kitsurvie.assets.readers import headings
from kitsurvie.assets.record import Exemption, Interface, Kind, Person, SessionDay, Source
from kitsurvie.errors import UsageError

from .conftest import PEOPLE, Desk

FRENCH = (
    "ID;Nom;Entité;Fabricant;Modèle;Type;Numéro de série;UUID;Adresse MAC;Usager;"
    "Dernière date d'inventaire;Date d'achat;Statut\n"
    "7;PC-1;Syndicat > CA Saint-Lô Agglo > Agneaux;HP;EliteDesk 800;Desktop;CZC1;"
    "FD04842D-ED2E-3B2F-3242-436E6E0418F9;54:BF:64:2D:05:51;MAIRIE\\marie.dupont;"
    "2026-10-29 08:10;20/10/2024;En service\n"
)
ENGLISH = (
    '"ID","Name","Entity","Manufacturer","Model","Type","Serial number","UUID","MAC address",'
    '"Alternate username","Last inventory date","Date of purchase","Status",\n'
    '"7","PC-1","Syndicat > CA Saint-Lô Agglo > Agneaux","HP","EliteDesk 800","Desktop","CZC1",'
    '"FD04842D-ED2E-3B2F-3242-436E6E0418F9","54:BF:64:2D:05:51","marie.dupont@mairie.fr",'
    '"2026-10-29 08:10","2024-10-20","En service",\n'
)


@pytest.mark.parametrize("text", [FRENCH, "\ufeff" + FRENCH, ENGLISH, ENGLISH.replace(",", ";")])
def test_an_export_of_glpi_is_one_in_either_language_and_with_either_mark(
    desk: Desk, text: str
) -> None:
    record = desk.csv(text).record
    assert record.source is Source.GLPI_CSV
    assert (record.key, record.name, record.serial) == ("7", "PC-1", "CZC1")
    assert (record.member, record.commune) == ("215000027", "50002")
    assert record.kind is Kind.DESKTOP
    assert record.interfaces == (Interface("54:BF:64:2D:05:51"),)
    assert record.user == PEOPLE.of("marie.dupont")
    assert record.seen == datetime(2026, 10, 29, 7, 10, tzinfo=UTC)
    assert record.bought == date(2024, 10, 20)
    assert record.status == "En service"
    assert record.left_aside == ()
    assert record.origin.line == 2


@pytest.mark.parametrize("mark", ["sep=;\n", '"sep=;"\n', "SEP=;\r\n"])
def test_the_line_that_excel_is_told_the_separator_by_is_no_heading(desk: Desk, mark: str) -> None:
    record = desk.csv(mark + FRENCH).record
    assert (record.serial, record.origin.line) == ("CZC1", 3)


def test_other_headings_are_mapped_to_fields(desk: Desk) -> None:
    text = "N° parc,Étiquette SN,Propriétaire,Nom\n12,CZC1,marie,PC-1\n"
    mapped = {"N° parc": "id", "étiquette sn": "serial", "Propriétaire": "user"}
    record = desk.csv(text, mapped=mapped).record
    assert (record.source, record.key, record.serial) == (Source.PLAIN_CSV, "12", "CZC1")
    assert record.user == PEOPLE.of("marie")


def test_a_field_that_there_is_not_is_told_with_those_there_are(desk: Desk) -> None:
    with pytest.raises(UsageError, match="serial"):
        desk.csv("a,b\n", mapped={"a": "seriel"})


def test_a_mapping_comes_before_what_a_heading_means_otherwise(desk: Desk) -> None:
    record = desk.csv("id,name,serial\n1,CZC1,PC-1\n", mapped={"name": "serial"}).record
    assert (record.serial, record.name) == ("CZC1", "")


def test_a_row_of_snipe_it_is_a_record(desk: Desk) -> None:
    text = (
        "ID,Asset Tag,Asset Name,Serial,Manufacturer,Model,Category,Status,Company,Username,"
        "Purchase Date\n5,SYN-5,PT-4,4NM3,HP,ProBook,Laptop,Deployed,Agneaux,marie,2023-07-18\n"
    )
    record = desk.csv(text).record
    assert (record.source, record.key, record.kind) == (Source.SNIPEIT_CSV, "5", Kind.LAPTOP)
    assert (record.member, record.status, record.seen) == ("215000027", "Deployed", None)


def test_a_plain_table_needs_little(desk: Desk) -> None:
    records = desk.csv("serial;name\nA1;PC-1\n;PC-2\n", entity="50002").records
    assert [one.source for one in records] == [Source.PLAIN_CSV] * 2
    assert {one.member for one in records} == {"215000027"}
    assert len({one.key for one in records}) == 2


def test_a_row_without_a_number_is_known_again_by_what_it_says(desk: Desk) -> None:
    first = desk.csv("serial,name\nA1,PC-1\nA1,PC-2\n").records
    again = desk.csv("name,serial,status\nPC-1,A1,in stock\nPC-2,A1,\n").records
    assert [one.key for one in first] == [one.key for one in again]
    assert first[0].key != first[1].key


def test_a_cell_may_hold_several_macs_and_notations(desk: Desk) -> None:
    cell = "54:bf:64:2d:05:51\n54-BF-64-2D-05-52, 54bf.642d.0553 54BF642D0554"
    record = desk.csv(f'serial,mac\nA1,"{cell}"\n').record
    assert [one.mac for one in record.interfaces] == [
        *("54:bf:64:2d:05:51", "54-BF-64-2D-05-52", "54bf.642d.0553", "54BF642D0554"),
    ]
    assert desk.csv("serial,mac\nA1,eth0\n").record.left_aside == (
        "The cell of the MAC address holds none: left aside.",
    )


def test_of_two_columns_for_one_field_the_first_that_is_filled_counts(desk: Desk) -> None:
    text = "serial,Utilisateur,Usager\nA1,paul,marie\nA2,paul,\n"
    assert [one.user for one in desk.csv(text).records] == [PEOPLE.of("marie"), PEOPLE.of("paul")]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("A1,PC-1,2026-11-05,", "was seen on 2026-11-05, which is to come; mend the date."),
        ("A1,PC-1,,2027-01-01", "was bought on 2027-01-01, which is to come; mend the date."),
        (
            "A1,PC-1,31/02/2026,",
            "was seen on what is no date that can be read (31/02/2026); write it as 2026-10-29.",
        ),
        (",,2026-10-01,", "has neither name, serial number, UUID nor MAC address."),
    ],
)
def test_a_bad_record_is_refused_alone_and_says_why(desk: Desk, cells: str, reason: str) -> None:
    came = desk.csv(f"serial,name,seen,bought\n{cells}\nB2,PC-2,,\n")
    (refusal,) = came.refusals
    assert refusal.reason == f"The record {reason}"
    assert refusal.origin.line == 2
    assert (refusal.text, refusal.headings) == (cells, "serial,name,seen,bought")
    assert [one.serial for one in came.records] == ["B2"]


def test_tomorrow_is_no_future_for_a_clock_that_is_fast(desk: Desk) -> None:
    assert desk.csv("serial,name,seen\nA1,PC,2026-11-02 23:00\n").records


def test_a_day_of_use(desk: Desk) -> None:
    text = "date,insee,device_name,device_serial,user\n2026-10-14,50002,PC-1,A1,MAIRIE\\marie\n"
    (item,) = desk.csv(text).items
    assert isinstance(item, SessionDay)
    assert (item.day, item.member, item.commune) == (date(2026, 10, 14), "215000027", "50002")
    assert (item.device_name, item.device_serial) == ("PC-1", "A1")
    assert item.user == PEOPLE.of("marie")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("2026-12-14,50002,PC-1,A1,marie", "is of 2026-12-14, which is to come; mend the date."),
        ("2026-10-14,50002,,,marie", "names no device."),
        ("2026-10-14,50002,PC-1,A1,", "names no user."),
        (",50002,PC-1,A1,marie", "cannot be taken: its date is empty."),
    ],
)
def test_a_day_of_use_that_cannot_be_is_refused_without_the_login(
    desk: Desk, cells: str, reason: str
) -> None:
    refusal = desk.csv(f"date,insee,device_name,device_serial,user\n{cells}\n").refusal
    assert refusal.reason == f"The record {reason}"
    assert "marie" not in refusal.text


def test_the_day_of_an_administrator_is_kept_and_is_nobodys_use(desk: Desk) -> None:
    text = "date,insee,device_name,device_serial,user\n2026-10-14,50002,PC-1,A1,Administrateur\n"
    (item,) = desk.csv(text).items
    assert isinstance(item, SessionDay)
    assert item.user == ""


def test_an_exemption(desk: Desk) -> None:
    (item,) = desk.csv("insee,user,reason,until\n50002,marie,élections,2027-01-19\n").items
    assert isinstance(item, Exemption)
    assert (item.member, item.user) == ("215000027", PEOPLE.of("marie"))
    assert (item.reason, item.until) == ("élections", date(2027, 1, 19))


@pytest.mark.parametrize(
    "cells",
    ["50002,,x,2027-01-19", "50002,admin,x,2027-01-19", "50002,m,,2027-01-19", "50002,m,x,"],
)
def test_an_exemption_needs_a_person_a_reason_and_an_end(desk: Desk, cells: str) -> None:
    assert desk.csv(f"insee,user,reason,until\n{cells}\n").refusal.reason


def test_accounts_of_a_directory_become_people_without_names(desk: Desk) -> None:
    text = (
        "DN,objectClass,displayName,mail,sAMAccountName,department,company,userAccountControl,"
        "lastLogonTimestamp\n"
        '"CN=Marie Dupont,OU=Mairie,DC=x",user,Marie Dupont,marie.dupont@x.fr,marie.dupont,'
        "Accueil,Agneaux,512,134062107000000000\n"
        '"CN=Paul,DC=x",user,Paul,,paul,Agneaux,,514,0\n'
        '"CN=PC-1,DC=x",computer,,,PC-1$,,,4096,0\n'
    )
    came = desk.csv(text)
    people = [item for item in came.items if isinstance(item, Person)]
    assert [one.user for one in people] == [PEOPLE.of("marie.dupont"), PEOPLE.of("paul")]
    assert {one.member for one in people} == {"215000027"}
    assert "no account" in came.refusals[0].reason
    assert "Dupont" not in repr(came.items)


def test_the_accounts_of_powershell_are_read_too(desk: Desk) -> None:
    text = (
        '"SamAccountName","Enabled","LastLogonDate","Company"\n'
        '"marie","False","29/10/2026 08:00:00","50002"\n'
    )
    (item,) = desk.csv(text).items
    assert isinstance(item, Person)
    assert (item.user, item.member) == (PEOPLE.of("marie"), "215000027")


def test_the_state_of_an_account_and_its_last_logon_are_not_read(desk: Desk) -> None:
    came = desk.csv(
        "sAMAccountName,company,userAccountControl,Enabled,lastLogonTimestamp\n"
        "marie,Agneaux,512,TRUE,never that could be read\n"
        ",Agneaux,514,FALSE,134062107000000000\n"
    )
    (person,) = [item for item in came.items if isinstance(item, Person)]
    assert set(json.loads(packing.pack(person))) == {"origin", "user", "member", "commune"}
    (refusal,) = came.refusals
    assert "134062107000000000" not in refusal.text


@pytest.mark.parametrize(
    "text",
    [
        "name,email\nMarie Dupont,marie@x.fr\n",
        "source,record_id,device_id\nglpi,1,D1\n",
        "bonjour\n",
        "# titre\n\n\n",
    ],
)
def test_a_file_that_nobody_can_tell_is_refused_whole_and_says_what_to_do(
    desk: Desk, text: str
) -> None:
    assert "--source" in desk.csv(text).refusal.reason


def test_a_named_source_is_believed_and_its_headings_are_still_wanted(desk: Desk) -> None:
    text = "name,status\nPC-1,ok\n"
    assert desk.csv(text).refusals
    assert desk.csv(text, source=Source.PLAIN_CSV).record.name == "PC-1"
    assert "--map" in desk.csv(text, source=Source.SESSIONS).refusal.reason
    assert "no kind of file" in desk.csv(text, source=Source.FLEET).refusal.reason


def test_a_refused_row_is_mended_and_imported_again_with_the_same_person(desk: Desk) -> None:
    header = "Nom;Contact;Usager;Numéro de série;Dernière date d'inventaire"
    refusal = desk.csv(f"{header}\nPC-1;Marie Dupont;marie;A1;31/02/2026\n").refusal
    assert refusal.headings == "Nom;Usager;Numéro de série;Dernière date d'inventaire"
    assert "arie" not in refusal.text
    mended = refusal.text.replace("31/02/2026", "28/02/2026")
    record = desk.csv(f"{refusal.headings}\n{mended}\n", source=Source.GLPI_CSV).record
    assert (record.name, record.serial, record.user) == ("PC-1", "A1", PEOPLE.of("marie"))


def test_a_refused_row_of_an_administrator_stays_nobodys(desk: Desk) -> None:
    header = "date,insee,device_name,device_serial,user"
    refusal = desk.csv(f"{header}\n2027-10-14,50002,PC-1,A1,Administrateur\n").refusal
    assert refusal.text == "2027-10-14,50002,PC-1,A1,nobody"
    (item,) = desk.csv(f"{refusal.headings}\n{refusal.text.replace('2027', '2026')}\n").items
    assert isinstance(item, SessionDay)
    assert item.user == ""


def test_a_location_counts_where_it_is_a_place_and_nothing_else_is_said(desk: Desk) -> None:
    text = (
        "serial,company,location\nA1,,Agneaux\nB2,,Bureau 12\nC3,Saint-Lô,Agneaux\nD4,x,Agneaux\n"
    )
    records = desk.csv(text, entity="50218").records
    assert [one.commune for one in records] == ["50002", "50218", "50502", None]


def test_the_reading_says_how_far_it_is(desk: Desk) -> None:
    told = []
    rows = "".join(f"S{n},PC-{n}\n" for n in range(2500))
    desk.csv(
        "serial,name\n" + rows, progress=lambda tally: told.append((tally.records, tally.bytes))
    )
    assert [records for records, _ in told] == [1000, 2000, 2500]
    assert told[0][1] <= told[1][1] <= told[2][1] == len("serial,name\n" + rows)


def test_every_field_and_the_headings_beside_it_are_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "exports.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    documented = {row[0].strip("`"): row[1] for row in rows if row[0].strip("`") in headings.DEVICE}
    assert set(documented) == set(headings.DEVICE)
    for name, told in documented.items():
        assert {fold(heading) for heading in told.split(",")} <= set(headings.DEVICE[name])
    assert {row[0].strip("`") for row in rows} >= {s.value for s in Source} - {"fleet"}
