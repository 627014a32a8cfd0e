"""Which column is what: the headings of the tables that are known, in French and in English.

Compared as `folding.fold` has them. Of several columns for one field the first that is filled
counts, in the order of this table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kitsurvie.assets.folding import fold
from kitsurvie.assets.record import Source
from kitsurvie.errors import UsageError

DEVICE: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "asset tag", "etiquette de l actif", "numero d inventaire"),
    "entity": (
        *("entity", "entite", "insee", "code insee", "commune", "siren", "member", "membre"),
        *("company", "societe", "compagnie", "organisation"),
    ),
    "location": ("location", "lieu", "emplacement", "site"),
    "kind": ("kind", "type", "category", "categorie", "type de chassis"),
    "name": (
        *("name", "nom", "asset name", "nom de l actif", "device name", "computer name", "poste"),
        *("hostname", "nom du poste", "nom de l ordinateur"),
    ),
    "maker": ("maker", "manufacturer", "fabricant", "constructeur", "marque"),
    "model": ("model", "modele", "modele d ordinateur"),
    "serial": (
        *(
            "serial",
            "serial number",
            "numero de serie",
            "numero serie",
            "n de serie",
            "no de serie",
        ),
        *("device serial", "serie"),
    ),
    "uuid": ("uuid",),
    "mac": (
        *("mac", "mac address", "adresse mac", "macs", "ports reseau mac", "network ports mac"),
        *("port reseau adresse mac", "ports reseau adresse mac", "network ports mac address"),
    ),
    "user": (
        *("usager", "alternate username", "username", "nom d utilisateur", "login", "identifiant"),
        *("user", "utilisateur", "last user", "dernier utilisateur"),
    ),
    "seen": (
        *("seen", "vu le", "last seen", "derniere date d inventaire", "last inventory date"),
        *("date de dernier inventaire", "date du dernier inventaire", "last inventory"),
        *("dernier inventaire", "dernier contact", "last contact"),
    ),
    "bought": (
        *("bought", "achete le", "date d achat", "date of purchase", "purchase date"),
        *("informations financieres et administratives date d achat", "purchased"),
        *("financial and administrative information date of purchase",),
    ),
    "status": ("status", "statut", "etat", "state"),
    "system": (
        *("system", "systeme", "operating system", "systeme d exploitation", "os"),
        *("systeme d exploitation nom", "operating system name", "nom du systeme d exploitation"),
    ),
    "system_version": (
        *("system version", "version du systeme", "systeme d exploitation version", "os version"),
        *("operating system version",),
    ),
}
SESSION: Mapping[str, tuple[str, ...]] = {
    "day": ("date", "day", "jour"),
    "entity": ("insee", "code insee", "commune", "entity", "entite"),
    "name": ("device name", "name", "nom", "poste", "nom du poste"),
    "serial": ("device serial", "serial", "numero de serie"),
    "user": ("user", "utilisateur", "login", "usager", "username"),
}
EXEMPTION: Mapping[str, tuple[str, ...]] = {
    "entity": ("insee", "code insee", "commune", "entity", "entite"),
    "user": ("user", "utilisateur", "login", "usager", "username"),
    "reason": ("reason", "motif", "raison"),
    "until": ("until", "jusqu au", "fin", "date de fin", "end"),
}
DISCARDED: Mapping[str, tuple[str, ...]] = {
    **{
        name: DEVICE[name]
        for name in ("id", "entity", "kind", "name", "maker", "model", "serial", "bought")
    },
    "discarded": ("discarded", "date de reforme", "reforme le", "discarded on"),
    "outcome": ("outcome", "destination", "devenir", "sort"),
    "left": ("left", "date de sortie", "sorti le", "date de cession", "left on"),
    "recipient": ("recipient", "destinataire", "repreneur", "acquereur"),
    "proof": ("proof", "preuve", "justificatif", "engagement"),
    "excluded": ("excluded", "exclu", "motif d exclusion"),
    "small": ("small", "petit", "petit equipement"),
}
DIRECTORY: Mapping[str, tuple[str, ...]] = {
    "user": ("samaccountname", "userprincipalname", "uid", "login", "user", "utilisateur"),
    "entity": ("company", "societe", "insee", "commune", "entity", "entite", "o"),
    "department": ("department", "departement", "service", "ou"),
    "office": ("physicaldeliveryofficename", "office", "l", "city", "ville"),
    "class": ("objectclass",),
}
TABLES: Mapping[Source, Mapping[str, tuple[str, ...]]] = {
    Source.GLPI_CSV: DEVICE,
    Source.SNIPEIT_CSV: DEVICE,
    Source.PLAIN_CSV: DEVICE,
    Source.SESSIONS: SESSION,
    Source.EXEMPTIONS: EXEMPTION,
    Source.DIRECTORY: DIRECTORY,
    Source.DISCARDED: DISCARDED,
}
# all of one set must be there, or the table is another
_NEEDED: Mapping[Source, tuple[frozenset[str], ...]] = {
    **{
        source: tuple(frozenset({name}) for name in ("serial", "uuid", "mac", "name"))
        for source in (Source.GLPI_CSV, Source.SNIPEIT_CSV, Source.PLAIN_CSV)
    },
    Source.SESSIONS: (frozenset({"day", "user", "name"}), frozenset({"day", "user", "serial"})),
    Source.EXEMPTIONS: (frozenset({"user", "reason", "until"}),),
    Source.DIRECTORY: (frozenset({"user"}),),
    Source.DISCARDED: tuple(
        frozenset({"discarded", "outcome", name}) for name in ("id", "serial", "name")
    ),
}
_DIRECTORY_ONLY = {"samaccountname", "userprincipalname"}
_SNIPEIT_ONLY = {"asset tag", "etiquette de l actif"}
_GLPI_ONLY = {"entite", "entity"}


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of each field, by preference; `same` are those under one and the same heading."""

    headings: tuple[str, ...]
    of: Mapping[str, tuple[int, ...]]
    same: tuple[tuple[int, ...], ...]

    @property
    def known(self) -> frozenset[int]:
        """The columns that are read."""
        return frozenset(number for numbers in self.of.values() for number in numbers)


def columns(headings: Sequence[str], source: Source, mapped: Mapping[str, str]) -> Columns:
    """What is read of a table with these headings. Raises UsageError for a field there is not."""
    fields = TABLES.get(source, DEVICE)
    own = {fold(heading): name for heading, name in mapped.items()}
    for name in own.values():
        if not any(name in table for table in TABLES.values()):
            raise UsageError(
                f"There is no field {name!r} to map a heading to.",
                remedy=f"The fields are: {', '.join(fields)}.",
            )
    names = [fold(heading) for heading in headings]
    of: dict[str, tuple[int, ...]] = {}
    for name, aliases in fields.items():
        first = [n for n, heading in enumerate(names) if own.get(heading) == name]
        rest = [
            number
            for alias in aliases
            for number, heading in enumerate(names)
            if heading == alias and heading not in own
        ]
        if first or rest:
            of[name] = tuple(dict.fromkeys((*first, *rest)))
    known = {number for numbers in of.values() for number in numbers}
    same = tuple(
        numbers
        for heading in dict.fromkeys(names)
        if len(numbers := tuple(n for n in known if names[n] == heading)) > 1
    )
    return Columns(tuple(headings), of, same)


def usable(found: Columns, source: Source) -> bool:
    """Whether a table has what its records cannot do without."""
    return any(needed <= found.of.keys() for needed in _NEEDED[source])


def guess(headings: Sequence[str], mapped: Mapping[str, str]) -> Source | None:
    """The kind of table that has these headings, None where that would be a bet.

    A name alone tells no device: a list of people has one too.
    """
    names = {fold(heading) for heading in headings}
    if names & _DIRECTORY_ONLY:
        return Source.DIRECTORY
    for source in (Source.DISCARDED, Source.SESSIONS, Source.EXEMPTIONS):
        if usable(columns(headings, source, mapped), source):
            return source
    device = columns(headings, Source.PLAIN_CSV, mapped).of
    if len(device) < 2 or not device.keys() & {"serial", "uuid", "mac"}:
        return None
    if names & _SNIPEIT_ONLY:
        return Source.SNIPEIT_CSV
    if names & _GLPI_ONLY and not names & {"kind", "maker", "seen"}:
        return Source.GLPI_CSV
    return Source.PLAIN_CSV
