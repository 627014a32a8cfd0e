"""`attestations.yml`: what people state of the rules that no command can check, with its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from kitsurvie.inventory.entries import Entry, Form, Reader, read, short
from kitsurvie.inventory.estate import Estate
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.model import Attestation, Member

# the month in which a member's council meets
SOON = timedelta(days=30)

# from the one that holds first to the one that holds last
SCOPES = ("member", "epci", "all")
FORM = Form(
    file="attestations.yml",
    heading="attestations",
    noun="attestation",
    keys={
        "rule": "Write one of those that `kitsurvie kit coverage` calls attested: GH-42/2017/39.",
        "member": "Write the SIREN of a member of the inventory, between quotes.",
        "epci": "Write the SIREN of an EPCI of the inventory, between quotes.",
        "all": "Write `all: true` for every member.",
        "by": "Say who states it: a name or a function.",
        "on": 'Write the day it was stated, between quotes: "2026-03-01".',
        "until": 'Write the last day it holds, between quotes: "2027-02-28".',
        "evidence": "Say what shows it: a document's reference, or a sentence.",
    },
    one_of=(SCOPES,),
)


class Standing(StrEnum):
    """How a rule stands at a member. `ending`: attested, for a month at most."""

    ATTESTED = "attested"
    ENDING = "ending"
    EXPIRED = "expired"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Attestations:
    """Every attestation of a workspace that is sound, in the order of the file."""

    listed: tuple[Attestation, ...] = ()

    def of(
        self, member: Member, rules: Iterable[str], today: date
    ) -> dict[str, tuple[Standing, Attestation | None]]:
        """How each rule to attest stands at a member, and by what: see `Standing`.

        The nearest attestation that holds counts (the member's own, its EPCI's, that for all), else
        the one that ended last.
        """
        found: dict[str, list[Attestation]] = {}
        for scope in SCOPES:
            for one in self.listed:
                if one.scope == scope and one.name in _names(member, scope):
                    found.setdefault(one.rule, []).append(one)
        return {rule: _standing(found.get(rule, []), today) for rule in rules}


def _names(member: Member, scope: str) -> tuple[str | None, ...]:
    return {"member": (member.siren,), "epci": (member.epci,), "all": ("",)}[scope]


def _standing(mine: Iterable[Attestation], today: date) -> tuple[Standing, Attestation | None]:
    listed = list(mine)
    for one in listed:
        if today <= one.until:
            soon = one.until - today <= SOON
            return (Standing.ENDING if soon else Standing.ATTESTED), one
    if not listed:
        return Standing.MISSING, None
    return Standing.EXPIRED, max(listed, key=lambda one: one.until)


def load(
    folder: Path,
    estate: Estate,
    rules: Callable[[], Mapping[str, str]] | None,
    today: date,
    longest: int,
) -> tuple[Attestations, list[Problem]]:
    """The attestations of an inventory folder, and everything that is wrong with them.

    `rules` says of each rule of the norms why it is not to be attested, nothing where it is; it is
    asked when there is an entry (None: the rules are not looked at). `longest` is the number of
    days that one may hold.
    """
    entries, reader = read(folder, FORM)
    sirens = {kind: estate.sirens(kind) for kind in ("member", "epci")}
    norms = rules() if rules is not None and entries else None
    first: dict[tuple[str, ...], str] = {}
    sound: list[Attestation] = []
    for entry in entries:
        before = len(reader.problems)
        scope, name = _whom(entry, sirens, reader)
        rule = _rule(entry, norms, reader)
        days = _days(entry, today, longest, reader)
        key = (scope, name, rule)
        if scope and rule and key in first:
            reader.wrong(
                entry.where,
                f"The same is attested for the same at {first[key]}.",
                "Keep the newer of the two: what was attested before is in the file's history.",
            )
        first.setdefault(key, entry.where)
        if entry.sound and len(reader.problems) == before and days is not None:
            sound.append(
                Attestation(
                    entry.where, rule, scope, name, entry.texts["by"], *days,
                    entry.texts["evidence"],
                )
            )  # fmt: skip
    return Attestations(tuple(sound)), [*reader.told(), *_ending(sound, today)]


def _whom(
    entry: Entry, sirens: Mapping[str, Mapping[str, frozenset[str]]], reader: Reader
) -> tuple[str, str]:
    for scope in SCOPES:
        name = entry.texts.get(scope)
        if name is None:
            continue
        if scope == "all":
            if name != "true":
                reader.wrong(entry.at(scope), f"all is {short(name)}.", key=scope)
            return scope, ""
        if name not in sirens[scope]:
            reader.no_such(entry, scope)
        return scope, name
    return "", ""


def _rule(entry: Entry, rules: Mapping[str, str] | None, reader: Reader) -> str:
    rule = entry.texts.get("rule", "")
    if not rule or rules is None:
        return rule
    if rule not in rules:
        reader.wrong(
            entry.at("rule"),
            f"There is no rule {short(rule)} in the norms.",
            reader.hint(rule, rules),
            "rule",
        )
    elif rules[rule]:
        reader.wrong(
            entry.at("rule"),
            f"{rule} is not to be attested: {rules[rule]}.",
            "Take this attestation out: a statement stands for nothing there.",
        )
    return rule


def _days(entry: Entry, today: date, longest: int, reader: Reader) -> tuple[date, date] | None:
    on, until = reader.day_of(entry, "on"), reader.day_of(entry, "until")
    if on is not None and on > today:
        reader.wrong(entry.at("on"), f"on is {on}, which is still to come.", key="on")
    if on is None or until is None:
        return None
    if until < on:
        reader.wrong(entry.at("until"), f"It ends on {until}, before {on}.", key="until")
    elif (until - on).days > longest:
        reader.wrong(
            entry.at("until"),
            f"It holds from {on} to {until}, longer than {longest} days.",
            "Write a nearer day and have it stated again then; attestation_days in kitsurvie.toml "
            "is the longest.",
        )
    return on, until


def _ending(sound: Iterable[Attestation], today: date) -> Iterator[Problem]:
    for one in sound:
        if one.until < today:
            yield Problem(
                one.where,
                f"What {one.by} attests of {one.rule} ended on {one.until}.",
                "Have it stated again and change the days, or take it out.",
                Severity.WARNING,
            )
        elif one.until - today <= SOON:
            yield Problem(
                one.where,
                f"What {one.by} attests of {one.rule} ends on {one.until}.",
                "Have it stated again and change the days.",
                Severity.WARNING,
            )
