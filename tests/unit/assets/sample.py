"""The made-up syndicate's exports as records, read without any of our readers."""

from __future__ import annotations

import csv
import hashlib
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

from kitsurvie.assets.record import (
    Exemption,
    Interface,
    Kind,
    Origin,
    Record,
    SessionDay,
    Source,
)
from kitsurvie.inventory import territory

FOLDER = Path(__file__).parents[2] / "data" / "manche_sample"
KINDS = {"Desktop": Kind.DESKTOP, "Notebook": Kind.LAPTOP, "Laptop": Kind.LAPTOP}
TRUTH_NAMES = {
    "glpi": Source.GLPI_CSV,
    "json": Source.GLPI_JSON,
    "xml": Source.AGENT_XML,
    "snipe": Source.SNIPEIT_CSV,
}


@cache
def pseudonym(user: str) -> str:
    return hashlib.sha256(user.encode()).hexdigest()[:16] if user else ""


def rows(name: str, delimiter: str = ",") -> Iterator[tuple[int, dict[str, str]]]:
    with (FOLDER / name).open(encoding="utf-8-sig", newline="") as lines:
        yield from enumerate(csv.DictReader(lines, delimiter=delimiter), start=2)


@cache
def communes() -> dict[str, tuple[str, str]]:
    """INSEE code and SIREN of each commune, by its name and by its code."""
    found = {}
    for member in territory.members():
        if member.kind.value == "commune":
            found[member.name] = found[member.insee] = (member.insee, member.siren)
    return found


def placed(where: str) -> tuple[str | None, str | None]:
    insee, siren = communes().get(where, (None, None))
    return siren, insee


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def records() -> list[Record]:
    return [*glpi_csv(), *snipeit(), *glpi_json(), *agent_xml()]


def glpi_csv() -> Iterator[Record]:
    for line, row in rows("glpi_export.csv", ";"):
        member, insee = placed(row["Entité"].split(" > ")[-1])
        yield Record(
            source=Source.GLPI_CSV,
            key=row["ID"],
            origin=Origin("glpi_export.csv", line),
            member=member,
            commune=insee,
            kind=KINDS[row["Type"]],
            name=row["Nom"],
            maker=row["Fabricant"],
            model=row["Modèle"],
            serial=row["Numéro de série"],
            uuid=row["UUID"],
            interfaces=(Interface(row["Adresse MAC"]),),
            user=pseudonym(row["Usager"]),
            seen=moment(row["Dernière date d'inventaire"]),
            bought=date.fromisoformat(row["Date d'achat"]),
        )


def snipeit() -> Iterator[Record]:
    for line, row in rows("snipeit.csv"):
        member, insee = placed(row["Company"])
        yield Record(
            source=Source.SNIPEIT_CSV,
            key=row["ID"],
            origin=Origin("snipeit.csv", line),
            member=member,
            commune=insee,
            kind=KINDS[row["Category"]],
            name=row["Asset Name"],
            maker=row["Manufacturer"],
            model=row["Model"],
            serial=row["Serial"],
            user=pseudonym(row["Username"]),
            bought=date.fromisoformat(row["Purchase Date"]),
            status=row["Status"],
        )


def glpi_json() -> Iterator[Record]:
    for path in sorted((FOLDER / "glpi_json").iterdir()):
        said = json.loads(path.read_text(encoding="utf-8"))
        content = said["content"]
        member, insee = placed(said["tag"])
        last = content["hardware"]["datelastloggeduser"]
        yield Record(
            source=Source.GLPI_JSON,
            key=path.stem,
            origin=Origin(f"glpi_json/{path.name}"),
            member=member,
            commune=insee,
            kind=KINDS[content["hardware"]["chassis_type"]],
            name=content["hardware"]["name"],
            maker=content["bios"]["smanufacturer"],
            model=content["bios"]["smodel"],
            serial=content["bios"]["ssn"],
            uuid=content["hardware"]["uuid"],
            interfaces=tuple(
                Interface(net["mac"], net["description"], net["virtualdev"])
                for net in content["networks"]
            ),
            user=pseudonym(content["hardware"]["lastloggeduser"]),
            seen=datetime.strptime(f"2026 {last}", "%Y %a %b %d %H:%M").replace(tzinfo=UTC),
        )


def agent_xml() -> Iterator[Record]:
    for path in sorted((FOLDER / "ocs_xml").iterdir()):
        content = ElementTree.parse(path).getroot().find("CONTENT")
        assert content is not None
        member, insee = placed(content.findtext("ACCOUNTINFO/KEYVALUE") or "")
        yield Record(
            source=Source.AGENT_XML,
            key=path.stem,
            origin=Origin(f"ocs_xml/{path.name}"),
            member=member,
            commune=insee,
            kind=KINDS[content.findtext("BIOS/TYPE") or ""],
            name=content.findtext("HARDWARE/NAME") or "",
            maker=content.findtext("BIOS/SMANUFACTURER") or "",
            model=content.findtext("BIOS/SMODEL") or "",
            serial=content.findtext("BIOS/SSN") or "",
            uuid=content.findtext("HARDWARE/UUID") or "",
            interfaces=tuple(
                Interface(net.findtext("MACADDR") or "", net.findtext("TYPE") or "")
                for net in content.findall("NETWORKS")
            ),
            user=pseudonym(content.findtext("HARDWARE/USERID") or ""),
            seen=moment(content.findtext("HARDWARE/LASTDATE") or ""),
        )


def sessions() -> list[SessionDay]:
    found = []
    for line, row in rows("session_days.csv"):
        member, insee = placed(row["insee"])
        found.append(
            SessionDay(
                origin=Origin("session_days.csv", line),
                day=date.fromisoformat(row["date"]),
                member=member,
                commune=insee,
                device_name=row["device_name"],
                device_serial=row["device_serial"],
                user=pseudonym(row["user"]),
            )
        )
    return found


def exemptions() -> list[Exemption]:
    found = []
    for line, row in rows("exemptions.csv"):
        member, insee = placed(row["insee"])
        found.append(
            Exemption(
                origin=Origin("exemptions.csv", line),
                member=member,
                commune=insee,
                user=pseudonym(row["user"]),
                reason=row["reason"],
                until=date.fromisoformat(row["until"]),
            )
        )
    return found


def truth() -> dict[str, str]:
    """The true device of each record, by the record's id."""
    return {
        f"{TRUTH_NAMES[row['source']].value}//{row['record_id']}": row["device_id"]
        for _, row in rows("truth/identity.csv")
    }


def true_doubles() -> list[dict[str, str]]:
    return [row for _, row in rows("truth/doubles.csv")]
