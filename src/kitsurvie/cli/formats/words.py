"""The words of the HTML page, in French and in English, and dates as each language writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from typing import Literal

from kitsurvie.cli.told import DAY_S

Language = Literal["fr", "en"]

WORDS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "title": "Constat du matin",
        "skip": "Aller au contenu",
        "run": "passage n°\u00a0{0}",
        "began": "Constat du {0}",
        "took": "fini à {0} après {1}",
        "hosts": "{0} machine{s}",
        "members": "{0} membre{s}",
        "today": "Si ce n’est pas la date d’aujourd’hui, le passage de cette nuit n’a pas eu lieu"
        "\u00a0: voir <code>kitsurvie compliance show</code>.",
        "old": "Attention\u00a0: à l’écriture de cette page, ce constat avait déjà {0}.",
        "other": "Ce passage n’est pas un contrôle mais la commande «\u00a0{0}\u00a0».",
        "states": "Où en sont les machines",
        "first": "À faire d’abord",
        "first_none": "Rien\u00a0: aucun écart, aucune panne.",
        "what": "Quoi",
        "where": "Où",
        "command": "Première commande",
        "more_first": "Tous les écarts, règle par règle",
        "silent": "Ne répondent pas alors qu’on les attend",
        "silent_sites": "aucune machine ne répond à\u00a0: {0}",
        "broken": "N’ont pu être jugées",
        "failed": "Le dernier déploiement y a échoué",
        "new": "Nouveau depuis le passage n°\u00a0{0}",
        "new_at": "du {0}",
        "nothing_new": "Rien de nouveau.",
        "drifted": "Nouveaux écarts",
        "counts_again": "Écarts dont la dérogation est finie",
        "newly_waived": "Nouveaux écarts sous dérogation",
        "mended": "Réparés",
        "in_error": "N’ont plus pu être jugés",
        "answer_over": "Prises en compte échues",
        "came": "Nouvelles machines",
        "newly_absent": "Ne répondent plus",
        "back": "Répondent de nouveau",
        "ending": "Dérogations bientôt finies",
        "ends": "{0}, {1}\u00a0: finit le {2} ({3})",
        "of": "{0}\u00a0: {1}",
        "again": "{0}e fois",
        "all_new": "La liste entière",
        "worst": "Les plus touchés",
        "worst_none": "Aucun.",
        "hosts_of": "{0} machine{s} sur {1} à voir",
        "drifts": "{0} écart{s}",
        "by_measure": "Les écarts les plus répandus",
        "measure": "Règle",
        "machines": "Machines",
        "of_members": "Membres",
        "new_ones": "Nouveaux",
        "some_new": "nouveaux\u00a0: {0}",
        "checks": "Constats en écart",
        "then": "puis",
        "observed": "seulement observée\u00a0: un déploiement n’y change rien",
        "by_hand": "une personne répare\u00a0: un déploiement n’y change rien",
        "away": "Machines absentes",
        "away_told": "Elles n’ont pas répondu et ne comptent pas comme des écarts. Le dernier "
        "constat connu reste, avec sa date.",
        "away_none": "Aucune.",
        "last": "Dernier constat",
        "never": "jamais vue",
        "before": "{0} avant ce passage",
        "then_drifts": "{0} à voir alors",
        "machine": "Machine",
        "of_member": "Membre",
        "profile": "Sorte",
        "state": "État",
        "details": "Membre par membre",
        "details_told": "Seulement ce qui est à voir\u00a0; le reste est compté. À l’impression, "
        "seuls les membres dépliés sont imprimés.",
        "well": "Rien à voir chez {0} membre{s}",
        "compliant": "{0} conforme{s}",
        "not_applicable": "{0} sans objet",
        "waived": "{0} en dérogation",
        "brief": "Trop d’écarts pour une page\u00a0: ceux-ci sont comptés par règle. Tous\u00a0:",
        "expected": "attendu",
        "found": "trouvé",
        "proof": "preuve",
        "seen": "constaté {0}",
        "seen_own": "s’est vérifiée elle-même {0}",
        "since": "depuis le {0} ({1})",
        "waiver": "dérogation jusqu’au {0}, {1}\u00a0: {2}",
        "answered": "pris en compte jusqu’au {0} par {1}\u00a0: {2}",
        "waiver_over": "dérogation finie le {0}, {1}\u00a0: {2}",
        "kit": "La machine elle-même",
        "enforce": "imposée",
        "observe": "observée",
        "notes": "À savoir",
        "made": "Page écrite le {0} par kitsurvie. Heures de {1}.",
        "and_more": "et {0} de plus",
        "nothing": "(rien)",
        "status_compliant": "conforme",
        "status_drift": "écart",
        "status_waived": "dérogation",
        "status_unreachable": "injoignable",
        "status_error": "erreur",
        "status_unknown": "inconnu",
        "status_not_applicable": "sans objet",
        "stand_compliant": "conforme{s}",
        "stand_waived": "en dérogation",
        "stand_drift": "en écart",
        "stand_failed": "en échec",
        "stand_held": "en attente",
        "stand_pending": "pas commencée{s}",
        "stand_error": "en erreur",
        "stand_unknown": "sans réponse entière",
        "stand_unreachable": "injoignable{s}",
        "stand_absent": "absente{s}",
        "stand_unseen": "absente{s} de longue date",
        "stand_not_applicable": "sans objet",
        "profile_server": "serveur",
        "profile_desktop": "poste fixe",
        "profile_laptop": "portable",
        "profile_public_access": "poste en libre accès",
        "moment_s": "{0}\u00a0s",
        "moment_min": "{0}\u00a0min",
        "moment_h": "{0}\u00a0h",
        "moment_days": "{0}\u00a0jour{s}",
    },
    "en": {
        "title": "Morning page",
        "skip": "Skip to content",
        "run": "run {0}",
        "began": "As seen on {0}",
        "took": "ended at {0} after {1}",
        "hosts": "{0} machine{s}",
        "members": "{0} member{s}",
        "today": "If that is not today’s date, last night’s run did not take place: see "
        "<code>kitsurvie compliance show</code>.",
        "old": "Beware: when this page was written, what it shows was {0} old already.",
        "other": "This run is no check but the command “{0}”.",
        "states": "Where the machines stand",
        "first": "What to do first",
        "first_none": "Nothing: no drift, no failure.",
        "what": "What",
        "where": "Where",
        "command": "First command",
        "more_first": "All drifts, measure by measure",
        "silent": "Expected to be up, and do not answer",
        "silent_sites": "no machine answers at {0}",
        "broken": "Could not be judged",
        "failed": "The last deployment failed there",
        "new": "New since run {0}",
        "new_at": "of {0}",
        "nothing_new": "Nothing new.",
        "drifted": "New drifts",
        "counts_again": "Drifts whose waiver ended",
        "newly_waived": "New drifts that are waived",
        "mended": "Mended",
        "in_error": "Could no longer be judged",
        "answer_over": "Acknowledgements that ended",
        "came": "New machines",
        "newly_absent": "No longer answer",
        "back": "Answer again",
        "ending": "Waivers about to end",
        "ends": "{0}, {1}: ends on {2} ({3})",
        "of": "{0}: {1}",
        "again": "time no. {0}",
        "all_new": "The whole list",
        "worst": "Worst off",
        "worst_none": "None.",
        "hosts_of": "{0} of {1} to look at",
        "drifts": "{0} drift{s}",
        "by_measure": "The most common drifts",
        "measure": "Measure",
        "machines": "Machines",
        "of_members": "Members",
        "new_ones": "New",
        "some_new": "new: {0}",
        "checks": "Checks that drift",
        "then": "then",
        "observed": "only observed: a deployment changes nothing there",
        "by_hand": "a person mends it: a deployment changes nothing there",
        "away": "Absent machines",
        "away_told": "They did not answer and count as no drift. What was last seen stands, with "
        "its date.",
        "away_none": "None.",
        "last": "Last seen",
        "never": "never seen",
        "before": "{0} before this run",
        "then_drifts": "{0} to look at then",
        "machine": "Machine",
        "of_member": "Member",
        "profile": "Kind",
        "state": "State",
        "details": "Member by member",
        "details_told": "Only what is to be looked at; the rest is counted. On paper, only the "
        "members that are open are printed.",
        "well": "Nothing to look at for {0} member{s}",
        "compliant": "{0} compliant",
        "not_applicable": "{0} not applicable",
        "waived": "{0} waived",
        "brief": "Too many drifts for one page: these are counted by measure. All of them:",
        "expected": "expected",
        "found": "found",
        "proof": "evidence",
        "seen": "seen {0}",
        "seen_own": "looked at itself {0}",
        "since": "since {0} ({1})",
        "waiver": "waived until {0}, {1}: {2}",
        "answered": "acknowledged until {0} by {1}: {2}",
        "waiver_over": "waiver ended on {0}, {1}: {2}",
        "kit": "The machine itself",
        "enforce": "enforced",
        "observe": "observed",
        "notes": "Good to know",
        "made": "Page written on {0} by kitsurvie. Times are {1}.",
        "and_more": "and {0} more",
        "nothing": "(nothing)",
        "status_compliant": "compliant",
        "status_drift": "drift",
        "status_waived": "waived",
        "status_unreachable": "unreachable",
        "status_error": "error",
        "status_unknown": "unknown",
        "status_not_applicable": "not applicable",
        "stand_compliant": "compliant",
        "stand_waived": "waived",
        "stand_drift": "in drift",
        "stand_failed": "failed",
        "stand_held": "held",
        "stand_pending": "not begun",
        "stand_error": "in error",
        "stand_unknown": "without a whole answer",
        "stand_unreachable": "unreachable",
        "stand_absent": "absent",
        "stand_unseen": "long unseen",
        "stand_not_applicable": "not applicable",
        "profile_server": "server",
        "profile_desktop": "desktop",
        "profile_laptop": "laptop",
        "profile_public_access": "public access",
        "moment_s": "{0}\u00a0s",
        "moment_min": "{0}\u00a0min",
        "moment_h": "{0}\u00a0h",
        "moment_days": "{0}\u00a0day{s}",
    },
}  # fmt: skip

# strftime knows other languages only where their locales were made
_DAYS = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
_MONTHS = {
    "fr": (
        "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
        "octobre", "novembre", "décembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
}  # fmt: skip


class Speech:
    """One language: its words, its dates (in `zone`; None is that of this machine)."""

    def __init__(self, language: Language, zone: tzinfo | None = None) -> None:
        self.language = language
        self._zone = zone
        self._words = WORDS[language]

    def __call__(self, word: str, *values: object) -> str:
        """The word or sentence of that name with values put in, the first being the number."""
        one = values[:1] == (1,) or (values[:1] == (0,) and self.language == "fr")
        return self._words[word].format(*values, s="" if one else "s")

    def named(self, kind: str, value: str, number: int = 1) -> str:
        """The name of a status, standing or profile; itself when it is new here."""
        word = f"{kind}_{value}"
        return self(word, number) if word in self._words else value

    def day(self, at: datetime, *, year: bool = True) -> str:
        """The day in full: lundi 12 octobre 2026."""
        here = at.astimezone(self._zone)
        number = "1er" if self.language == "fr" and here.day == 1 else str(here.day)
        parts = [_DAYS[self.language][here.weekday()], number]
        parts.append(_MONTHS[self.language][here.month - 1])
        return " ".join([*parts, str(here.year)] if year else parts)

    def hour(self, at: datetime) -> str:
        """The time of day: 02:14."""
        return f"{at.astimezone(self._zone):%H:%M}"

    def moment(self, at: datetime, *, year: bool = True) -> str:
        """Day and time."""
        to = "à" if self.language == "fr" else "at"
        return f"{self.day(at, year=year)} {to} {self.hour(at)}"

    def short(self, at: datetime) -> str:
        """Day and time for a table: 12/10/2026 02:14, or 2026-10-12 02:14."""
        form = "%d/%m/%Y %H:%M" if self.language == "fr" else "%Y-%m-%d %H:%M"
        return at.astimezone(self._zone).strftime(form)

    def date(self, day: object) -> str:
        """A day without a time, as the document has it (2026-10-20): 20/10/2026 in French."""
        try:
            read = date.fromisoformat(str(day))
        except ValueError:
            return str(day)
        return f"{read:%d/%m/%Y}" if self.language == "fr" else read.isoformat()

    def zone(self, at: datetime) -> str:
        """Which time that is, such as CEST (UTC+02:00)."""
        here = at.astimezone(self._zone)
        return f"{here.tzname()} (UTC{here.isoformat()[-6:]})"

    def span(self, seconds: float) -> str:
        """How long that is, in its largest whole unit."""
        for unit, length in (("days", DAY_S), ("h", 3600), ("min", 60)):
            if seconds >= length:
                return self(f"moment_{unit}", int(seconds // length))
        return self("moment_s", int(max(seconds, 0)))
