"""`kitsurvie privacy`: what article 30 of the GDPR asks of the controller and of the processor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer

from kitsurvie import inventory as inventories
from kitsurvie.assets import packing
from kitsurvie.assets import privacy as declared
from kitsurvie.assets.privacy import Activity
from kitsurvie.assets.record import Record
from kitsurvie.assets.use import WINDOW_DAYS
from kitsurvie.cli import output
from kitsurvie.cli.assets.estate import known_member, name_of
from kitsurvie.cli.options import Json, Workspace
from kitsurvie.cli.recording import opened
from kitsurvie.inventory import consultations
from kitsurvie.ledger.readings import KEPT_DAYS
from kitsurvie.ledger.register import Register
from kitsurvie.model import Inventory, Text
from kitsurvie.workspace import Workspace as Place
from kitsurvie.workspace import find

Language = Literal["fr", "en"]
LISTED = 40
TO_WRITE = Text("à compléter", "to be written")
NOT_CONSULTED = Text(
    "aucune n’est enregistrée pour ce membre : l’usage n’y est pas collecté",
    "none is on record for this member: use is not collected there",
)
WORDS = {
    "controller": Text(
        "Registre du responsable de traitement (RGPD, article 30, paragraphe 1)",
        "Controller's record (GDPR, article 30, paragraph 1)",
    ),
    "processor": Text(
        "Registre du sous-traitant (RGPD, article 30, paragraphe 2)",
        "Processor's record (GDPR, article 30, paragraph 2)",
    ),
    "activity": Text("Activité", "Activity"),
    "controller_name": Text("Responsable de traitement", "Controller"),
    "controllers": Text("Responsables de traitement", "Controllers"),
    "processor_name": Text("Sous-traitant", "Processor"),
    "contact": Text(
        "Coordonnées, responsable conjoint ou représentant s’il y en a",
        "Contact details, joint controller or representative if any",
    ),
    "dpo": Text("Délégué à la protection des données", "Data protection officer"),
    "dpo_of_processor": Text(
        "Délégué à la protection des données du sous-traitant",
        "Processor's data protection officer",
    ),
    "purpose": Text("Finalités", "Purposes"),
    "operations": Text("Catégories de traitements effectués", "Categories of processing"),
    "consulted": Text("Consultation du personnel sur l’usage", "Consultation on use"),
    "data": Text("Données, personnes concernées et durées", "Data, people and time limits"),
    "fields": Text("champs", "fields"),
    "people": Text("personnes", "people"),
    "kept": Text("conservation", "kept"),
    "recipients": Text("Destinataires", "Recipients"),
    "transfers": Text("Transferts hors de l’Union européenne", "Transfers to third countries"),
    "security": Text("Mesures de sécurité", "Security measures"),
}


def privacy(
    record: Annotated[
        Literal["controller", "processor", "both"],
        typer.Option("--for", help="Whose record: the member's, the syndicate's, or both."),
    ] = "both",
    member: Annotated[
        str | None, typer.Option("--member", metavar="SIREN", help="The member it is made for.")
    ] = None,
    lang: Annotated[Language, typer.Option(help="The language of the entries.")] = "fr",
    json: Json = False,
    workspace: Workspace = None,
) -> int:
    """Print the entries of the register of processing activities, made of what is collected.

    The member is the controller, the syndicate its processor. What kitsurvie cannot know is left
    to be written: review them before they go into your register.
    """
    place = find(workspace)
    inventory = inventories.load(place)
    if member is not None:
        known_member(inventory, place, member)
    with opened(place.ledger_url) as ledger:
        members = [member] if member else _members(inventory, ledger.register)
    made: dict[str, Any] = {}
    if record != "processor":
        made["controller"] = _controller(place, inventory, member, lang)
    if record != "controller":
        made["processor"] = _processor(place, inventory, members, lang)
    if json:
        output.document("privacy", {"lang": lang, **made})
        return 0
    for whose, entries in made.items():
        output.say(f"# {_in(WORDS[whose], lang)}\n")
        for entry in entries:
            for line in _lines(entry, lang):
                output.say(output.printable(line))
    return 0


def _members(inventory: Inventory, register: Register) -> list[str]:
    """The members whose machines are looked after or in the register, by name."""
    found = set(inventory.members)
    for entry in register.entries("record"):
        one = packing.unpack("record", entry.data)
        if isinstance(one, Record) and one.member:
            found.add(one.member)
    return sorted(found, key=lambda siren: (name_of(inventory, siren), siren))


def _controller(
    place: Place, inventory: Inventory, member: str | None, lang: Language
) -> list[dict[str, Any]]:
    """What article 30(1) asks of the controller, one entry an activity."""
    consulted = consultations.load(place, inventory).of(member) if member else None
    entries = []
    for activity in Activity:
        purpose = declared.PURPOSES[activity]
        entry: dict[str, Any] = {
            "activity": _in(purpose.title, lang),
            "controller_name": _named(inventory, member, lang),
            "contact": _in(TO_WRITE, lang),
            "dpo": _in(TO_WRITE, lang),
            "processor_name": _named(inventory, place.syndicate, lang),
            "purpose": _in(purpose.why, lang),
        }
        if activity is Activity.EQUIPMENT:
            none = NOT_CONSULTED if member else TO_WRITE
            said = f"{consulted.body}, {consulted.on.isoformat()}" if consulted else None
            entry["consulted"] = said or _in(none, lang)
        entry |= _same(place, activity, lang)
        entries.append(entry)
    return entries


def _processor(
    place: Place, inventory: Inventory, members: list[str], lang: Language
) -> list[dict[str, Any]]:
    """What article 30(2) asks of the processor, one entry an activity."""
    return [
        {
            "activity": _in(declared.PURPOSES[activity].title, lang),
            "processor_name": _named(inventory, place.syndicate, lang),
            "dpo_of_processor": place.dpo or _in(TO_WRITE, lang),
            "controllers": [_named(inventory, one, lang) for one in members],
            "operations": _in(declared.PURPOSES[activity].operations, lang),
            **_same(place, activity, lang),
        }
        for activity in Activity
    ]


def _same(place: Place, activity: Activity, lang: Language) -> dict[str, Any]:
    """What both records say of an activity."""
    settings = {
        "days": WINDOW_DAYS,
        "verdicts_days": place.verdicts_days,
        "evidence_days": place.evidence_days,
        "energy_days": KEPT_DAYS,
    }
    return {
        "data": [
            {
                "category": _in(declared.CATEGORIES[one].label, lang),
                "people": _in(declared.CATEGORIES[one].subjects, lang),
                "kept": _in(declared.CATEGORIES[one].retention, lang).format(**settings),
                "fields": list(declared.fields(one)),
            }
            for one in declared.categories(activity)
        ],
        "recipients": _in(declared.RECIPIENTS, lang),
        "transfers": _in(declared.TRANSFERS, lang),
        "security": [_in(one, lang) for one in declared.SECURITY[activity]],
    }


def _named(inventory: Inventory, siren: str | None, lang: Language) -> str:
    if not siren:
        return _in(TO_WRITE, lang)
    name = name_of(inventory, siren)
    return f"SIREN {siren}" if name == siren else f"{name} (SIREN {siren})"


def _in(text: Text, lang: Language) -> str:
    return text.fr if lang == "fr" else text.en


def _lines(entry: dict[str, Any], lang: Language) -> Iterator[str]:
    colon = " :" if lang == "fr" else ":"
    for name, value in entry.items():
        title = _in(WORDS[name], lang)
        if name == "activity":
            yield from (f"## {value}", "")
        elif name == "data":
            yield f"{title}{colon}"
            for one in value:
                yield f"- {one['category']}"
                for word in ("people", "kept"):
                    yield f"    {_in(WORDS[word], lang)}{colon} {one[word]}"
                yield f"    {_in(WORDS['fields'], lang)}{colon} {', '.join(one['fields'])}"
        elif isinstance(value, list):
            yield f"{title}{colon}"
            yield from (f"- {one}" for one in value[:LISTED])
            if len(value) > LISTED:
                rest = len(value) - LISTED
                words = Text(f"et {rest} autres (--json)", f"and {rest} more (--json)")
                yield f"- {_in(words, lang)}"
        else:
            yield f"{title}{colon} {value}"
    yield ""
