"""What is collected of people, why and for how long: field by field, beside the shapes themselves.

Each field of a record, of a decision and of a table of the ledger is declared under one category of
data; a test walks the shapes and tables, and fails at a field that is not. The entries of article
30 of the GDPR (`kitsurvie privacy`) are made of this and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kitsurvie.model import Text


class Activity(StrEnum):
    """A processing activity: each has its own entry."""

    EQUIPMENT = "equipment"
    KIT = "kit"


class Data(StrEnum):
    """A category of data; `NOBODY` says nothing of anybody: numbers, digests, links of tables."""

    NOBODY = "nobody"
    PERSON = "person"
    USE = "use"
    MACHINE = "machine"
    CONDITION = "condition"
    PLACE = "place"
    DECISION = "decision"
    DISCARD = "discard"
    REFUSED = "refused"
    ADMINISTRATOR = "administrator"
    HOST = "host"
    VERDICT = "verdict"
    OPERATOR = "operator"
    ENERGY = "energy"
    LAST_USE = "last_use"


@dataclass(frozen=True, slots=True)
class Category:
    """What is said of a category of data; `retention` may name settings in braces."""

    activity: Activity
    label: Text
    subjects: Text
    retention: Text


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why an activity is, and what is done in it on behalf of the controller."""

    title: Text
    why: Text
    operations: Text


AGENTS = Text("agents et élus du membre", "agents and elected members of the member")
STAFF = Text("administrateurs du syndicat", "the syndicate's administrators")

PURPOSES: Mapping[Activity, Purpose] = {
    Activity.EQUIPMENT: Purpose(
        Text("Registre du matériel informatique", "Register of IT equipment"),
        Text(
            "Savoir quelles machines existent et à qui elles servent, reprendre celles qui sont en "
            "double, les prêter ou les réformer, et rendre compte de leur réemploi (décret "
            "n° 2023-266). Ni contrôle de l’activité, ni mesure du temps de travail : aucune heure "
            "d’usage n’est relevée.",
            "To know which machines exist and whom they serve, to take doubles back, lend or "
            "discard them, and account for their reuse (décret n° 2023-266). No control of "
            "activity and no measure of working time: no hour of use is collected.",
        ),
        Text(
            "Lecture des exports d’inventaire, rapprochement des fiches, comptage des jours "
            "d’usage, suivi des prêts et des réformes.",
            "Reading exports of inventories, matching records, counting days of use, following "
            "loans and what is discarded.",
        ),
    ),
    Activity.KIT: Purpose(
        Text("Vérification et déploiement du socle", "Verification and deployment of the kit"),
        Text(
            "Vérifier que les machines respectent les règles de sécurité du socle, les y "
            "ramener, et pouvoir le prouver.",
            "To verify that machines follow the security rules of the kit, bring them back to "
            "them, and be able to prove it.",
        ),
        Text(
            "Observation des machines, jugement des règles, application des réglages, historique.",
            "Looking at machines, judging rules, applying settings, history.",
        ),
    ),
}

CATEGORIES: Mapping[Data, Category] = {
    Data.PERSON: Category(
        Activity.EQUIPMENT,
        Text("pseudonyme de l’utilisateur d’une machine", "pseudonym of a machine’s user"),
        AGENTS,
        Text(
            "tant que la fiche de la machine le porte ; {days} jours après qu’un import l’a "
            "remplacée, qu’une dispense est finie ou qu’un prêt est rendu",
            "as long as the machine’s record has it; {days} days after an import superseded it, "
            "an exemption ended or a loan came back",
        ),
    ),
    Data.USE: Category(
        Activity.EQUIPMENT,
        Text(
            "jours d’usage d’une machine par un pseudonyme, sans heure",
            "days on which a pseudonym used a machine, without hours",
        ),
        AGENTS,
        Text(
            "{days} jours, effacés d’office à chaque import",
            "{days} days, purged by itself at each import",
        ),
    ),
    Data.MACHINE: Category(
        Activity.EQUIPMENT,
        Text(
            "identification de la machine (son nom peut porter celui d’une personne)",
            "identification of the machine (its name may hold a person’s)",
        ),
        AGENTS,
        Text(
            "tant que la machine est au registre",
            "as long as the machine is in the register",
        ),
    ),
    Data.CONDITION: Category(
        Activity.EQUIPMENT,
        Text(
            "état technique de la machine et logiciels installés",
            "technical condition of the machine and installed software",
        ),
        AGENTS,
        Text("tant que la machine est au registre", "as long as the machine is in the register"),
    ),
    Data.PLACE: Category(
        Activity.EQUIPMENT,
        Text("membre et commune de rattachement", "member and commune it belongs to"),
        AGENTS,
        Text("comme la donnée qu’ils accompagnent", "as the data that they go with"),
    ),
    Data.DECISION: Category(
        Activity.EQUIPMENT,
        Text(
            "décisions : motif, dates, service emprunteur",
            "decisions: reason, dates, borrowing service",
        ),
        AGENTS,
        Text(
            "tant que le registre est tenu ; sans la personne {days} jours après leur fin",
            "as long as the register is kept; without the person {days} days after their end",
        ),
    ),
    Data.DISCARD: Category(
        Activity.EQUIPMENT,
        Text(
            "matériel réformé : dates, destination, organisme repreneur, justificatif",
            "discarded equipment: dates, where it went, the body that got it, proof",
        ),
        Text("aucune (un organisme, jamais une personne)", "none (a body, never a person)"),
        Text("tant que le registre est tenu", "as long as the register is kept"),
    ),
    Data.REFUSED: Category(
        Activity.EQUIPMENT,
        Text(
            "lignes d’export refusées, pseudonymes à la place des personnes",
            "refused rows of exports, pseudonyms in place of people",
        ),
        AGENTS,
        Text("{days} jours après l’import", "{days} days after the import"),
    ),
    Data.ADMINISTRATOR: Category(
        Activity.EQUIPMENT,
        Text(
            "compte de l’administrateur qui a importé ou décidé, et quand",
            "account of the administrator who imported or decided, and when",
        ),
        STAFF,
        Text("tant que le registre est tenu", "as long as the register is kept"),
    ),
    Data.HOST: Category(
        Activity.KIT,
        Text(
            "nom des machines et réponses qu’elles ont données",
            "names of machines and the answers that they gave",
        ),
        AGENTS,
        Text(
            "réponses {evidence_days} jours, le reste {verdicts_days} jours (kitsurvie compliance "
            "prune) ; la dernière observation reste",
            "answers {evidence_days} days, the rest {verdicts_days} days (kitsurvie compliance "
            "prune); the last look stays",
        ),
    ),
    Data.VERDICT: Category(
        Activity.KIT,
        Text(
            "constats sur les machines, et leurs dates",
            "verdicts on machines, and their dates",
        ),
        AGENTS,
        Text(
            "{verdicts_days} jours après leur fin (kitsurvie compliance prune)",
            "{verdicts_days} days after their end (kitsurvie compliance prune)",
        ),
    ),
    Data.ENERGY: Category(
        Activity.KIT,
        Text(
            "énergie et durée d’allumage d’une machine, par jour, sans heure ni personne",
            "energy of a machine and how long it was on, by day, without hours or people",
        ),
        AGENTS,
        Text(
            "{energy_days} jours par jour, puis un relevé par semaine pendant {verdicts_days} "
            "jours (kitsurvie compliance prune)",
            "{energy_days} days day by day, then one reading a week for {verdicts_days} days "
            "(kitsurvie compliance prune)",
        ),
    ),
    Data.LAST_USE: Category(
        Activity.KIT,
        Text(
            "dernier jour où une machine a servi, sans heure ni personne",
            "last day on which a machine was used, without hours or people",
        ),
        AGENTS,
        Text(
            "le dernier seulement, tant que sa collecte est réglée",
            "the last alone, as long as its collection is set",
        ),
    ),
    Data.OPERATOR: Category(
        Activity.KIT,
        Text(
            "compte de l’administrateur qui a lancé une vérification ou répondu d’un écart, et "
            "quand",
            "account of the administrator who ran a verification or answered for a drift, and when",
        ),
        STAFF,
        Text(
            "{verdicts_days} jours (kitsurvie compliance prune)",
            "{verdicts_days} days (kitsurvie compliance prune)",
        ),
    ),
}

_RIGHTS = Text(
    "Base et clés réservées au compte ou au groupe des administrateurs ; aucun envoi au dehors.",
    "Ledger and keys for the administrators’ account or group alone; nothing is sent out.",
)
SECURITY: Mapping[Activity, tuple[Text, ...]] = {
    Activity.EQUIPMENT: (
        Text(
            "Identifiants remplacés dès la lecture par un pseudonyme à clé (HMAC-SHA-256) ; la "
            "clé est "
            "hors de la base, illisible par les autres comptes.",
            "Logins replaced as they are read by a keyed pseudonym (HMAC-SHA-256); the key is "
            "outside "
            "the ledger and no other account can read it.",
        ),
        Text(
            "Usage collecté seulement là où l’instance du personnel a été consultée "
            "(inventory/consultations.yml).",
            "Use collected only where the staff’s body was consulted "
            "(inventory/consultations.yml).",
        ),
        Text(
            "Aucun total d’usage pour moins de cinq agents ; les petits membres sont regroupés par "
            "EPCI.",
            "No total of use for fewer than five agents; small members are told as their EPCI.",
        ),
        Text(
            "Chaque import et chaque décision gardent leur auteur et leur date, et peuvent être "
            "annulés, sauf l’effacement d’une personne.",
            "Each import and each decision keep their author and date, and can be taken back, "
            "but for the forgetting of a person.",
        ),
        Text(
            "Effacement d’une personne à la demande du membre (kitsurvie assets forget) ; la place "
            "libérée est écrasée dans un fichier SQLite.",
            "A person is forgotten when the member asks (kitsurvie assets forget); what is freed "
            "in an SQLite file is written over.",
        ),
        _RIGHTS,
    ),
    Activity.KIT: (
        Text(
            "Clés d’hôte épinglées ; la clé de la nuit ne peut lancer que les commandes de la "
            "liste "
            "propre à chaque machine (--as-observer).",
            "Pinned host keys; the key of the night may only run the commands on each machine’s "
            "own list (--as-observer).",
        ),
        _RIGHTS,
    ),
}
RECIPIENTS = Text(
    "les administrateurs du syndicat ; le membre, pour ce qui le concerne",
    "the syndicate’s administrators; the member, for what is its own",
)
TRANSFERS = Text(
    "aucun par kitsurvie, qui n’envoie rien hors de la machine où il tourne",
    "none by kitsurvie, which sends nothing out of the machine that it runs on",
)

_N, _P, _M, _C = Data.NOBODY, Data.PERSON, Data.MACHINE, Data.CONDITION
_D, _X, _A, _L = Data.DECISION, Data.DISCARD, Data.ADMINISTRATOR, Data.PLACE
_WHICH = {"device": _M, "record": _M}

FIELDS: Mapping[str, Mapping[str, Data]] = {
    # -- records: src/kitsurvie/assets/record.py
    "Origin": {"file": _N, "line": _N},
    "Record": {
        "source": _N, "key": _M, "origin": _N, "register": _M, "entity": _L, "member": _L,
        "commune": _L, "kind": _M, "name": _M, "maker": _M, "model": _M, "serial": _M, "uuid": _M,
        "interfaces": _M, "user": _P, "seen": _M, "bought": _M, "status": _M, "condition": _C,
        "partial": _N, "left_aside": _N,
    },
    "Interface": {"mac": _M, "what": _M, "virtual": _M},
    "Condition": {
        "system": _C, "system_version": _C, "memory_mib": _C, "processor": _C, "antivirus": _C,
        "firewalls": _C, "volumes": _C, "programs": _C, "battery": _C,
    },
    "Program": {"name": _C, "version": _C},
    "Volume": {"mount": _C, "size_bytes": _C, "free_bytes": _C, "encrypted": _C},
    "Antivirus": {"name": _C, "enabled": _C, "up_to_date": _C},
    "Firewall": {"profile": _C, "enabled": _C},
    "SessionDay": {
        "origin": _N, "day": Data.USE, "member": _L, "commune": _L, "device_name": _M,
        "device_serial": _M, "user": _P,
    },
    "Person": {"origin": _N, "user": _P, "member": _L, "commune": _L},
    "Exemption": {
        "origin": _N, "member": _L, "commune": _L, "user": _P, "reason": _D, "until": _D,
    },
    "Discard": {
        "origin": _N, "key": _M, "member": _L, "discarded": _X, "outcome": _X, "register": _M,
        "commune": _L, "kind": _M, "name": _M, "maker": _M, "model": _M, "serial": _M,
        "bought": _M, "left": _X, "recipient": _X, "proof": _X, "excluded": _X, "small": _M,
    },
    "Refusal": {
        "origin": _N, "reason": _N, "text": Data.REFUSED, "headings": Data.REFUSED,
    },
    # -- decisions: src/kitsurvie/assets/acts.py
    "Merge": {"a": _M, "b": _M, "ruling": _D, "reason": _D},
    "Exempt": {"user": _P, "member": _L, "reason": _D, "until": _D},
    "Return": {**_WHICH, "day": _D, "owner": _L, "reason": _D},
    "Loan": {
        **_WHICH, "day": _D, "owner": _L, "member": _L, "service": _D, "user": _P, "until": _D,
        "reason": _D,
    },
    "Discarded": {
        **_WHICH, "day": _X, "member": _L, "kind": _M, "name": _M, "maker": _M, "model": _M,
        "serial": _M, "bought": _M, "discarded": _X, "outcome": _X, "left": _X, "recipient": _X,
        "proof": _X, "excluded": _X, "small": _M,
    },
    "Forget": {"member": _L},
    # -- the ledger: src/kitsurvie/ledger/register_tables.py
    "asset_imports": {
        "id": _N, "at": _A, "by_whom": _A, "files": _N, "counts": _N, "undone_at": _A,
    },
    "asset_entries": {
        "id": _N, "import_id": _N, "kind": _N, "source": _N, "register": _M, "key": _M,
        "digest": _N, "data": _M, "superseded_by": _N,
    },
    "asset_refusals": {
        "id": _N, "import_id": _N, "file": _N, "line": _N, "reason": _N,
        "text": Data.REFUSED,
    },
    "asset_days": {
        "id": _N, "day": Data.USE, "member": _L, "device_name": _M, "device_serial": _M,
        "user": _P, "commune": _L, "import_id": _N,
    },
    "asset_again": {"import_id": _N, "what": _N, "rows": _N},
    "asset_devices": {"source": _N, "register": _M, "key": _M, "device": _M},
    "asset_acts": {
        "id": _N, "at": _A, "by_whom": _A, "kind": _D, "data": _D, "undone_at": _A,
        "undone_by": _A,
    },
    # -- the ledger: src/kitsurvie/ledger/schema.py
    "ledger_version": {"version": _N, "looks": _N, "prunings": _N},
    "runs": {
        "id": _N, "kind": Data.OPERATOR, "state": _N, "by_whom": Data.OPERATOR,
        "options": Data.OPERATOR, "started_at": Data.OPERATOR, "ended_at": Data.OPERATOR,
    },
    "hosts": {"id": _N, "name": Data.HOST},
    "checks": {"id": _N, "measure": _N, "name": _N},
    "verdicts": {"id": _N, "digest": _N, "status": Data.VERDICT, "data": Data.VERDICT},
    "coverages": {"id": _N, "digest": _N, "data": _N},
    "run_hosts": {"run_id": _N, "host_id": _N, "state": Data.VERDICT, "detail": Data.VERDICT},
    "outcomes": {
        "run_id": _N, "host": Data.HOST, "measure": _N, "state": Data.VERDICT,
        "detail": Data.VERDICT,
    },
    "observations": {
        "id": _N, "run_id": _N, "host_id": _N, "at": Data.VERDICT, "coverage_id": _N,
        "evidence": _N,
    },
    "intervals": {
        "host_id": _N, "check_id": _N, "from_look": _N, "from_run": _N, "from_at": Data.VERDICT,
        "to_look": _N, "to_run": _N, "to_at": Data.VERDICT, "verdict_id": _N,
    },
    "acknowledgements": {
        "id": _N, "host_id": _N, "check_id": _N, "look": _N, "made_at": Data.OPERATOR,
        "by_whom": Data.OPERATOR, "reason": Data.OPERATOR, "until": Data.OPERATOR,
    },
    "hand_ins": {
        "host": Data.HOST, "moment": Data.VERDICT, "arrived": Data.VERDICT, "at": Data.VERDICT,
        "digest": _N, "address": Data.HOST,
    },
    "probe_readings": {
        "host": Data.HOST, "day": Data.ENERGY, "week": Data.ENERGY, "since": Data.ENERGY,
        "machine": Data.ENERGY, "chassis": Data.ENERGY, "counted": Data.ENERGY,
    },
    "probe_uses": {"host": Data.HOST, "last_used": Data.LAST_USE},
    "blobs": {"digest": _N, "data": Data.HOST},
    "learnt": {"scope": Data.HOST, "commands": _N},
}  # fmt: skip


def undeclared(shapes: Mapping[str, Iterable[str]]) -> list[str]:
    """The fields (`shape.field`) that are collected and not declared."""
    return [
        f"{shape}.{field}"
        for shape, fields in shapes.items()
        for field in fields
        if field not in FIELDS.get(shape, {})
    ]


def unused(shapes: Mapping[str, Iterable[str]]) -> list[str]:
    """The fields that are declared and not collected: a register must not claim them."""
    there = {(shape, field) for shape, fields in shapes.items() for field in fields}
    declared = [(shape, field) for shape, fields in FIELDS.items() for field in fields]
    return [f"{shape}.{field}" for shape, field in declared if (shape, field) not in there]


def fields(data: Data) -> tuple[str, ...]:
    """The fields of a category, as `shape.field`."""
    return tuple(
        f"{shape}.{field}"
        for shape, declared in FIELDS.items()
        for field, category in declared.items()
        if category is data
    )


def categories(activity: Activity) -> tuple[Data, ...]:
    """The categories of an activity, in their order."""
    return tuple(data for data, one in CATEGORIES.items() if one.activity is activity)
