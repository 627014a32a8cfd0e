"""What `assets health` says on a terminal: one screen, then the machines, the worst first."""

from __future__ import annotations

import textwrap
from collections import Counter

from rich.table import Table

from kitsurvie.assets.devices import Device
from kitsurvie.assets.finding import TITLES, URGENCY, Check, Finding
from kitsurvie.assets.record import Kind
from kitsurvie.cli import output
from kitsurvie.cli.assets import health_words as words
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.health_words import said
from kitsurvie.cli.assets.judged import STATES, Health, Judged, by_state, chosen
from kitsurvie.cli.language import Language
from kitsurvie.model import Status

MACHINES_SHOWN = 10
MEMBERS_SHOWN = 6


def show(found: Health, estate: Estate, state: Status | None, language: Language) -> None:
    """How many, by check, what to do first and where; then the machines in a state (drift)."""
    if not found.judged:
        output.say(said("none", language))
        return
    drifting = [one for one in found.judged if one.drifts]
    blind = sum(one.blind for one in found.judged)
    _say(
        said(
            "judged_blind" if blind else "judged", language,
            machines=words.machines(len(found.judged), language),
            day=words.day(found.today, language), drift=len(drifting), blind=blind,
        )
    )  # fmt: skip
    if found.put_away:
        _say(said("put_away", language, machines=words.machines(found.put_away, language)))
    _checks(found, language)
    if drifting:
        _first(drifting, estate, language)
    if blind:
        _say("")
        _say(said("blind", language, machines=words.machines(blind, language)))
    if drifting or state is not None:
        _machines(found, estate, state or Status.DRIFT, language)


def one(
    device: Device, found: Health, estate: Estate, state: Status | None, language: Language
) -> None:
    """Everything that is said of one machine, a check a line, with the day of the inventory."""
    name = _name(device)
    if not found.judged:
        _say(said("not_judged", language, name=name))
        return
    kind = _kind(device.kind, language)
    _say(f"{name}  {device.id}  {kind}  {device.maker} {device.model}".rstrip())
    _say(f"{estate.member(device.member)}")
    table = _table()
    table.add_column(said("state", language), no_wrap=True)
    table.add_column(said("check", language), no_wrap=True)
    table.add_column(said("found", language), overflow="fold")
    for finding in chosen(found.judged[0], state):
        cells = (
            getattr(words.STATES[finding.status], language),
            getattr(TITLES[finding.check], language),
            _sentence(finding, language),
        )
        table.add_row(*map(output.printable, cells))
    output.stdout().print(table)


def _checks(found: Health, language: Language) -> None:
    counts = by_state(found.judged)
    table = _table()
    table.add_column(said("check", language), no_wrap=True)
    for state in STATES:
        table.add_column(getattr(words.STATES[state], language), justify="right", no_wrap=True)
    for check in URGENCY:
        numbers = [counts[check, state] for state in STATES]
        if sum(numbers):
            title = getattr(TITLES[check], language)
            table.add_row(title, *(str(number) if number else "-" for number in numbers))
    output.say("")
    output.stdout().print(table)


def _first(drifting: list[Judged], estate: Estate, language: Language) -> None:
    output.say("")
    output.say(said("first", language))
    number = 0
    for check in URGENCY:
        those = [one for one in drifting if any(f.check is check for f in one.drifts)]
        if not those:
            continue
        number += 1
        many = _many(those, language)
        _say(f"{number}. {many} - {getattr(words.TODO[check], language)}", indent=3)
    where = Counter(one.device.member for one in drifting)
    named = [f"{estate.member(siren)} {n}" for siren, n in where.most_common(MEMBERS_SHOWN)]
    if len(where) > MEMBERS_SHOWN:
        named.append(said("and_more", language, n=len(where) - MEMBERS_SHOWN))
    _say(said("where", language, members=", ".join(named)))


def _many(those: list[Judged], language: Language) -> str:
    """So many machines, and how many of them everybody depends on."""
    servers = sum(one.device.kind is Kind.SERVER for one in those)
    named = words.servers(servers, language)
    if servers == len(those):
        return named
    among = said("servers", language, servers=named)
    return words.machines(len(those), language) + (f" ({among})" if servers else "")


def _machines(found: Health, estate: Estate, state: Status, language: Language) -> None:
    listed = [(one, those) for one in found.judged if (those := chosen(one, state))]
    if state is Status.UNKNOWN:  # the blind spots first
        listed.sort(key=lambda pair: -len(pair[1]))
    output.say("")
    if not listed:
        output.say(said("nothing", language))
        return
    title = (
        said("worst", language)
        if state is Status.DRIFT
        else str(getattr(words.STATES[state], language)).capitalize()
    )
    if len({finding.check for one in found.judged for finding in one.findings}) == 1:
        output.say(said("day", language, title=title))
        for one, those in listed[:MACHINES_SHOWN]:
            kind = _kind(one.device.kind, language)
            _say(f"{estate.member(one.device.member)}  {_name(one.device)}  {kind}")
            _say(f"  {_sentence(those[0], language)}", indent=2)
    else:
        output.say(title)
        output.stdout().print(_listed(listed[:MACHINES_SHOWN], estate, state, language))
    if len(listed) > MACHINES_SHOWN:
        output.say(said("rest", language, n=len(listed) - MACHINES_SHOWN))
    output.say(said("one", language))


def _listed(
    listed: list[tuple[Judged, list[Finding]]], estate: Estate, state: Status, language: Language
) -> Table:
    table = _table()
    table.add_column(said("member", language), overflow="ellipsis", no_wrap=True, max_width=24)
    table.add_column(said("machine", language), overflow="fold", min_width=12)
    table.add_column(said("kind", language), no_wrap=True)
    table.add_column(said("what", language), overflow="fold", ratio=1)
    for one, those in listed:
        what = ", ".join(_word(finding.check, state, language) for finding in _urgent(those))
        kind = _kind(one.device.kind, language)
        cells = (estate.member(one.device.member), _name(one.device), kind, what)
        table.add_row(*map(output.printable, cells))
    return table


def _name(device: Device) -> str:
    """What a machine is asked for by: what is written on it, else its id."""
    return device.name or device.serial or device.id


def _urgent(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: URGENCY.index(one.check))


def _word(check: Check, state: Status, language: Language) -> str:
    known = words.DRIFTS if state is Status.DRIFT else words.CHECKS
    return str(getattr(known[check], language))


def _sentence(finding: Finding, language: Language) -> str:
    """What is said, with the day of the inventory where the sentence is of a day that is past."""
    text = str(getattr(finding.text, language))
    if finding.seen is None or finding.check is Check.INVENTORY_FRESH:
        return text
    return f"{text} [{words.day(finding.seen, language)}]"


def _kind(kind: Kind, language: Language) -> str:
    return str(getattr(words.KINDS.get(kind, words.KINDS[Kind.UNKNOWN]), language))


def _say(text: str, indent: int = 0) -> None:
    """One paragraph, wrapped to the terminal; nothing in it can drive one."""
    width = output.stdout().width
    lines = textwrap.wrap(
        output.printable(text), width, subsequent_indent=" " * indent, break_on_hyphens=False
    )
    for line in lines or [""]:
        output.say(line)


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="bold", show_header=True)
