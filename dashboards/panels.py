"""A panel and a dashboard in both languages, and how Grafana has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

LANGUAGES = ("fr", "en")
SOURCE = model.DataSourceRef(type_val="prometheus", uid="kitsurvie-prometheus")
_WIDE = 24


@dataclass(frozen=True)
class Text:
    """The same in French and in English."""

    fr: str
    en: str

    def of(self, lang: str) -> str:
        """The one that is asked for."""
        return str(getattr(self, lang))


NO_DATA = Text("pas de données", "no data")
# what values of labels are called, and the colour of those that are good or bad
WORDS = {
    "state": {
        "compliant": (Text("conforme", "compliant"), "green"),
        "drift": (Text("en écart", "drift"), "orange"),
        "unreachable": (Text("injoignable", "unreachable"), "red"),
        "error": (Text("en erreur", "error"), "red"),
        "unknown": (Text("inconnu", "unknown"), "red"),
        "absent": (Text("absente", "absent"), "blue"),
        "unseen": (Text("pas vue", "unseen"), "blue"),
    },
    "verdict": {
        "dormant_second": (Text("seconde dormante", "dormant second"), ""),
        "alternating": (Text("en alternance", "alternating"), ""),
        "concurrent": (Text("en même temps", "concurrent"), ""),
        "pool": (Text("mutualisée", "pool"), ""),
        "exempt": (Text("exemptée", "exempt"), ""),
        "unknown": (Text("inconnu", "unknown"), ""),
    },
    "kind": {
        "desktop": (Text("poste fixe", "desktop"), ""),
        "laptop": (Text("portable", "laptop"), ""),
        "server": (Text("serveur", "server"), ""),
        "monitor": (Text("écran", "monitor"), ""),
        "compliance": (Text("constat", "compliance"), ""),
        "deploy": (Text("déploiement", "deploy"), ""),
        "ingest": (Text("reprise", "ingest"), ""),
    },
    "age": {
        "1d": (Text("un jour", "a day"), ""),
        "7d": (Text("une semaine", "a week"), ""),
        "30d": (Text("un mois", "a month"), ""),
        "90d": (Text("trois mois", "three months"), ""),
        "older": (Text("plus longtemps", "longer"), ""),
        "never": (Text("jamais vue", "never seen"), ""),
    },
    "ends": {
        "7d": (Text("sous 7 jours", "within 7 days"), ""),
        "30d": (Text("sous 30 jours", "within 30 days"), ""),
        "later": (Text("plus tard", "later"), ""),
        "over": (Text("passée", "over"), ""),
    },
    "bound": {
        "low": (Text("basse", "low"), ""),
        "central": (Text("centrale", "central"), ""),
        "high": (Text("haute", "high"), ""),
    },
    "method": {
        "rapl": (Text("processeur (rapl)", "processor (rapl)"), ""),
        "battery": (Text("batterie", "battery"), ""),
        "modelled": (Text("modèle", "model"), ""),
        "none": (Text("rien à lire", "nothing to read"), ""),
    },
}
WORDS["status"] = WORDS["state"]
WORDS["profile"] = WORDS["kind"]


@dataclass(frozen=True)
class Query:
    """An expression, and what its answers are called: labels as {{label}}."""

    expr: str
    name: Text = Text("", "")


@dataclass(frozen=True)
class Panel:
    """One question; `steps` are thresholds, from green on; `or_nothing`: it may have no answer."""

    kind: str
    title: Text
    description: Text
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 6
    height: int = 5
    steps: tuple[tuple[float, str], ...] = ()
    none: Text = NO_DATA
    decimals: int | None = None
    words: dict[str, tuple[Text, str]] = field(default_factory=dict)
    columns: dict[str, Text] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    stacked: bool = False
    or_nothing: bool = False


@dataclass(frozen=True)
class Row:
    """A heading over the panels that follow."""

    title: Text


@dataclass(frozen=True)
class Choice:
    """A variable: chosen by name, given to the queries as a SIREN."""

    name: str
    title: Text
    series: str
    value: str
    all: bool = False


@dataclass(frozen=True)
class Board:
    """One dashboard; `uid` with the language is its address for ever."""

    uid: str
    title: Text
    description: Text
    since: str
    parts: tuple[Panel | Row, ...]
    choices: tuple[Choice, ...] = ()

    def panels(self) -> list[Panel]:
        """Without the headings."""
        return [part for part in self.parts if isinstance(part, Panel)]


def built(board: Board, lang: str) -> str:
    """The dashboard as Grafana reads it, JSON."""
    builder = (
        dashboard.Dashboard(board.title.of(lang))
        .uid(f"{board.uid}-{lang}")
        .description(board.description.of(lang))
        .tags(["kitsurvie", lang])
        .readonly()
        .timezone("browser")
        .time(f"now-{board.since}", "now")
        .refresh("5m")
        .link(_others(lang))
    )
    for choice in board.choices:
        builder.with_variable(_variable(choice, lang))
    number = 0
    for part in board.parts:
        if isinstance(part, Row):
            builder.with_row(dashboard.Row(part.title.of(lang)))
            continue
        number += 1
        builder.with_panel(_panel(part, lang, number))
    return json.dumps(builder.build(), cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"


def _others(lang: str) -> Any:
    return (
        dashboard.DashboardLink("kitsurvie")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags(["kitsurvie", lang])
        .as_dropdown(False)
        .keep_time(False)
    )


def _variable(choice: Choice, lang: str) -> Any:
    builder = (
        dashboard.QueryVariable(choice.name)
        .label(choice.title.of(lang))
        .datasource(SOURCE)
        .query(f"query_result({choice.series})")
        .regex(rf'/name="(?<text>[^"]+)"|{choice.value}="(?<value>[^"]+)"/g')
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
    )
    if choice.all:
        builder.include_all(True).all_value(".*")
    return builder


def _panel(panel: Panel, lang: str, number: int) -> Any:
    builder = _KINDS[panel.kind](panel)
    builder = (
        builder.id(number)
        .title(panel.title.of(lang))
        .description(panel.description.of(lang))
        .datasource(SOURCE)
        .unit(panel.unit)
        .no_value(panel.none.of(lang))
        .span(panel.width)
        .height(panel.height)
        .thresholds(_thresholds(panel))
    )
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    if panel.words:
        options = {
            value: model.ValueMappingResult(text=text.of(lang), color=color, index=index)
            for index, (value, (text, color)) in enumerate(panel.words.items())
        }
        builder.mappings([model.ValueMap(options=options)])
    for index, query in enumerate(panel.queries):
        builder.with_target(_target(panel, query, lang, chr(ord("A") + index)))
    for query in panel.queries:
        label = query.name.en.removeprefix("{{").removesuffix("}}")
        for value, (text, color) in WORDS.get(label, {}).items():
            builder.override_by_name(value, _called(text.of(lang), color))
    if panel.kind == "table":
        for label, unit in panel.units.items():
            named = panel.columns[label].of(lang)
            builder.override_by_name(named, [model.DynamicConfigValue(id_val="unit", value=unit)])
        if len(panel.queries) > 1:
            builder.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
        builder.with_transformation(_columns(panel, lang))
    return builder


def _called(text: str, color: str) -> list[model.DynamicConfigValue]:
    named = [model.DynamicConfigValue(id_val="displayName", value=text)]
    if color:
        fixed = {"mode": "fixed", "fixedColor": color}
        named.append(model.DynamicConfigValue(id_val="color", value=fixed))
    return named


def _target(panel: Panel, query: Query, lang: str, letter: str) -> Any:
    target = prometheus.Dataquery().expr(query.expr).ref_id(letter).datasource(SOURCE)
    if query.name.of(lang):
        target.legend_format(query.name.of(lang))
    if panel.kind == "table":
        target.format(PromQueryFormat.TABLE)
    return target.range() if panel.kind == "series" else target.instant()


def _columns(panel: Panel, lang: str) -> Any:
    options = {
        "excludeByName": {"Time": True},
        "indexByName": {label: index for index, label in enumerate(panel.columns)},
        "renameByName": {label: text.of(lang) for label, text in panel.columns.items()},
    }
    return model.DataTransformerConfig(id_val="organize", options=options)


def _thresholds(panel: Panel) -> Any:
    first = "green" if panel.steps else "blue"
    steps = [model.Threshold(value=None, color=first)]
    steps += [model.Threshold(value=value, color=color) for value, color in panel.steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _reduced() -> Any:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _stat(panel: Panel) -> Any:
    return (
        stat.Panel()
        .reduce_options(_reduced())
        .graph_mode(looks.BigValueGraphMode.NONE)
        .color_mode(looks.BigValueColorMode.VALUE)
        .text_mode(
            looks.BigValueTextMode.VALUE_AND_NAME
            if len(panel.queries) > 1 or panel.queries[0].name.en
            else looks.BigValueTextMode.VALUE
        )
        .color_scheme(_by_thresholds())
    )


def _bars(_: Panel) -> Any:
    return (
        bargauge.Panel()
        .reduce_options(_reduced())
        .orientation(looks.VizOrientation.HORIZONTAL)
        .display_mode(looks.BarGaugeDisplayMode.BASIC)
        .min(0)
        .color_scheme(_by_thresholds())
    )


def _series(panel: Panel) -> Any:
    builder = (
        timeseries.Panel()
        .fill_opacity(20 if panel.stacked else 0)
        .line_width(2)
        .axis_soft_min(0)
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI))
    )
    if panel.stacked:
        builder.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL))
    return builder


def _table(_: Panel) -> Any:
    return table.Panel()


def _by_thresholds() -> Any:
    return dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


_KINDS: dict[str, Callable[[Panel], Any]] = {
    "stat": _stat,
    "bars": _bars,
    "series": _series,
    "table": _table,
}
