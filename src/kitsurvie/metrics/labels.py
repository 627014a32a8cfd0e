"""The labels that a metric of the exporter may have, and what may stand in each.

A metrics server is read by more people than the machines are administered by. What could name a
person or a machine (a login, a host name, an address, a serial number) has no label here, and a
value that is not of the shape or the list of its label is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ALLOWED = frozenset({
    "member", "epci", "name", "profile", "state", "status", "measure", "age", "kind", "ends",
    "verdict", "bound", "method", "days", "part", "version",
})  # fmt: skip

# what no name of a public body is: an address (of a machine or for mail), an account, a number, and
# the ids of the register, of people and of devices
_NO_BODY = re.compile(
    r"[0-9.]+|[0-9a-f.:-]*[:-][0-9a-f.:-]*|.*[@\\].*|p-[0-9a-f]{16}|d?[0-9a-f]{12,}",
    re.IGNORECASE,
)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Values:
    """What a label may hold: one of some words, or what a pattern matches."""

    words: frozenset[str] = frozenset()
    pattern: str = ""

    def hold(self, value: str) -> bool:
        """Whether a value may stand there."""
        if value in self.words:
            return True
        return bool(self.pattern) and re.fullmatch(self.pattern, value) is not None


class _Names(Values):
    """Names of public bodies, as the inventory or the territory data has them."""

    def hold(self, value: str) -> bool:
        """Whether it is one line of text that is no address, path or number."""
        good = value.isprintable() and value == value.strip() and 0 < len(value) <= _LONGEST_NAME
        return good and _NO_BODY.fullmatch(value) is None


def _words(*words: str) -> Values:
    return Values(frozenset(words))


SIREN = Values(pattern="[0-9]{9}")
# empty: of no EPCI
EPCI = Values(frozenset({""}), "[0-9]{9}")
BODY = _Names()
VERSION = Values(pattern="[0-9A-Za-z.+-]{1,40}")
MEASURE = Values(pattern="(?!d[0-9a-f]{12}$)[a-z][a-z0-9_]{0,60}")
PROFILES = _words("server", "desktop", "laptop", "public_access")
# where a host stands (cli.standing), and how it went in a run (ledger.Outcome)
STANDINGS = _words(
    "compliant", "waived", "drift", "failed", "held", "pending", "error", "unknown", "unreachable",
    "absent", "unseen", "not_applicable",
)  # fmt: skip
OUTCOMES = _words("pending", "done", "drift", "failed", "unreachable", "error", "held")
STATUSES = _words(
    "compliant", "drift", "not_applicable", "waived", "unreachable", "error", "unknown"
)
LIVES = _words("in_service", "stock", "lent", "discarded")
AGES = _words("1d", "7d", "30d", "90d", "older", "never")
ENDS = _words("7d", "30d", "later", "over")
RUNS = Values(pattern="[a-z][a-z_]{0,19}")
DEVICES = _words(
    "desktop", "laptop", "tablet", "server", "screen", "phone", "printer", "network", "virtual",
    "other", "unknown",
)  # fmt: skip
VERDICTS = _words("dormant_second", "alternating", "concurrent", "pool", "exempt", "unknown")
BOUNDS = _words("low", "central", "high")
METHODS = _words("rapl", "battery", "modelled")
BEST_METHODS = _words("rapl", "battery", "modelled", "none")
UNUSED_DAYS = _words("30", "60", "90")
