"""The dashboards as pages of HTML that need nothing else: what Grafana would show, drawn here.

    python -m dashboards.render --prometheus http://localhost:9090 --lang fr --out DIR

One page a dashboard, from the JSON in monitoring/dashboards and a live Prometheus.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

from dashboards.answers import (
    Answer,
    PanelResult,
    Prometheus,
    Unanswered,
    asked,
    choices,
    first,
    panels,
    read,
    walk,
    walk_rules,
)
from dashboards.panels import LANGUAGES

__all__ = ["main", "page", "walk", "walk_rules"]

COLORS = {"green": "#1a7f37", "orange": "#b35900", "red": "#c62828", "blue": "#1f5fa8"}
_LINES = ("#1f5fa8", "#b35900", "#1a7f37", "#8e3b9e", "#c62828", "#00767a", "#6b5b00", "#444")
_STYLE = """
body{font:15px/1.4 system-ui,sans-serif;margin:1.2rem;color:#1b1b1b;background:#f4f5f7}
h1{font-size:1.4rem;margin:0}h2{font-size:1.05rem;margin:.4rem 0 0;grid-column:1/-1}
p.told{margin:.2rem 0 1rem;color:#555}main{display:grid;grid-template-columns:repeat(24,1fr);gap:.7rem}
section{background:#fff;border:1px solid #dcdfe4;border-radius:6px;padding:.6rem .8rem;min-width:0;
overflow:hidden}h3{font-size:.92rem;margin:0}small{display:block;color:#666;margin-bottom:.4rem}
.stat{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem}.stat b{display:block;font-size:1.25rem;
white-space:nowrap}.none{color:#666;font-style:italic}
.error{color:#c62828}table{border-collapse:collapse;width:100%;font-size:.88rem}
td,th{text-align:left;padding:.15rem .5rem .15rem 0;border-bottom:1px solid #eee;overflow-wrap:anywhere}
td.n,th.n{text-align:right;white-space:nowrap}.bar{display:grid;font-size:.88rem;align-items:center;
grid-template-columns:minmax(5rem,32%) 1fr auto;gap:.2rem .6rem}.bar i{display:block;height:.8rem;
border-radius:2px}.bar span{overflow-wrap:anywhere}svg{width:100%;height:auto}
.key{font-size:.82rem;display:flex;flex-wrap:wrap;gap:.1rem 1rem}.key i{display:inline-block;width:.7rem;
height:.7rem;border-radius:2px;margin-right:.3rem}
@media(max-width:900px){main{display:block}section{margin-bottom:.7rem}}
"""


def number(value: float, unit: str, lang: str, decimals: int | None = None) -> str:
    """A value with its unit in words that Grafana would use too."""
    if not isfinite(value):
        return "–"
    if unit == "s":
        return _duration(value, lang)
    if unit == "percentunit":
        return _figure(value * 100, lang, 1 if decimals is None else decimals) + " %"
    if unit == "watt" and abs(value) >= 1000:
        return _figure(value / 1000, lang, 2) + " kW"
    if unit == "kwatth" and abs(value) >= 1000:
        return _figure(value / 1000, lang, 1) + " MWh"
    ending = {"watt": " W", "kwatth": " kWh", "currencyEUR": " €"}.get(unit, "")
    if unit.startswith("suffix:"):
        ending = unit.removeprefix("suffix:")
    return _figure(value, lang, decimals) + ending


def _figure(value: float, lang: str, decimals: int | None) -> str:
    if decimals is None:
        decimals = 0 if value == int(value) or abs(value) >= 100 else 2 if abs(value) < 10 else 1
    text = f"{value:,.{decimals}f}"
    return text.translate({44: "\u202f", 46: ","}) if lang == "fr" else text


def _duration(value: float, lang: str) -> str:
    day = "j" if lang == "fr" else "d"
    for size, name in ((86400, day), (3600, "h"), (60, "min")):
        if abs(value) >= size:
            return f"{_figure(value / size, lang, 1)} {name}"
    return f"{_figure(value, lang, 0 if value == int(value) or abs(value) >= 10 else 2)} s"


def page(board: dict[str, Any], results: list[PanelResult | str], said: str, lang: str) -> str:
    """One dashboard; a text among the results is the heading of a row."""
    parts = []
    for result in results:
        if isinstance(result, str):
            parts.append(f"<h2>{escape(result)}</h2>")
            continue
        width = result.panel["gridPos"]["w"]
        parts.append(
            f'<section style="grid-column:span {width}"><h3>{escape(result.title)}</h3>'
            f"<small>{escape(result.panel['description'])}</small>{_body(result, lang)}</section>"
        )
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(board["title"])}</title>'
        f"<style>{_STYLE}</style><h1>{escape(board['title'])}</h1>"
        f'<p class="told">{escape(board["description"])} {escape(said)}</p>'
        f"<main>{''.join(parts)}</main></html>\n"
    )


def _body(result: PanelResult, lang: str) -> str:
    if result.error:
        return f'<p class="error">{escape(result.error)}</p>'
    if not any(result.answers):
        return f'<p class="none">{escape(_defaults(result)["noValue"])}</p>'
    draw = {"stat": _stat, "bargauge": _bars, "timeseries": _series, "table": _table}
    return draw[result.panel["type"]](result, lang)


def _defaults(result: PanelResult) -> dict[str, Any]:
    found: dict[str, Any] = result.panel["fieldConfig"]["defaults"]
    return found


def _shown(result: PanelResult, value: float, lang: str) -> tuple[str, str]:
    """The text and the colour of a value."""
    defaults = _defaults(result)
    for mapping in defaults.get("mappings", ()):
        known = mapping["options"].get(f"{value:g}")
        if known:
            return known["text"], COLORS[known["color"]]
    color = ""
    for step in defaults["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            color = step["color"]
    decimals = defaults.get("decimals")
    return number(value, defaults["unit"], lang, decimals), COLORS[color]


def _named(result: PanelResult) -> list[tuple[str, Answer]]:
    found = []
    for target, answers in zip(result.panel["targets"], result.answers, strict=True):
        for answer in answers:
            name = target.get("legendFormat", "")
            for label, value in answer.labels.items():
                name = name.replace("{{" + label + "}}", value)
            found.append((_overrides(result, name).get("displayName", name), answer))
    return found


def _overrides(result: PanelResult, name: str) -> dict[str, Any]:
    """What the panel says of a series, by its name before or after it was called otherwise."""
    for one in result.panel["fieldConfig"]["overrides"]:
        said = {prop["id"]: prop["value"] for prop in one["properties"]}
        if name in (one["matcher"]["options"], said.get("displayName")):
            return said
    return {}


def _stat(result: PanelResult, lang: str) -> str:
    cells = []
    for name, answer in _named(result):
        text, color = _shown(result, answer.values[-1][1], lang)
        cells.append(f'<div>{escape(name)}<b style="color:{color}">{escape(text)}</b></div>')
    return f'<div class="stat">{"".join(cells)}</div>'


def _bars(result: PanelResult, lang: str) -> str:
    rows = _named(result)
    most = max([answer.values[-1][1] for _, answer in rows] + [1e-12])
    if _defaults(result)["unit"] == "percentunit":
        most = 1.0
    lines = []
    for name, answer in rows:
        value = answer.values[-1][1]
        text, color = _shown(result, value, lang)
        fixed = _overrides(result, name).get("color", {}).get("fixedColor", "")
        color = COLORS.get(fixed, color)
        width = max(0.0, min(100.0, 100 * value / most))
        lines.append(
            f'<span>{escape(name)}</span><div><i style="width:{width:.1f}%;background:{color}"></i>'
            f"</div><b>{escape(text)}</b>"
        )
    return f'<div class="bar">{"".join(lines)}</div>'


def _table(result: PanelResult, lang: str) -> str:
    options = next(
        one["options"] for one in result.panel["transformations"] if one["id"] == "organize"
    )
    columns = [
        key
        for key, _ in sorted(options["indexByName"].items(), key=lambda item: item[1])
        if not options["excludeByName"].get(key)
    ]
    several = len(result.answers) > 1
    rows: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    for target, answers in zip(result.panel["targets"], result.answers, strict=True):
        column = f"Value #{target['refId']}" if several else "Value"
        for answer in answers:
            rows.setdefault(tuple(sorted(answer.labels.items())), {})[column] = answer.values[-1][1]
    units = {
        one["matcher"]["options"]: one["properties"][0]["value"]
        for one in result.panel["fieldConfig"]["overrides"]
        if one["properties"][0]["id"] == "unit"
    }
    head = "".join(
        f'<th class="{"n" if key.startswith("Value") else ""}">{escape(options["renameByName"][key])}'
        for key in columns
    )
    lines = []
    for labels, values in rows.items():
        cells = []
        for key in columns:
            if not key.startswith("Value"):
                cells.append(f"<td>{escape(dict(labels).get(key, ''))}")
            elif key not in values:
                cells.append('<td class="n">–')
            else:
                unit = units.get(options["renameByName"][key])
                text, color = _shown(result, values[key], lang)
                text = number(values[key], unit, lang) if unit else text
                cells.append(f'<td class="n" style="color:{color}">{escape(text)}')
        lines.append(f"<tr>{''.join(cells)}")
    return f"<table><tr>{head}{''.join(lines)}</table>"


def _series(result: PanelResult, lang: str) -> str:
    rows = _named(result)
    custom = _defaults(result).get("custom", {})
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    times = sorted({at for _, answer in rows for at, _ in answer.values})
    begin, end = times[0], max(times[-1], times[0] + 1)
    below = dict.fromkeys(times, 0.0)
    lines: list[tuple[str, list[tuple[float, float]], list[tuple[float, float]]]] = []
    for name, answer in rows:
        ground = [(at, below[at] if stacked else 0.0) for at, _ in answer.values]
        above = [
            (at, value + low) for (at, value), (_, low) in zip(answer.values, ground, strict=True)
        ]
        if stacked:
            below.update(above)
        lines.append((name, ground, above))
    top = max([value for _, _, above in lines for _, value in above if isfinite(value)] + [1e-9])
    wide, high, left = 600, 190, 64

    def place(point: tuple[float, float]) -> str:
        x = left + (wide - left - 8) * (point[0] - begin) / (end - begin)
        return f"{x:.1f},{high - 22 - (high - 34) * point[1] / top:.1f}"

    unit = _defaults(result)["unit"]
    drawn = []
    for share in (0.0, 0.5, 1.0):
        y = high - 22 - (high - 34) * share
        text = escape(number(top * share, unit, lang))
        drawn.append(
            f'<line x1="{left}" x2="{wide - 8}" y1="{y}" y2="{y}" stroke="#e3e5e9"/>'
            f'<text x="{left - 6}" y="{y + 4}" text-anchor="end" font-size="11">{text}</text>'
        )
    for at, x, anchor in ((begin, left, "start"), (end, wide - 8, "end")):
        text = datetime.fromtimestamp(at, UTC).strftime("%d/%m %H:%M UTC")
        drawn.append(
            f'<text x="{x}" y="{high - 5}" text-anchor="{anchor}" font-size="11">{text}</text>'
        )
    key = []
    for index, (name, ground, above) in enumerate(lines):
        fixed = _overrides(result, name).get("color", {}).get("fixedColor", "")
        color = COLORS.get(fixed) or _LINES[index % len(_LINES)]
        if stacked:
            around = " ".join(map(place, above + ground[::-1]))
            drawn.append(f'<polygon points="{around}" fill="{color}" fill-opacity=".35"/>')
        line = " ".join(map(place, above))
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.8"/>')
        if len(above) == 1:
            across, down = place(above[0]).split(",")
            drawn.append(f'<circle cx="{across}" cy="{down}" r="3" fill="{color}"/>')
        last = escape(number(above[-1][1] - ground[-1][1] if stacked else above[-1][1], unit, lang))
        key.append(f'<span><i style="background:{color}"></i>{escape(name)} {last}</span>')
    return (
        f'<svg viewBox="0 0 {wide} {high}" role="img" aria-label="{escape(result.title)}">'
        f'{"".join(drawn)}</svg><div class="key">{"".join(key)}</div>'
    )


def _chosen(at: Prometheus, board: dict[str, Any], member: str) -> tuple[dict[str, str], str]:
    """The variables, and what is said of them. Raises Unanswered."""
    chosen = first(at, board)
    words = []
    for variable in board.get("templating", {}).get("list", ()):
        known = dict(choices(at, variable))
        if variable["name"] == "member" and member:
            if member not in known:
                raise Unanswered(f"There is no member called {member}.")
            chosen["member"] = known[member]
        for text, value in known.items():
            if value == chosen[variable["name"]]:
                words.append(f"{variable['label']} : {text}.")
    return chosen, " ".join(words)


def main() -> int:
    """Write a page a dashboard into --out; 1 with a sentence when Prometheus does not answer."""
    parser = argparse.ArgumentParser(description="The dashboards as pages of HTML.")
    parser.add_argument("--prometheus", required=True, help="its address, http://HOST:9090")
    parser.add_argument("--lang", choices=LANGUAGES, default="fr")
    parser.add_argument("--out", required=True, type=Path, help="the folder to write into")
    parser.add_argument("--member", default="", help="this member, by name, instead of the first")
    words = parser.parse_args()
    at, now = Prometheus(words.prometheus), time.time()
    words.out.mkdir(parents=True, exist_ok=True)
    try:
        for board in read(words.lang):
            chosen, said = _chosen(at, board, words.member)
            results: list[PanelResult | str] = [
                panel["title"] if panel["type"] == "row" else asked(at, board, panel, chosen, now)
                for panel in panels(board)
            ]
            path = words.out / f"{board['uid']}.html"
            path.write_text(page(board, results, said, words.lang), "utf-8")
    except Unanswered as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
