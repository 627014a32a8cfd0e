"""The words of DESIGN section 3 as frozen dataclasses and enums. No I/O, stdlib only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any


class Profile(StrEnum):
    """What a machine is used for; decides which measures apply to it."""

    SERVER = "server"
    DESKTOP = "desktop"
    LAPTOP = "laptop"
    PUBLIC_ACCESS = "public_access"


class Step(StrEnum):
    """The four steps of the programme."""

    SECURE = "secure"
    TOOLS = "tools"
    SUPPORT = "support"
    SOBRIETY = "sobriety"


class Mode(StrEnum):
    """How far a measure goes on a host: look only, look and mend, or leave alone."""

    OBSERVE = "observe"
    ENFORCE = "enforce"
    OFF = "off"


class Action(StrEnum):
    """What is due of a measure on a host.

    A measure that is off is undone, or left in place and only forgotten, as its measure.yml says.
    """

    APPLY = "apply"
    UNDO = "undo"
    LEAVE = "leave"


class MemberKind(StrEnum):
    """The kinds of legal entity a syndicate serves."""

    COMMUNE = "commune"
    EPCI = "epci"
    CCAS = "ccas"
    DEPARTEMENT = "departement"
    SYNDICAT = "syndicat"
    OTHER = "other"


class Status(StrEnum):
    """What a verdict says."""

    COMPLIANT = "compliant"
    DRIFT = "drift"
    NOT_APPLICABLE = "not_applicable"
    WAIVED = "waived"
    UNREACHABLE = "unreachable"
    ERROR = "error"
    UNKNOWN = "unknown"


class Scope(StrEnum):
    """Who sets a variable, from the widest to the narrowest; any other group is a `group`."""

    DEFAULT = "default"
    ALL = "all"
    EPCI = "epci"
    GROUP = "group"
    MEMBER = "member"
    HOST = "host"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that a variable is given in one place.

    `name` is the group or host (the measure, for a default), `where` is `file:line`, or the file of
    the defaults. `UNKNOWN` is a value that Ansible gives and no line that was read explains.
    """

    scope: Scope
    name: str
    where: str
    value: Any


@dataclass(frozen=True, slots=True)
class Member:
    """A legal entity served by the syndicate.

    `siren` has 9 digits; `insee` is the 5-character code of the commune where it sits;
    `epci` is the SIREN of the EPCI whose group it is a child of, None for those outside any.
    """

    siren: str
    name: str
    kind: MemberKind
    insee: str
    epci: str | None


@dataclass(frozen=True, slots=True)
class Host:
    """One machine of the inventory, with every variable already resolved.

    `variables` holds plain data only (str, int, float, bool, None, list, dict); `settings` says of
    those of the kit and its measures where each is set, the last place being the one that holds.
    `jump` is `user@address[:port]` of the member's or EPCI's jump host, or None.
    """

    name: str
    address: str
    port: int
    user: str
    key_file: str | None
    member: str
    epci: str | None
    insee: str
    profile: Profile
    groups: tuple[str, ...]
    variables: Mapping[str, Any]
    jump: str | None = None
    settings: Mapping[str, tuple[Setting, ...]] = field(default_factory=dict)

    @property
    def site(self) -> str:
        """What it shares one narrow line with: `kit__site`, else its jump host, else nothing."""
        return str(self.variables.get("kit__site") or self.jump or "")


@dataclass(frozen=True, slots=True)
class Inventory:
    """Hosts by name, members and EPCI by SIREN; `digest` changes when any source file does."""

    hosts: Mapping[str, Host]
    members: Mapping[str, Member]
    epcis: Mapping[str, str]
    digest: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """A drift that somebody answers for until a day, that day included.

    `scope` says whom it is for (`host`, `hosts`, `member`, `epci`) and `name` which, as written;
    `hosts` are those it means today. `check` is empty for every check of the measure. `where` is
    `file:line`.
    """

    where: str
    scope: str
    name: str
    hosts: frozenset[str]
    measure: str
    check: str
    reason: str
    owner: str
    until: date
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What somebody states of a rule that no command can check, until a day, that day included.

    `scope` is `member`, `epci` or `all`, `name` the SIREN (empty for all); `evidence` is a text or
    the reference of a document. `where` is `file:line`.
    """

    where: str
    rule: str
    scope: str
    name: str
    by: str
    on: date
    until: date
    evidence: str


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people, in French and in English."""

    fr: str
    en: str


class Type(StrEnum):
    """What a variable may hold, in the words of Ansible's argument specifications."""

    STR = "str"
    PATH = "path"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    LIST = "list"
    DICT = "dict"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Option:
    """What a variable's value may be, as a measure's argument specification says it.

    `elements` is the type of a list's entries; `options` are those of a dictionary, or of each
    dictionary in a list.
    """

    type: Type = Type.RAW
    elements: Type = Type.RAW
    choices: tuple[Any, ...] = ()
    required: bool = False
    options: Mapping[str, Option] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """One unit of the kit: a role folder and what its `measure.yml` says of it.

    `defaults` are the role's defaults (names `<id>__<name>`), `options` what their values may be;
    `norms` are references such as `BP-028/v2.0/R33`; `footprint` maps disk_mb, memory_mb,
    cpu_s_per_day, network_kb_per_day to the figure measured, or is empty while it has not been
    measured; `budget` maps the same names to the most it may ever cost. `undo` says whether
    switching it off takes its work away (`tasks/absent.yml`) or leaves it in place. `applies` is
    False for what is verified only: a person mends it, and Ansible is never run for it. `reads` are
    patterns of the variables, other than its own, that decide what applying it does.
    """

    id: str
    step: Step
    title: Text
    why: Text
    changes: Text
    on_failure: Text
    fallback: Text
    absent: Text
    profiles: frozenset[Profile]
    norms: tuple[str, ...]
    lockout_risk: bool
    reboot: bool
    undo: bool
    path: Path
    defaults: Mapping[str, Any]
    footprint: Mapping[str, float] = field(default_factory=dict)
    budget: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    applies: bool = True
    reads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What one command answered on a host, verbatim.

    `rc` is the exit status (negative: ended by that signal). `flaw` is empty, or says why the
    answer is not whole: `timeout`, `truncated`, `deadline`, or `unlisted`: the host does not let an
    observer ask that.
    """

    rc: int
    stdout: bytes
    stderr: bytes
    flaw: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Every command a host was asked and what it answered."""

    host: str
    answers: Mapping[str, Answer]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the probe of a machine had counted at the end of a day, since it began to (both ISO).

    Counters: they only go up while `since` is the same. `joules` are measured, by method (`rapl`:
    the CPU packages alone, `battery`: all of it, while it ran on that); `modelled` are the joules
    of the whole machine (low, central, high). `seconds` are how long it was `powered` and
    `suspended`, and how long each method counted. What there is no data of is not there, or None.
    `machine` is `physical`, `virtual` or `container`; `last_used` is the day of the last session
    where use is collected.
    """

    host: str
    day: str
    since: str
    machine: str
    chassis: str
    joules: Mapping[str, float] = field(default_factory=dict)
    modelled: tuple[float, float, float] | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    last_used: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check says of one host.

    `found` and `expected` are the two sides of the check's assertion, as text; `commands` are
    the ones whose answers the check read, in order; `message` explains what is neither.
    """

    measure: str
    check: str
    status: Status
    found: str = ""
    expected: str = ""
    commands: tuple[str, ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One host x measure of the plan: what to judge there, and whether it may be mended.

    `params` are the measure's variables as resolved for that host; `stamp` is the digest that
    the host carries once the measure was applied as it is today; `reason` is why it is off, `until`
    the last day it is (ISO): a mode other than `off` beside it means that this day is past;
    `applies` is False where there is nothing for Ansible to mend; `undo` says whether switching it
    off takes its work away.
    """

    host: str
    measure: str
    mode: Mode
    params: Mapping[str, Any]
    stamp: str
    reason: str = ""
    until: str = ""
    applies: bool = True
    undo: bool = False
