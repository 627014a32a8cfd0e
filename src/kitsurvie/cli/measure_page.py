"""The page that `kitsurvie kit show` prints of one measure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Literal

from kitsurvie import kit
from kitsurvie.model import Measure, Profile, Text

HEADINGS: dict[str, dict[str, str]] = {
    "en": {
        "why": "Why",
        "changes": "What changes for those who use the machine",
        "on_failure": "When it fails",
        "fallback": "Meanwhile, at the counter",
        "absent": "When it is switched off",
    },
    "fr": {
        "why": "Pourquoi",
        "changes": "Ce qui change pour vous",
        "on_failure": "En cas d’écart",
        "fallback": "En attendant, au guichet",
        "absent": "Si la règle est désactivée",
    },
}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "heading": "For those who administer the machines",
        "step": "Step of the programme:",
        "secure": "secure",
        "tools": "tools",
        "support": "support",
        "sobriety": "sobriety",
        "profiles": "Profiles:",
        "server": "server",
        "desktop": "desktop",
        "laptop": "laptop",
        "public_access": "public_access",
        "norms": "Norms:",
        "none": "none",
        "applies": "Put in place by a deployment:",
        "applied": "yes",
        "verified": "no; it is verified only, and a person mends what drifts",
        "lockout": "Can lock out:",
        "guarded": "yes; a guard takes the change back when nobody can log in",
        "reboot": "Needs a restart:",
        "undo": "Switched off, its work is:",
        "undone": "undone",
        "left": "left in place",
        "yes": "yes",
        "no": "no",
        "footprint": "Footprint:",
        "unmeasured": "not measured yet",
        "budget": "Budget, at most:",
        "disk_mb": "MB of disk",
        "memory_mb": "MB of memory",
        "cpu_s_per_day": "s of CPU a day",
        "network_kb_per_day": "kB of network a day",
        "point": ".",
        "folder": "Folder:",
        "variables": (
            "Variables, with their defaults (set them for all, an EPCI, a member or a host):"
        ),
        "mode": "observe, enforce or off; if not said, what kit__mode says.",
        "off_reason": "Why it is off, when it is: shown in the member's report and on the machine.",
        "off_until": 'Off until that day included ("2027-01-31"), whatever the mode says.',
        "when": "When it may be applied; if not said, as kit__change_windows and kit__freezes say.",
    },
    "fr": {
        "heading": "Pour ceux qui administrent les machines",
        "step": "Étape du programme\u00a0:",
        "secure": "sécuriser",
        "tools": "outiller",
        "support": "accompagner",
        "sobriety": "rester sobre",
        "profiles": "Pour\u00a0:",
        "server": "serveur",
        "desktop": "poste fixe",
        "laptop": "portable",
        "public_access": "poste en libre accès",
        "norms": "Règles de l’ANSSI\u00a0:",
        "none": "aucune",
        "applies": "Posée par un déploiement\u00a0:",
        "applied": "oui",
        "verified": "non\u00a0; elle est seulement vérifiée, une personne répare l’écart",
        "lockout": "Peut fermer l’accès à distance\u00a0:",
        "guarded": (
            "oui\u00a0; la machine revient d’elle-même en arrière si plus personne n’entre"
        ),
        "reboot": "Demande un redémarrage\u00a0:",
        "undo": "Désactivée, ce qu’elle a fait est\u00a0:",
        "undone": "défait",
        "left": "laissé en place",
        "yes": "oui",
        "no": "non",
        "footprint": "Empreinte mesurée\u00a0:",
        "unmeasured": "pas encore mesurée",
        "budget": "Budget, au plus\u00a0:",
        "disk_mb": "Mo de disque",
        "memory_mb": "Mo de mémoire",
        "cpu_s_per_day": "s de processeur par jour",
        "network_kb_per_day": "ko de réseau par jour",
        "point": ",",
        "folder": "Dossier\u00a0:",
        "variables": (
            "Variables, décrites en anglais (pour tous, un EPCI, un membre ou une machine)\u00a0:"
        ),
        "mode": (
            "observe (vérifier), enforce (appliquer) ou off (écarter)\u00a0; sinon, voir kit__mode."
        ),
        "off_reason": (
            "Pourquoi elle est écartée, si elle l’est\u00a0: se lit au rapport et sur la machine."
        ),
        "off_until": (
            'Écartée jusqu’à ce jour inclus ("2027-01-31")\u00a0; ensuite, son mode reprend effet.'
        ),
        "when": ("Quand l’appliquer\u00a0; sinon, voir kit__change_windows et kit__freezes."),
    },
}


def lines(measure: Measure, language: Literal["fr", "en"]) -> Iterator[str]:
    """The page of a measure: first for those who use the machine, then for who administers it."""
    title = f"{measure.id}: {getattr(measure.title, language)}"
    yield title
    yield "=" * len(title)
    for part, heading in HEADINGS[language].items():
        text: Text = getattr(measure, part)
        yield ""
        yield heading
        yield from _wrapped(getattr(text, language), "  ")
    yield from _administration(measure, WORDS[language])


def _administration(measure: Measure, words: Mapping[str, str]) -> Iterator[str]:
    """What only those who administer the machines need: facts, then variables."""
    profiles = ", ".join(words[p.value] for p in Profile if p in measure.profiles)
    facts = {
        "step": words[measure.step.value],
        "profiles": profiles,
        "norms": ", ".join(measure.norms) or words["none"],
        "applies": words["applied"] if measure.applies else words["verified"],
        "lockout": words["guarded"] if measure.lockout_risk else words["no"],
        "reboot": words["yes"] if measure.reboot else words["no"],
        "undo": words["undone"] if measure.undo else words["left"],
        "footprint": _figures(measure.footprint, words) or words["unmeasured"],
        "budget": _figures(measure.budget, words),
        "folder": str(measure.path),
    }
    yield ""
    yield words["heading"]
    for name, fact in facts.items():
        yield from _wrapped(f"{words[name]} {fact}", "  ")
    yield ""
    yield f"  {words['variables']}"
    for variable in kit.variables(measure):
        yield ""
        yield from (f"  # {line}".rstrip() for line in variable.comment)
        yield f"  {variable.name}: {json.dumps(variable.default, ensure_ascii=False)}"
    yield ""
    yield f"  # {words['mode']}"
    yield f"  {measure.id}__mode"
    yield ""
    yield f"  # {words['off_reason']}"
    yield f"  {measure.id}__off_reason"
    yield ""
    yield f"  # {words['off_until']}"
    yield f"  {measure.id}__off_until"
    yield ""
    yield f"  # {words['when']}"
    yield f"  {measure.id}__change_windows"
    yield f"  {measure.id}__freezes"


def _figures(figures: Mapping[str, float], words: Mapping[str, str]) -> str:
    return ", ".join(
        f"{figure:g}".replace(".", words["point"]) + f"\u00a0{words[name]}"
        for name, figure in figures.items()
    )


def _wrapped(text: str, indent: str) -> Iterator[str]:
    for paragraph in text.splitlines():
        yield from textwrap.wrap(
            paragraph, 88, initial_indent=indent, subsequent_indent=indent,
            break_on_hyphens=False, break_long_words=False,
        )  # fmt: skip
