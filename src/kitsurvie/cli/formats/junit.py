"""JUnit XML: one `testsuite` a host, one `testcase` a check, for the pages of CI tools."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from kitsurvie.cli.formats import reading
from kitsurvie.cli.formats.reading import Document, Row

_SKIPPED = frozenset({"not_applicable", "waived"})
# a host without a verdict still has one case, or its silence would pass for success
_SILENT = {
    "unreachable": ("error", "reachable"),
    "error": ("error", "observed"),
    "unknown": ("error", "observed"),
    "failed": ("error", "deployed"),
    "pending": ("skipped", "observed"),
    "held": ("skipped", "deployed"),
    "absent": ("skipped", "reachable"),
    "unseen": ("skipped", "reachable"),
}


def render(document: Document) -> bytes:
    """The run as JUnit XML, hosts by member. Times are in UTC."""
    root = ET.Element("testsuites", name=_name(document))
    root.set("time", f"{reading.seconds(document):.3f}")
    counts: Counter[str] = Counter()
    hosts = sorted(document["hosts"], key=lambda h: (h["member"]["name"], h["name"]))
    for number, host in enumerate(hosts):
        counts += _suite(root, host, document, number)
    for name in ("tests", "failures", "errors"):
        root.set(name, str(counts[name]))
    ET.indent(root, space=" ")
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _name(document: Document) -> str:
    again = reading.rejudged_at(document)
    judged = f", judged again {reading.utc(again)}" if again else ""
    return f"kitsurvie run {document['run']}{judged}"


def _suite(
    root: ET.Element, host: Mapping[str, Any], document: Document, number: int
) -> Counter[str]:
    member = reading.line(host["member"]["name"])
    name = reading.line(host["name"])
    suite = ET.SubElement(root, "testsuite", name=f"{member} / {name}", package=member)
    suite.set("id", str(number))
    suite.set("hostname", name)
    seen = reading.utc(host.get("seen"))
    suite.set("timestamp", seen or reading.utc(document["started"]))
    described = ET.SubElement(suite, "properties")
    for key, value in (
        ("member", member),
        ("siren", host["member"]["siren"]),
        ("epci", host.get("epci") or ""),
        ("profile", host["profile"]),
        ("standing", reading.standing(host)),
        ("seen", seen),
    ):
        ET.SubElement(described, "property", name=key, value=reading.line(value))
    counts: Counter[str] = Counter()
    for case, kind in _cases(suite, host, document):
        counts["tests"] += 1
        if kind:
            counts[kind] += 1
        # pytest's way to say where: lists that show names alone stay readable
        case.set("name", f"{case.get('name')}[{name}]")
    for key in ("tests", "failures", "errors", "skipped"):
        suite.set(key, str(counts[key]))
    return counts


def _cases(
    suite: ET.Element, host: Mapping[str, Any], document: Document
) -> Iterator[tuple[ET.Element, str]]:
    judged = False
    for row in reading.rows(host):
        judged = True
        case = _case(suite, row.measure, row.check["name"])
        yield case, _verdict(case, row, document)
    for measure in host.get("measures", ()):
        play = measure.get("ansible") or {}
        if play.get("state") in {"failed", "unreachable"}:
            judged = True
            said = f"at {play.get('task')}: {play.get('message')}"
            _told(case := _case(suite, measure["id"], "ansible"), "failure", play["state"], said)
            yield case, "failures"
    state = reading.standing(host)
    if state in _SILENT and (not judged or state in {"unreachable", *reading.AWAY}):
        kind, name = _SILENT[state]
        _told(case := _case(suite, "kit", name), kind, state, reading.why_away(host) or state)
        yield case, "errors" if kind == "error" else "skipped"
    elif not judged:
        _told(case := _case(suite, "kit", "observed"), "skipped", state, "nothing was judged")
        yield case, "skipped"


def _case(suite: ET.Element, measure: str, name: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=reading.line(measure), name=reading.line(name)
    )


def _verdict(case: ET.Element, row: Row, document: Document) -> str:
    status, check = row.status, row.check
    if status == "compliant":
        return ""
    if status in _SKIPPED:
        _told(case, "skipped", status, _why(check) or status)
        return "skipped"
    commands = [f"command: {reading.text(c)}" for c in check.get("commands", ())[-1:]]
    proof = [*commands, f"evidence: {reading.proof(row, document['run'])}"]
    if status == "drift":
        sides = [f"{side}: {reading.text(check.get(side, ''))}" for side in ("expected", "found")]
        said = f"expected {check.get('expected', '')}, found {check.get('found', '')}"
        why = [reading.text(m) for m in (check.get("message"),) if m]
        _told(case, "failure", status, said, "\n".join([*why, *sides, *proof]))
        return "failures"
    said = str(check.get("message") or status)
    _told(case, "error", status, said, "\n".join([reading.text(said), *proof]))
    return "errors"


def _why(check: Mapping[str, Any]) -> str:
    waiver = check.get("waiver") or {}
    if not waiver:
        return str(check.get("message") or "")
    return f"waived until {waiver.get('until')} by {waiver.get('owner')}: {waiver.get('reason')}"


def _told(case: ET.Element, kind: str, type_: str, message: str, body: str = "") -> None:
    told = ET.SubElement(case, kind, type=type_, message=reading.line(message))
    told.text = body or None
