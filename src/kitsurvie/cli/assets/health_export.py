"""What `assets health` says to programs: a JSON document, or a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from kitsurvie.assets.finding import TITLES, Check, Finding
from kitsurvie.assets.health import summary
from kitsurvie.cli.assets.estate import Estate
from kitsurvie.cli.assets.judged import STATES, Health, Judged, by_state, chosen
from kitsurvie.cli.assets.listing import document as device_document
from kitsurvie.cli.formats import rows
from kitsurvie.cli.language import Language
from kitsurvie.model import Status, Text

COLUMNS = (
    "member", "siren", "device", "kind", "name", "maker", "model", "serial", "check", "status",
    "found", "expected", "inventory", "text",
)  # fmt: skip


def document(found: Health, estate: Estate, state: Status | None) -> dict[str, Any]:
    """The counts are of every machine that was judged, whatever state is listed."""
    counts = by_state(found.judged)
    asked = [check for check in Check if any(counts[check, one] for one in STATES)]
    limits = found.limits
    return {
        "today": found.today.isoformat(),
        "exit_code": found.exit_code,
        "limits": {
            "stale_days": limits.stale_days,
            "years": limits.years,
            "encrypted": sorted(limits.encrypted),
            "extended": sorted(limits.extended),
        },
        "machines": len(found.judged),
        "with_drift": sum(bool(one.drifts) for one in found.judged),
        "blind_spots": sum(one.blind for one in found.judged),
        "not_judged": {"other_kinds": found.other_kinds, "put_away": found.put_away},
        "checks": [
            {
                "check": check.value,
                "title": _both(TITLES[check]),
                **{one.value: counts[check, one] for one in STATES},
            }
            for check in asked
        ],
        "members": [
            {
                "siren": count.member,
                "name": estate.member(count.member) if count.member else None,
                "check": count.check.value,
                "status": count.status.value,
                "machines": count.devices,
            }
            for count in summary((one.device, one.findings) for one in found.judged)
        ],
        "devices": [
            {
                **device_document(one.device, estate),
                "blind_spot": one.blind,
                "findings": [_finding(finding) for finding in listed],
            }
            for one in found.judged
            if (listed := chosen(one, state))
        ],
    }


def table(found: Health, estate: Estate, state: Status | None, language: Language) -> bytes:
    """A row a machine and check, as RFC 4180 has it, safe from formulas; days are ISO 8601."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in found.judged:
        for cells in _rows(one, estate, state, language):
            writer.writerow([rows.cell(cell) for cell in cells])
    return stream.getvalue().encode("utf-8-sig")


def _rows(
    one: Judged, estate: Estate, state: Status | None, language: Language
) -> Iterator[tuple[object, ...]]:
    device = one.device
    for finding in chosen(one, state):
        yield (
            estate.member(device.member), device.member or "", device.id, device.kind.value,
            device.name, device.maker, device.model, device.serial, finding.check.value,
            finding.status.value, finding.found, finding.expected,
            finding.seen.isoformat() if finding.seen else "", getattr(finding.text, language),
        )  # fmt: skip


def _finding(one: Finding) -> dict[str, Any]:
    return {
        "check": one.check.value,
        "status": one.status.value,
        "found": one.found,
        "expected": one.expected,
        "seen": one.seen.isoformat() if one.seen else None,
        "text": _both(one.text),
    }


def _both(text: Text) -> dict[str, str]:
    return {"fr": text.fr, "en": text.en}
