"""What a live Prometheus answers to every panel and to every rule.

`walk` and `walk_rules` are for a test that fails on an error or on an empty answer; the page of
dashboards/render.py is made of the same answers.
"""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dashboards.boards import BOARDS

MONITORING = Path(__file__).resolve().parents[1] / "monitoring"
_POINTS = 160
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_TIMEOUT_S = 30


class Unanswered(Exception):
    """Prometheus did not answer, or refused: its own words."""


@dataclass(frozen=True)
class Answer:
    """One series: its labels, and its (time in seconds, value) pairs; one of an instant query."""

    labels: dict[str, str]
    values: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PanelResult:
    """A panel's queries, and what came back: `error` in Prometheus's words, or answers a query."""

    board: str
    panel: dict[str, Any]
    answers: tuple[tuple[Answer, ...], ...]
    error: str = ""
    may_be_empty: bool = False

    @property
    def title(self) -> str:
        return str(self.panel["title"])

    @property
    def empty(self) -> bool:
        """Whether some query had no answer, though it should have one."""
        return not self.may_be_empty and not all(self.answers)


@dataclass(frozen=True)
class RuleResult:
    """A rule of monitoring/, its expression and how many series it gave."""

    name: str
    recorded: bool
    series: int
    error: str = ""

    @property
    def empty(self) -> bool:
        """An alert that is silent is well; a recorded series that is away is not."""
        return self.recorded and not self.series


@dataclass(frozen=True)
class Prometheus:
    """The HTTP API at an address such as http://localhost:9090."""

    url: str

    def instant(self, expr: str) -> tuple[Answer, ...]:
        """Raises Unanswered."""
        return self._asked("query", {"query": expr})

    def over(self, expr: str, seconds: float, now: float) -> tuple[Answer, ...]:
        """The last so many seconds, in at most 160 points a series. Raises Unanswered."""
        step = max(1, int(seconds / _POINTS))
        words = {"query": expr, "start": now - seconds, "end": now, "step": step}
        return self._asked("query_range", words)

    def _asked(self, what: str, words: dict[str, Any]) -> tuple[Answer, ...]:
        address = f"{self.url.rstrip('/')}/api/v1/{what}?{urllib.parse.urlencode(words)}"
        if not address.startswith(("http://", "https://")):
            raise Unanswered(f"{self.url} is no address of a Prometheus; give http://HOST:9090.")
        try:
            with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            raise Unanswered(json.load(error).get("error", str(error))) from None
        except (OSError, ValueError) as error:
            raise Unanswered(f"{self.url} does not answer: {error}") from None
        data = said["data"]
        if data["resultType"] == "scalar":
            return (Answer({}, (_pair(data["result"]),)),)
        return tuple(
            Answer(one["metric"], tuple(map(_pair, one.get("values") or [one["value"]])))
            for one in data["result"]
        )


def _pair(said: list[Any]) -> tuple[float, float]:
    return float(said[0]), float(said[1])


def read(lang: str) -> list[dict[str, Any]]:
    """The dashboards as they are written in monitoring/dashboards, in the code's order."""
    folder = MONITORING / "dashboards" / lang
    return [json.loads((folder / f"{board.uid}.json").read_text("utf-8")) for board in BOARDS]


def choices(at: Prometheus, variable: dict[str, Any]) -> list[tuple[str, str]]:
    """What may be chosen, (text, value): query_result and Grafana's regular expression with them.

    Raises Unanswered.
    """
    expr = variable["query"].removeprefix("query_result(").removesuffix(")")
    pattern = variable["regex"].removeprefix("/").removesuffix("/g").replace("(?<", "(?P<")
    found = []
    for answer in at.instant(expr):
        labels = ",".join(f'{key}="{value}"' for key, value in sorted(answer.labels.items()))
        groups: dict[str, str] = {}
        for match in re.finditer(pattern, "{" + labels + "}"):
            groups.update({key: value for key, value in match.groupdict().items() if value})
        if "value" in groups:
            found.append((groups.get("text", groups["value"]), groups["value"]))
    return sorted(set(found))


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows too, in the order of the page."""
    return list(board["panels"])


def seconds(board: dict[str, Any]) -> float:
    """How far back it looks."""
    number, unit = re.fullmatch(r"now-(\d+)([smhd])", board["time"]["from"]).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]


def asked(
    at: Prometheus, board: dict[str, Any], panel: dict[str, Any], chosen: dict[str, str], now: float
) -> PanelResult:
    """Every query of one panel, with the variables in their places."""
    calm = _calm()[board["uid"].rpartition("-")[0], panel["id"]]
    answers = []
    try:
        for target in panel["targets"]:
            expr = target["expr"]
            for name, value in chosen.items():
                expr = expr.replace(f"${name}", value)
            answers.append(
                at.over(expr, seconds(board), now) if target.get("range") else at.instant(expr)
            )
    except Unanswered as error:
        return PanelResult(board["title"], panel, tuple(answers), str(error), calm)
    return PanelResult(board["title"], panel, tuple(answers), may_be_empty=calm)


def _calm() -> dict[tuple[str, int], bool]:
    """By dashboard and number of the panel, whether no answer may be the right one."""
    return {
        (board.uid, number): panel.or_nothing
        for board in BOARDS
        for number, panel in enumerate(board.panels(), 1)
    }


def first(
    at: Prometheus, board: dict[str, Any], wanted: Mapping[str, str] | None = None
) -> dict[str, str]:
    """What is wanted, else all where all may be chosen, else the first by name.

    Raises Unanswered.
    """
    chosen = dict(wanted or {})
    for variable in board.get("templating", {}).get("list", ()):
        if variable["name"] in chosen:
            continue
        if variable.get("includeAll"):
            chosen[variable["name"]] = variable["allValue"]
            continue
        known = choices(at, variable)
        if not known:
            raise Unanswered(f"{variable['query']} has no answer, so nothing can be chosen.")
        chosen[variable["name"]] = known[0][1]
    return chosen


def walk(
    prometheus_url: str, lang: str = "fr", wanted: Mapping[str, str] | None = None
) -> list[PanelResult]:
    """Every panel of every dashboard; `wanted` are choices by the names of their variables.

    Raises Unanswered when nothing can be chosen.
    """
    at, now = Prometheus(prometheus_url), time.time()
    return [
        asked(at, board, panel, chosen, now)
        for board in read(lang)
        for chosen in [first(at, board, wanted)]
        for panel in panels(board)
        if panel["type"] != "row"
    ]


def walk_rules(prometheus_url: str) -> list[RuleResult]:
    """Every rule of monitoring/prometheus_*.yaml: recorded series as stored, alerts as written."""
    at, found = Prometheus(prometheus_url), []
    for path in sorted(MONITORING.glob("prometheus_*.yaml")):
        for group in yaml.safe_load(path.read_text("utf-8"))["groups"]:
            for rule in group["rules"]:
                name, recorded = rule.get("record") or rule["alert"], "record" in rule
                try:
                    series = len(at.instant(name if recorded else rule["expr"]))
                    found.append(RuleResult(name, recorded, series))
                except Unanswered as error:
                    found.append(RuleResult(name, recorded, 0, str(error)))
    return found
