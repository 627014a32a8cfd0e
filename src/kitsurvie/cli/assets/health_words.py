"""The words of the screen of `assets health`, in French and in English."""

from __future__ import annotations

from datetime import date

from kitsurvie.assets.finding import Check, french
from kitsurvie.assets.record import Kind
from kitsurvie.cli.language import Language
from kitsurvie.model import Status, Text

STATES = {
    Status.DRIFT: Text("écart", "drift"),
    Status.UNKNOWN: Text("inconnu", "unknown"),
    Status.COMPLIANT: Text("conforme", "compliant"),
    Status.NOT_APPLICABLE: Text("sans objet", "not asked"),
}
# what drifts, and what is looked at, in a word or two
DRIFTS = {
    Check.SYSTEM_SUPPORTED: Text("fin de suivi", "system ended"),
    Check.ANTIVIRUS: Text("antivirus à revoir", "antivirus off or old"),
    Check.FIREWALL: Text("pare-feu arrêté", "firewall off"),
    Check.DISK_ENCRYPTED: Text("disque en clair", "disk in clear"),
    Check.FREE_SPACE: Text("disque plein", "disk full"),
    Check.AGE: Text("âgée", "old machine"),
    Check.INVENTORY_FRESH: Text("plus vue", "not seen lately"),
}
CHECKS = {
    Check.SYSTEM_SUPPORTED: Text("système", "system"),
    Check.ANTIVIRUS: Text("antivirus", "antivirus"),
    Check.FIREWALL: Text("pare-feu", "firewall"),
    Check.DISK_ENCRYPTED: Text("chiffrement", "encryption"),
    Check.FREE_SPACE: Text("place libre", "free space"),
    Check.AGE: Text("âge", "age"),
    Check.INVENTORY_FRESH: Text("inventaire", "inventory"),
}
TODO = {
    Check.SYSTEM_SUPPORTED: Text(
        "changer de version ou de machine : plus de mises à jour de sécurité",
        "move to another version or machine: no more security updates",
    ),
    Check.ANTIVIRUS: Text(
        "activer l’antivirus, ou le mettre à jour", "switch the antivirus on, or update it"
    ),
    Check.FIREWALL: Text("activer le pare-feu", "switch the firewall on"),
    Check.DISK_ENCRYPTED: Text(
        "chiffrer le disque : perdue, la machine livre ses fichiers",
        "encrypt the disk: lost, the machine gives its files away",
    ),
    Check.FREE_SPACE: Text(
        "faire de la place : les mises à jour n’entrent plus", "make room: updates no longer go in"
    ),
    Check.AGE: Text("prévoir le remplacement", "plan for a replacement"),
    Check.INVENTORY_FRESH: Text(
        "retrouver la machine, ou réparer son agent d’inventaire",
        "find the machine, or mend its inventory agent",
    ),
}
KINDS = {
    Kind.DESKTOP: Text("poste fixe", "desktop"),
    Kind.LAPTOP: Text("portable", "laptop"),
    Kind.SERVER: Text("serveur", "server"),
    Kind.TABLET: Text("tablette", "tablet"),
    Kind.UNKNOWN: Text("inconnu", "unknown"),
}
SCREEN: dict[str, Text] = {
    "judged": Text(
        "{machines} au {day}, d’après les inventaires : {drift} avec un écart.",
        "{machines} on {day}, by what inventories say: {drift} with a drift.",
    ),
    "judged_blind": Text(
        "{machines} au {day}, d’après les inventaires : {drift} avec un écart, {blind} dont on ne "
        "sait presque rien.",
        "{machines} on {day}, by what inventories say: {drift} with a drift, {blind} of which "
        "next to nothing is known.",
    ),
    "put_away": Text(
        "Laissées de côté : {machines} que leur registre dit hors service.",
        "Left out: {machines} that their register says are in no service.",
    ),
    "none": Text(
        "Aucun ordinateur à juger : voir kitsurvie assets list, ou importer des inventaires.",
        "No computer to judge: see kitsurvie assets list, or import inventories.",
    ),
    "not_judged": Text(
        "{name} n’est pas jugé : seuls le sont les postes, portables et serveurs, et les tablettes "
        "Windows.",
        "{name} is not judged: desktops, laptops and servers are, and tablets that run Windows.",
    ),
    "check": Text("règle", "check"),
    "first": Text("À faire, dans cet ordre :", "To do, in this order:"),
    "servers": Text("dont {servers}", "{servers} among them"),
    "where": Text("Où : {members}.", "Where: {members}."),
    "and_more": Text("et {n} autres", "and {n} more"),
    "blind": Text(
        "Angle mort : de {machines}, aucun inventaire récent ne dit ni système, ni antivirus, ni "
        "pare-feu, ni disque. Importer les inventaires de leurs agents (JSON de GLPI, XML), ou y "
        "mettre un agent. Liste : kitsurvie assets health --state unknown",
        "Blind spot: of {machines}, no recent inventory says system, antivirus, firewall or disk. "
        "Import the inventories of their agents (GLPI's JSON, XML), or give them an agent. "
        "List: kitsurvie assets health --state unknown",
    ),
    "worst": Text("Les machines, la pire d’abord", "The machines, the worst first"),
    "member": Text("membre", "member"),
    "machine": Text("machine", "machine"),
    "kind": Text("genre", "kind"),
    "what": Text("quoi", "what"),
    "state": Text("état", "state"),
    "found": Text("constat [jour de l’inventaire]", "what was found [day of the inventory]"),
    "day": Text("{title} [jour de l’inventaire]", "{title} [day of the inventory]"),
    "rest": Text(
        "et {n} autres (--member, --check, --csv, --json)",
        "and {n} more (--member, --check, --csv, --json)",
    ),
    "one": Text("Une machine en entier : kitsurvie assets health NOM",
                "One machine in full: kitsurvie assets health NAME"),
    "nothing": Text("Aucune machine dans cet état.", "No machine is in that state."),
}  # fmt: skip


def said(name: str, language: Language, /, **values: object) -> str:
    """A sentence of the screen, with its values."""
    return str(getattr(SCREEN[name], language)).format(**values)


def machines(number: int, language: Language) -> str:
    """So many machines. French has none of zero in the plural."""
    many = number >= 2 or (number == 0 and language == "en")
    return f"{number} machine{'s' if many else ''}"


def servers(number: int, language: Language) -> str:
    """So many servers."""
    word = KINDS[Kind.SERVER].fr if language == "fr" else KINDS[Kind.SERVER].en
    return f"{number} {word}{'s' if number != 1 else ''}"


def day(moment: date, language: Language) -> str:
    """A day as the language writes it."""
    return french(moment) if language == "fr" else moment.isoformat()
