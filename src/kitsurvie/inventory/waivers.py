"""`waivers.yml`: the drifts that somebody answers for, each with its reason and its end.

A waiver changes how a drift is shown and counted, until its end; it changes nothing of what is
recorded. The day after, the drift is one again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from kitsurvie.errors import UsageError
from kitsurvie.inventory import selection
from kitsurvie.inventory.entries import Entry, Form, Reader, read, short
from kitsurvie.inventory.estate import Estate
from kitsurvie.inventory.problem import Problem, Severity
from kitsurvie.model import Measure, Profile, Status, Verdict, Waiver

# two weeks: time to mend it, or to ask for more
SOON = timedelta(days=14)

# from the one that holds first to the one that holds last
SCOPES = ("host", "hosts", "member", "epci")
FORM = Form(
    file="waivers.yml",
    heading="waivers",
    noun="waiver",
    keys={
        "host": "Write the name of a host, as `kitsurvie inventory show` lists it.",
        "hosts": "Write an Ansible host pattern, such as 'epci_200066389:&*-pc-*'.",
        "member": "Write the SIREN of a member of the inventory, between quotes.",
        "epci": "Write the SIREN of an EPCI of the inventory, between quotes.",
        "measure": "Write the name of a measure, as `kitsurvie kit list` shows it.",
        "check": "Write measure/check, as reports name it: updates/test_the_daily_timers_run.",
        "reason": "Say why this drift is accepted: every report shows it.",
        "owner": "Say who answers for it until then: a name or a function.",
        "until": 'Write the last day it is waived, between quotes: "2027-01-31".',
        "ticket": "Write the reference of a ticket on one line, or leave the key out.",
    },
    one_of=(SCOPES, ("measure", "check")),
    optional=("ticket",),
)


@dataclass(frozen=True, slots=True)
class Waivers:
    """Every waiver of a workspace that is sound, in the order of the file."""

    listed: tuple[Waiver, ...] = ()

    def of(self, host: str) -> tuple[Waiver, ...]:
        """Those that mean a host, the nearest to it first."""
        mine = [waiver for waiver in self.listed if host in waiver.hosts]
        return tuple(sorted(mine, key=lambda waiver: SCOPES.index(waiver.scope)))

    def ending(
        self, today: date, hosts: Collection[str] | None = None, within: timedelta = SOON
    ) -> tuple[Waiver, ...]:
        """Those that end within so many days, today included, soonest first.

        With `hosts`, those alone that mean one of them.
        """
        return tuple(
            sorted(
                (
                    waiver
                    for waiver in self.listed
                    if today <= waiver.until <= today + within
                    and (hosts is None or not waiver.hosts.isdisjoint(hosts))
                ),
                key=lambda waiver: waiver.until,
            )
        )


def covering(waivers: Iterable[Waiver], measure: str, check: str, today: date) -> Waiver | None:
    """Of the waivers of one host the one that speaks of a check: see `holds` for whether it does.

    The nearest that holds, else the one that ended last. A waiver of `test_x` means every case of
    a check `test_x[case]`.
    """
    plain = check.partition("[")[0]
    mine = [w for w in waivers if w.measure == measure and w.check in ("", check, plain)]
    held = next((waiver for waiver in mine if holds(waiver, today)), None)
    return held or max(mine, key=lambda waiver: waiver.until, default=None)


def under(waivers: Iterable[Waiver], verdict: Verdict, today: date) -> Waiver | None:
    """Of the waivers of one host the one that a verdict is waived under: only a drift ever is."""
    if verdict.status is not Status.DRIFT:
        return None
    one = covering(waivers, verdict.measure, verdict.check, today)
    return one if one is not None and holds(one, today) else None


def holds(waiver: Waiver, today: date) -> bool:
    """Whether its last day is not past."""
    return today <= waiver.until


def load(
    folder: Path,
    estate: Estate,
    measures: Mapping[str, Measure],
    checks: Callable[[str], Collection[str]] | None,
    today: date,
    furthest: int,
) -> tuple[Waivers, list[Problem]]:
    """The waivers of an inventory folder, and everything that is wrong with them.

    `checks` gives the names of a measure's checks (None: they are not looked at), `furthest` is the
    number of days from today after which none may end.
    """
    entries, reader = read(folder, FORM)
    sirens = {kind: estate.sirens(kind) for kind in ("member", "epci")}
    first: dict[tuple[str, ...], str] = {}
    sound: list[Waiver] = []
    for entry in entries:
        before = len(reader.problems)
        scope, name, hosts = _whom(entry, estate, sirens, reader)
        measure, check = _what(entry, measures, checks, estate, reader)
        until = reader.day_of(entry, "until")
        if until is not None and (until - today).days > furthest:
            reader.wrong(
                entry.at("until"),
                f"until is {until}, more than {furthest} days from today.",
                "Write a nearer day and decide anew then; waiver_days in kitsurvie.toml is the "
                "furthest.",
            )
        if hosts and measure:
            _meets(entry, hosts, measures.get(measure), estate, reader)
        key = (scope, name, measure, check)
        if all(key[:3]) and key in first:
            reader.wrong(
                entry.where,
                f"The same is waived for the same at {first[key]}.",
                "Keep one of the two.",
            )
        first.setdefault(key, entry.where)
        if entry.sound and len(reader.problems) == before and until is not None:
            sound.append(
                Waiver(
                    entry.where, scope, name, hosts, measure, check, entry.texts["reason"],
                    entry.texts["owner"], until, entry.texts.get("ticket", ""),
                )
            )  # fmt: skip
    return Waivers(tuple(sound)), [*reader.told(), *_ending(sound, today)]


def _whom(
    entry: Entry, estate: Estate, sirens: Mapping[str, Mapping[str, frozenset[str]]], reader: Reader
) -> tuple[str, str, frozenset[str]]:
    """The scope, its name as written, and the hosts it means; no host when it means none."""
    nobody: frozenset[str] = frozenset()
    for scope in SCOPES:
        name = entry.texts.get(scope)
        if name is None:
            continue
        where = entry.at(scope)
        if scope == "host":
            if name in estate.groups:
                return scope, name, frozenset({name})
            reader.wrong(
                where,
                f"The inventory holds no host named {short(name)}.",
                reader.hint(name, estate.groups),
                scope,
            )
        elif scope == "hosts":
            try:
                return scope, name, selection.match(estate.groups, name, "hosts")
            except UsageError as error:
                reader.wrong(where, error.what, error.remedy)
        elif name in sirens[scope]:
            return scope, name, sirens[scope][name]
        else:
            reader.no_such(entry, scope)
        return scope, name, nobody
    return "", "", nobody


def _what(
    entry: Entry,
    measures: Mapping[str, Measure],
    checks: Callable[[str], Collection[str]] | None,
    estate: Estate,
    reader: Reader,
) -> tuple[str, str]:
    """The measure and the check that are waived; nothing when there is no such thing."""
    key = "check" if "check" in entry.texts else "measure"
    text = entry.texts.get(key)
    if text is None:
        return "", ""
    where = entry.at(key)
    measure, slash, check = text.partition("/") if key == "check" else (text, "", "")
    # what is judged of the machine itself belongs to no measure
    if measure not in measures and not (measure == "kit" and slash):
        reader.wrong(
            where,
            f"There is no measure {short(measure)}.",
            reader.hint(measure, measures),
            key,
        )
        return "", ""
    if measure in estate.not_negotiable:
        reader.wrong(
            where,
            f"The syndicate does not negotiate {measure}, and this waives it.",
            "Take this waiver out, or ask the syndicate to take the measure out of "
            "kit__not_negotiable.",
        )
    if key == "check" and checks is not None:
        names = set(checks(measure))
        names |= {name.partition("[")[0] for name in names}
        if check not in names:
            reader.wrong(
                where,
                f"The measure {measure} has no check {short(check)}.",
                reader.hint(check, names) or f"It has: {', '.join(sorted(names)[:20])}.",
            )
            return "", ""
    return measure, check


def _meets(
    entry: Entry, hosts: frozenset[str], measure: Measure | None, estate: Estate, reader: Reader
) -> None:
    """A waiver of a measure that none of its machines has matches nothing."""
    if measure is None:
        return
    others = {profile.value for profile in Profile if profile not in measure.profiles}
    if all(estate.profiles[host] in others for host in hosts):
        theirs = ", ".join(sorted(profile.value for profile in measure.profiles))
        reader.wrong(
            entry.where,
            f"This waiver matches nothing: {measure.id} is for {theirs}, and none of its machines "
            "is one.",
            "Mend whom it is for or the measure, or take it out.",
        )


def _ending(waivers: Iterable[Waiver], today: date) -> Iterator[Problem]:
    for waiver in waivers:
        if not holds(waiver, today):
            yield Problem(
                waiver.where,
                f"The waiver of {subject(waiver)} for {whom(waiver)} ended on {waiver.until}: its "
                "drift counts again.",
                "Take it out, or decide anew and change the day.",
                Severity.WARNING,
            )
        elif waiver.until - today <= SOON:
            yield Problem(
                waiver.where,
                f"The waiver of {subject(waiver)} for {whom(waiver)} ends on {waiver.until}; the "
                "day after, its drift counts again.",
                f"Ask {waiver.owner} now whether it is mended by then, or decide anew and change "
                "the day.",
                Severity.WARNING,
            )


def subject(waiver: Waiver) -> str:
    """What is waived, as a report names it."""
    return f"{waiver.measure}/{waiver.check}" if waiver.check else waiver.measure


def whom(waiver: Waiver) -> str:
    """Whom it is for, in words."""
    kind = {"host": "", "hosts": "the hosts ", "member": "the member ", "epci": "the EPCI "}
    return f"{kind[waiver.scope]}{waiver.name}"
