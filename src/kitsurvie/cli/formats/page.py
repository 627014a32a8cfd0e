"""The morning page: one HTML file that needs nothing else, no network and no script."""

from __future__ import annotations

import html
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from kitsurvie.cli.formats import morning, reading
from kitsurvie.cli.formats.reading import Document, Row
from kitsurvie.cli.formats.words import Language, Speech
from kitsurvie.model import Measure

# a value is cut there: the evidence, whose command stands beside it, has all of it
LONGEST = 400
# what all detailed verdicts may weigh together, in bytes; the others are counted by measure
MOST_DETAILS = 2_500_000
# what a verdict weighs besides its values
_FRAME = 450
FIRST_SHOWN = 7
WORST_SHOWN = 6
NAMES_SHOWN = 4
CHANGES_SHOWN = 300
OLD_S = 36 * 3600

TONES = {
    "failed": "bad", "error": "bad", "unknown": "bad", "unreachable": "bad", "drift": "warn",
    "held": "warn", "pending": "warn", "unseen": "warn", "absent": "quiet", "waived": "info",
    "not_applicable": "quiet", "compliant": "good",
}  # fmt: skip
# what is told of changes, and under which names `compliance diff --json` has it
CHANGES = {
    "drifted": ("new_drift",),
    "counts_again": ("waivers_over",),
    "in_error": ("newly_in_error", "new_error"),
    "answer_over": ("acknowledgements_over",),
    "newly_absent": ("newly_absent",),
    "back": ("back",),
    "came": ("came",),
    "newly_waived": ("newly_waived",),
    "mended": ("mended",),
}
CHANGE_TONES = {
    "drifted": "warn", "counts_again": "warn", "in_error": "bad", "answer_over": "warn",
    "newly_absent": "quiet", "came": "info", "newly_waived": "info",
}  # fmt: skip
# told apart without colour too
SIGNS = {"bad": "✕", "warn": "▲", "info": "◆", "quiet": "○", "good": "✓"}


def described(measures: Iterable[Measure]) -> dict[str, dict[str, Any]]:
    """What the page says of measures: the title in both languages, whether Ansible applies it."""
    return {
        one.id: {"fr": one.title.fr, "en": one.title.en, "applies": one.applies} for one in measures
    }


def render(
    document: Document,
    language: Language,
    measures: Mapping[str, Mapping[str, Any]],
    changes: Mapping[str, Any] | None = None,
    *,
    now: float | None = None,
    zone: tzinfo | None = None,
) -> bytes:
    """The run as a page. `measures` is what `described` gives; `now` the moment it is written.

    `changes` is what `compliance diff` says of an earlier run, as its document has it; None: the
    page says nothing of it.
    """
    written = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    page = _Page(document, Speech(language, zone), measures, changes, written)
    return _template().render(page.everything()).encode("utf-8", "backslashreplace")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


class _Page:
    """What the template is given: names and sentences, ready to be escaped."""

    def __init__(
        self,
        document: Document,
        say: Speech,
        measures: Mapping[str, Mapping[str, Any]],
        changes: Mapping[str, Any] | None,
        written: datetime,
    ) -> None:
        self.document = document
        self.say = say
        self.measures = measures
        self.changes = changes
        self.written = written
        self.began = reading.moment(document["started"]) or written
        self.ended = reading.moment(document["ended"]) or self.began
        self.applies = {name: bool(one["applies"]) for name, one in measures.items()}
        self.members = morning.members(document)
        self.drifting = morning.drifting(document, changes)
        self.hosts = {str(host["name"]): host for host in document["hosts"]}
        self.detailed = self._choose()

    def everything(self) -> dict[str, Any]:
        """The whole page."""
        say, hosts = self.say, self.document["hosts"]
        age = (self.written - self.ended).total_seconds()
        shown = [one for one in self.members if self._worth(one)]
        well = [one.name for one in self.members if not self._worth(one)]
        return {
            "say": say,
            "lang": say.language,
            "run": self.document["run"],
            "began": say.moment(self.began),
            "took": say(
                "took", say.hour(self.ended), say.span(reading.seconds(self.document))
            ),
            "size": [say("members", len(self.members)), say("hosts", len(hosts))],
            "old": say("old", say.span(age)) if age > OLD_S else "",
            "other": ""
            if self.document["command"] == "compliance"
            else say("other", self.document["command"]),
            "notes": [reading.text(note, 2000) for note in self.document.get("notes", ())],
            "tiles": [self._tile(state, n) for state, n in morning.counts(self.document).items()],
            "first": list(self._first()),
            "first_shown": FIRST_SHOWN,
            "changes": self._changes(),
            "ending": [self._ending(one) for one in self.document.get("waivers_ending") or ()],
            "worst": [self._member(one) for one in sorted(self.members, key=lambda m: m.weight)
                      if one.ill][:WORST_SHOWN],
            "by_measure": [self._measure(one) for one in self.drifting],
            "with_new": self.changes is not None,
            "away": [self._away(host) for host in self._absent()],
            "details": [self._member(one) | {"hosts": self._hosts(one)} for one in shown],
            "well": well,
            "made": say("made", say.moment(self.written), say.zone(self.written)),
        }  # fmt: skip

    # -- the first screen ---------------------------------------------------------------------

    def _tile(self, state: str, number: int) -> dict[str, Any]:
        tone = TONES.get(state, "bad")
        label = self.say.named("stand", state, number)
        away = state in reading.AWAY
        to = "" if state in {"compliant", "not_applicable"} else "#away" if away else "#details"
        return {"count": number, "label": label, "tone": tone, "sign": SIGNS[tone], "to": to}

    def _first(self) -> Iterator[dict[str, Any]]:
        """What to do, the most pressing first: silence, what could not be judged, then drifts."""
        say = self.say
        by_state: dict[str, list[Mapping[str, Any]]] = {}
        for host in self.document["hosts"]:
            state = reading.standing(host)
            kind = "broken" if state in morning.BROKEN else state
            by_state.setdefault(kind, []).append(host)
        if silent := by_state.get("unreachable"):
            sites = morning.silent_members(self.document)
            told = say("silent_sites", self._some(sites)) if sites else ""
            yield self._trouble("silent", silent, told)
        for kind in ("broken", "failed"):
            if hosts := by_state.get(kind):
                yield self._trouble(kind, hosts, reading.line(hosts[0].get("detail") or "", 120))
        for one in sorted(self.drifting, key=lambda one: one.weight):
            yield {"tone": "warn", "sign": SIGNS["warn"], **self._measure(one)}

    def _trouble(self, kind: str, hosts: Sequence[Mapping[str, Any]], told: str) -> dict[str, Any]:
        return {
            "tone": "bad",
            "sign": SIGNS["bad"],
            "title": self.say(kind),
            "id": "",
            "told": told,
            "where": self._where([str(h["name"]) for h in hosts], self._members_of(hosts)),
            "new": 0,
            "command": f"kitsurvie deploy{morning.limit([str(h['name']) for h in hosts])}"
            if kind == "failed"
            else morning.look_again(hosts, int(self.document["run"])),
        }

    def _where(self, hosts: Sequence[str], members: Iterable[str]) -> str:
        names = list(dict.fromkeys(members))
        few = ", ".join(names) if len(names) <= NAMES_SHOWN else self.say("members", len(names))
        return f"{self.say('hosts', len(hosts))}, {few}"

    def _members_of(self, hosts: Iterable[Mapping[str, Any]]) -> list[str]:
        return [reading.line(host["member"]["name"]) for host in hosts]

    def _some(self, names: Sequence[str], most: int = NAMES_SHOWN) -> str:
        left = len(names) - most
        said = ", ".join(names[:most])
        return f"{said} {self.say('and_more', left)}" if left > 0 else said

    def _title(self, measure: str) -> str:
        if measure == "kit":
            return self.say("kit")
        known = self.measures.get(measure)
        return str(known[self.say.language]) if known else reading.line(measure)

    def _measure(self, one: morning.Drifting) -> dict[str, Any]:
        applied = self.applies.get(one.measure)
        told = ""
        if applied is False:
            told = self.say("by_hand")
        elif one.measure != "kit" and not one.enforced:
            told = self.say("observed")
        # a test's name is a sentence
        checks = [
            f"{reading.line(name).removeprefix('test_').replace('_', ' ')} ({n})"
            for name, n in one.checks.most_common()
        ]
        return {
            "title": self._title(one.measure),
            "id": "" if one.measure == "kit" else reading.line(one.measure),
            "told": told,
            "where": self._where(list(one.hosts), one.members.values()),
            "hosts": len(one.hosts),
            "members": len(one.members),
            "new": one.new,
            "checks": self._some(checks, 3),
            "command": morning.command(one, self.applies),
            "mends": morning.mends(one, self.applies),
        }

    # -- what is new --------------------------------------------------------------------------

    def _changes(self) -> dict[str, Any] | None:
        if self.changes is None:
            return None
        since = self.changes.get("from") or {}
        at = reading.moment(since.get("started"))
        kinds = []
        for kind, keys in CHANGES.items():
            items = [one for key in keys for one in self.changes.get(key) or ()]
            if items:
                kinds.append(self._change(kind, items))
        return {
            "head": self.say("new", since.get("run", "?")),
            "at": self.say("new_at", self.say.moment(at, year=False)) if at else "",
            "kinds": kinds,
        }

    def _change(self, kind: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        measures = Counter(str(one["measure"]) for one in items if one.get("measure"))
        if measures:
            names = [f"{reading.line(name)} ({n})" for name, n in measures.most_common()]
        else:
            names = [reading.line(one["host"]) for one in items]
        tone = CHANGE_TONES.get(kind, "good")
        return {
            "label": self.say(kind),
            "count": len(items),
            "tone": tone,
            "sign": SIGNS[tone],
            "told": self._some(names, 4),
            "items": [self._changed(one) for one in items[:CHANGES_SHOWN]],
            "left": max(len(items) - CHANGES_SHOWN, 0),
        }

    def _changed(self, one: Mapping[str, Any]) -> str:
        host = self.hosts.get(str(one["host"]))
        member = f" ({reading.line(host['member']['name'])})" if host else ""
        said = reading.line(f"{one['host']}{member}", 200)
        if one.get("measure"):
            said = self.say("of", said, reading.line(f"{one['measure']}/{one['check']}", 200))
        times = int(one.get("times_lately") or 0)
        return f"{said}, {self.say('again', times)}" if times > 1 else said

    def _ending(self, one: Mapping[str, Any]) -> str:
        what = f"{one['measure']}/{one['check']}" if one.get("check") else str(one["measure"])
        whom = str(one.get("for") or "")
        names = {member.siren: member.name for member in self.members}
        until = self.say.date(one["until"])
        parts = (what, names.get(whom, whom), until, one.get("owner", ""))
        return self.say("ends", *(reading.line(part, 120) for part in parts))

    # -- absent -------------------------------------------------------------------------------

    def _absent(self) -> list[Mapping[str, Any]]:
        away = [h for h in self.document["hosts"] if reading.standing(h) in reading.AWAY]
        return sorted(
            away,
            key=lambda h: (
                reading.rank(reading.standing(h)),
                str((h.get("last_seen") or {}).get("at") or ""),
                morning.alphabetical(str(h["member"]["name"])),
                h["name"],
            ),
        )

    def _away(self, host: Mapping[str, Any]) -> dict[str, Any]:
        last = host.get("last_seen") or {}
        at = reading.moment(last.get("at")) or reading.moment(host.get("seen"))
        drifts = sum(c.get("status") in reading.WRONG for c in last.get("checks") or ())
        return {
            "name": reading.line(host["name"]),
            "member": reading.line(host["member"]["name"]),
            "profile": self.say.named("profile", str(host["profile"])),
            "state": self.say.named("stand", reading.standing(host)),
            "tone": TONES[reading.standing(host)],
            "sign": SIGNS[TONES[reading.standing(host)]],
            "last": f"{self.say.short(at)} ({self._ago(at)})" if at else self.say("never"),
            "then": self.say("then_drifts", drifts) if drifts else "",
        }

    def _ago(self, at: datetime) -> str:
        """How long before the run that was: what a page says hours later must still be true."""
        return self.say("before", self.say.span((self.began - at).total_seconds()))

    # -- member by member ---------------------------------------------------------------------

    def _worth(self, one: morning.Standing) -> bool:
        return any(self._to_read(host) for host in one.hosts)

    def _to_read(self, host: Mapping[str, Any]) -> bool:
        return morning.ill(host) or any(
            row.status not in {"compliant", "not_applicable"} for row in reading.rows(host)
        )

    def _member(self, one: morning.Standing) -> dict[str, Any]:
        return {
            "anchor": f"m{one.siren}" if one.siren.isdigit() else "",
            "name": one.name,
            "told": self.say("hosts_of", one.ill, len(one.hosts))
            + (f", {self.say('drifts', one.drifts)}" if one.drifts else ""),
            "ill": one.ill,
        }

    def _choose(self) -> set[str]:
        """The hosts whose verdicts are shown one by one, while the page stays light."""
        weight = 0
        chosen: set[str] = set()
        for one in sorted(self.members, key=lambda member: member.weight):
            for host in one.hosts:
                weight += sum(_weight(row) for row in reading.rows(host))
                if weight > MOST_DETAILS:
                    return chosen
                chosen.add(str(host["name"]))
        return chosen

    def _hosts(self, one: morning.Standing) -> list[dict[str, Any]]:
        shown = [host for host in one.hosts if self._to_read(host)]
        shown.sort(key=lambda host: (reading.rank(reading.standing(host)), host["name"]))
        return [self._host(host) for host in shown]

    def _host(self, host: Mapping[str, Any]) -> dict[str, Any]:
        found = list(reading.rows(host))
        counts = Counter(row.status for row in found)
        told = [self.say(s, counts[s]) for s in ("compliant", "not_applicable") if counts[s]]
        drifts = [self.say("drifts", counts["drift"])] if counts["drift"] else []
        state = reading.standing(host)
        tone = TONES.get(state, "bad")
        seen = reading.moment(host.get("seen"))
        kept = [row for row in found if row.status not in {"compliant", "not_applicable"}]
        whole = str(host["name"]) in self.detailed
        looked = "seen_own" if host.get("own_look") else "seen"
        return {
            "name": reading.line(host["name"]),
            "profile": self.say.named("profile", str(host["profile"])),
            "state": self.say.named("stand", state),
            "tone": tone,
            "sign": SIGNS[tone],
            "seen": self.say(looked, self.say.short(seen)) if seen else "",
            "detail": reading.text(host.get("detail") or "", LONGEST),
            "failures": list(self._failures(host)),
            "counts": ", ".join([*drifts, *told]),
            "measures": self._groups(kept, seen) if whole else [],
            "brief": "" if whole else self._brief(kept),
        }

    def _failures(self, host: Mapping[str, Any]) -> Iterator[str]:
        for measure in host.get("measures", ()):
            play = measure.get("ansible") or {}
            if play.get("state") in {"failed", "unreachable"}:
                said = f"{measure['id']}: Ansible: {play.get('task')}: {play.get('message')}"
                yield reading.text(said, LONGEST)

    def _brief(self, kept: Iterable[Row]) -> str:
        by_measure = Counter(row.measure for row in kept)
        return ", ".join(f"{reading.line(name)} ({n})" for name, n in by_measure.most_common())

    def _groups(self, kept: Iterable[Row], seen: datetime | None) -> list[dict[str, Any]]:
        groups: dict[str, list[Row]] = {}
        for row in kept:
            groups.setdefault(row.measure, []).append(row)
        return [
            {
                "title": self._title(measure),
                "id": "" if measure == "kit" else reading.line(measure),
                "mode": self.say(rows[0].mode) if rows[0].mode in {"enforce", "observe"} else "",
                "checks": [self._check(row, seen) for row in rows],
            }
            for measure, rows in groups.items()
        ]

    def _check(self, row: Row, seen: datetime | None) -> dict[str, Any]:
        check, nothing = row.check, self.say("nothing")
        tone = TONES.get(row.status, "bad")
        sides = row.status in {"drift", "waived"}
        since = reading.moment(check.get("since"))
        age = self.say("seen", self.say.short(seen)) if seen else ""
        if since:
            age = self.say("since", self.say.short(since), self._ago(since))
        return {
            "name": reading.line(check["name"]),
            "status": self.say.named("status", row.status),
            "tone": tone,
            "sign": SIGNS[tone],
            "age": age,
            "message": reading.text(check.get("message") or "", LONGEST),
            "sides": sides,
            "expected": reading.text(check.get("expected") or nothing, LONGEST),
            "found": reading.text(check.get("found") or nothing, LONGEST),
            "waiver": self._waiver(check.get("waiver")) or self._answered(row),
            "proof": reading.proof(row, int(self.document["run"])),
        }

    def _answered(self, row: Row) -> str:
        said = morning.acknowledged(row)
        if said is None:
            return ""
        parts = (self.say.date(said["until"]), said["by"], said["reason"])
        return self.say("answered", *(reading.line(part) for part in parts))

    def _waiver(self, one: Mapping[str, Any] | None) -> str:
        if not one:
            return ""
        word = "waiver_over" if (one.get("days_left") or 0) < 0 else "waiver"
        until = self.say.date(one.get("until", ""))
        parts = (until, one.get("owner", ""), one.get("reason", ""))
        return self.say(word, *(reading.line(part) for part in parts))


def _weight(row: Row) -> int:
    """About how many bytes a verdict takes on the page; nothing when it is only counted."""
    if row.status in {"compliant", "not_applicable"}:
        return 0
    values = (row.check.get(key) or "" for key in ("expected", "found", "message"))
    texts = (html.escape(reading.text(value, LONGEST)) for value in values)
    return _FRAME + sum(len(text.encode("utf-8", "replace")) for text in texts)
