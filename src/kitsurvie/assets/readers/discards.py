"""A row of a register of what was discarded: what it is, since when, and where it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from hashlib import sha256

from kitsurvie.assets.folding import fold
from kitsurvie.assets.readers import dates, kinds
from kitsurvie.assets.readers.devices import Bad
from kitsurvie.assets.readers.settings import Settings
from kitsurvie.assets.record import Discard, Origin, Outcome

_WORDS: Mapping[Outcome, tuple[str, ...]] = {
    Outcome.STOCK: ("en stock", "stocke", "a ceder", "en attente", "pending"),
    Outcome.CEDED: ("cede", "cession", "cession a une personne publique"),
    Outcome.DONATED: ("don", "donne", "given"),
    Outcome.SOLD: ("vendu", "vente"),
    Outcome.REUSE: ("reemploi", "reutilisation", "reprise pour reemploi", "reconditionnement"),
    Outcome.RECYCLING: ("recyclage", "recycle", "recycled", "deee", "weee"),
    Outcome.DESTROYED: ("detruit", "destruction", "destroy"),
}
_OUTCOMES = {
    fold(word): outcome for outcome, words in _WORDS.items() for word in (outcome.value, *words)
}
_REASSIGNED = {"reaffecte", "reaffectation", "reassigned", "prete", "pret", "lent", "loan"}
_YES, _NO = {"oui", "yes", "vrai", "true", "1"}, {"non", "no", "faux", "false", "0"}


def discard(settings: Settings) -> Callable[[Mapping[str, str], Origin], Discard]:
    """What makes a discarded thing of a row; it raises Bad for one that cannot be taken."""

    def made(row: Mapping[str, str], origin: Origin) -> Discard:
        get = row.get
        if not (get("id") or get("serial") or get("name")):
            raise Bad("has neither number, serial number nor name: two alike would be one.")
        outcome = _outcome(get("outcome", ""))
        discarded = _day(row, "discarded", settings)
        if discarded is None:
            raise Bad("does not say on which day it was discarded.")
        left = _day(row, "left", settings)
        if outcome is not Outcome.STOCK and left is None:
            raise Bad("does not say on which day it left; what is still there is in stock.")
        if outcome is Outcome.STOCK and left is not None:
            raise Bad(f"is in stock, and left on {left}: one of the two is not so.")
        if left is not None and left < discarded:
            raise Bad(f"left on {left}, before it was discarded on {discarded}; mend the dates.")
        place = settings.places.find(get("entity", "") or settings.entity)
        if place.member is None:
            raise Bad(f"is of no member: {place.reason or 'it names none.'}")
        maker, model = get("maker", ""), get("model", "")
        return Discard(
            origin,
            get("id", "") or _key(row),
            place.member,
            discarded,
            outcome,
            register=settings.register,
            commune=place.commune,
            kind=kinds.of_words(get("kind", "")),
            name=get("name", ""),
            maker=maker,
            model=model,
            serial=get("serial", ""),
            bought=_day(row, "bought", settings),
            left=left,
            recipient=get("recipient", ""),
            proof=get("proof", ""),
            excluded=get("excluded", ""),
            small=_small(get("small", "")),
        )

    return made


def _key(row: Mapping[str, str]) -> str:
    telling = "\x1f".join(row.get(name, "") for name in ("entity", "serial", "name", "model"))
    return f"row:{sha256(telling.encode('utf-8', 'replace')).hexdigest()[:20]}"


def _outcome(said: str) -> Outcome:
    word = fold(said)
    if word in _REASSIGNED:
        raise Bad("is lent or reassigned, which is not discarded: it does not count.")
    if word not in _OUTCOMES:
        raise Bad(f"went where nobody knows; say one of {', '.join(Outcome)}.")
    return _OUTCOMES[word]


def _day(row: Mapping[str, str], name: str, settings: Settings) -> date | None:
    try:
        found = dates.day(row.get(name, ""))
    except dates.NoDate as error:
        raise Bad(f"cannot be taken: its {name} {error}.") from error
    if found is not None and settings.is_future(found):
        raise Bad(f"has {name} on {found}, which is to come; mend the date.")
    return found


def _small(said: str) -> bool | None:
    word = fold(said)
    if word and word not in _YES | _NO:
        raise Bad("says neither yes nor no of being small.")
    return word in _YES if word else None
