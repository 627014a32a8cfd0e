"""The made-up syndicate and the inventories of real agents, to the last record."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

from kitsurvie.assets.record import Exemption, Kind, SessionDay, Source

from .conftest import INVENTORIES, SAMPLE, came


@pytest.mark.parametrize(
    ("name", "source", "count", "kinds"),
    [
        ("glpi_export.csv", Source.GLPI_CSV, 1097, {Kind.DESKTOP: 722, Kind.LAPTOP: 375}),
        ("snipeit.csv", Source.SNIPEIT_CSV, 304, {Kind.LAPTOP: 304}),
        ("glpi_json", Source.GLPI_JSON, 92, {Kind.DESKTOP: 59, Kind.LAPTOP: 33}),
        ("ocs_xml", Source.AGENT_XML, 120, {Kind.DESKTOP: 82, Kind.LAPTOP: 38}),
    ],
)
def test_every_record_of_the_made_up_syndicate_is_read_whole(
    name: str, source: Source, count: int, kinds: dict[Kind, int]
) -> None:
    records = came(SAMPLE / name).records
    assert {one.source for one in records} == {source}
    assert len(records) == len({one.key for one in records}) == count
    assert Counter(one.kind for one in records) == kinds
    assert all(one.member and one.commune for one in records)
    assert {note for one in records for note in one.left_aside} == set()
    if source is not Source.SNIPEIT_CSV:
        assert all(one.seen for one in records)


def test_every_record_has_the_number_that_the_truth_knows_it_by() -> None:
    with (SAMPLE / "truth" / "identity.csv").open() as file:
        truth = {(row["source"], row["record_id"]) for row in csv.DictReader(file)}
    names = {
        "glpi_export.csv": "glpi",
        "snipeit.csv": "snipe",
        "glpi_json": "json",
        "ocs_xml": "xml",
    }
    found = {
        (short, one.key.rpartition("#")[2])
        for name, short in names.items()
        for one in came(SAMPLE / name).records
    }
    assert found == truth


def test_days_of_use_and_exemptions_of_the_made_up_syndicate() -> None:
    days = came(SAMPLE / "session_days.csv").items
    assert len(days) == 45399
    assert all(isinstance(one, SessionDay) and one.member and one.user for one in days)
    exemptions = came(SAMPLE / "exemptions.csv").items
    assert len(exemptions) == 24
    assert all(isinstance(one, Exemption) and one.member for one in exemptions)


def test_no_login_of_the_made_up_syndicate_is_in_what_is_read() -> None:
    with (SAMPLE / "glpi_export.csv").open(encoding="utf-8-sig") as file:
        logins = {row["Usager"] for row in csv.DictReader(file, delimiter=";")} - {""}
    told = set(re.findall(r"[\w.]+", "\n".join(repr(item) for item in came(SAMPLE).items)))
    assert len(logins) > 500
    assert [login for login in logins if "." in login and login in told] == []
    assert "p-42fce5c9490702aa04eadb39210618aa"[2:] in told


def test_the_truth_beside_the_sample_is_no_export_and_is_told() -> None:
    refusals = came(SAMPLE).refusals
    assert [one.origin.file.rpartition("/")[2] for one in refusals] == [
        "doubles.csv",
        "identity.csv",
    ]


def test_the_inventories_of_real_agents_are_read_whole() -> None:
    paths = sorted(path for path in INVENTORIES.iterdir() if path.suffix in (".xml", ".json"))
    found = came(*paths)
    assert found.refusals == []
    devices = [one for one in found.records if one.kind is not Kind.SCREEN]
    told = {one.origin.file.rpartition("/")[2]: one for one in devices}
    assert len(devices) == len(told) == len(paths) == 9
    assert {name: one.kind for name, one in told.items()} == {
        "fusion_13.xml": Kind.PHONE,
        "fusion_2.xml": Kind.LAPTOP,
        "fusion_4.xml": Kind.DESKTOP,
        "fusion_5-good.xml": Kind.NETWORK,
        "glpi_computer_1.json": Kind.LAPTOP,
        "glpi_computer_1_partial_batteries.json": Kind.LAPTOP,
        "glpi_computer_2.json": Kind.LAPTOP,
        "glpi_phone_1.json": Kind.PHONE,
        "glpi_printer_1.json": Kind.PRINTER,
    }
    assert {name: one.serial for name, one in told.items()} == {
        "fusion_13.xml": "5a30d8711bbadc9d",
        "fusion_2.xml": "CZC0479792",
        "fusion_4.xml": "C02NG5A5FY11",
        "fusion_5-good.xml": "486280",
        "glpi_computer_1.json": "640HP72",
        "glpi_computer_1_partial_batteries.json": "640HP72",
        "glpi_computer_2.json": "2FAGP34",
        "glpi_phone_1.json": "af8d8fcfa6fa4794",
        "glpi_printer_1.json": "PHCVN191TG",
    }
    screens = [one for one in found.records if one.kind is Kind.SCREEN]
    assert [(one.maker, one.serial) for one in screens] == [
        ("Dell Inc.", "C975661HAB2R"),
        ("", ""),  # the one that an iMac is
        ("Sharp Corporation", "ABH55D"),
    ]
    notes = {note for one in found.records for note in one.left_aside}
    assert notes == {"No member is known as '000005'.", "No member is known as '3923'."}
    assert told["glpi_computer_1_partial_batteries.json"].partial
    assert told["glpi_computer_1_partial_batteries.json"].key == told["glpi_computer_1.json"].key
