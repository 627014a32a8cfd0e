"""The morning page: it answers three questions, needs nothing else, and runs nothing."""

from __future__ import annotations

import re
from datetime import UTC, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from tests.unit.formats import syndicate
from tests.unit.formats.hostile import changes, documents
from tests.unit.formats.syndicate import ENDED, document, host, measure, verdict

from kitsurvie.cli.formats import page, words

NOW = ENDED.timestamp() + 60
VOID = {"meta", "br", "link", "img", "input", "hr"}
# every element the page is made of; a host must not be able to add another
ELEMENTS = {
    "html", "head", "meta", "title", "style", "body", "a", "header", "h1", "h2", "h3", "p", "br",
    "span", "nav", "ul", "li", "b", "main", "div", "section", "table", "thead", "tbody", "tr", "th",
    "td", "code", "details", "summary", "bdi", "dl", "dt", "dd", "footer",
}  # fmt: skip


class Reader(HTMLParser):
    """Opens a page strictly: every element is closed where it was opened, ids are unique."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.data: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.data.append(data)

    @property
    def text(self) -> str:
        return "".join(self.data)


def shown(of: dict[str, Any], language: words.Language = "fr", **more: Any) -> Reader:
    settings_ = {"now": NOW, "zone": UTC, "changes": None, **more}
    text = page.render(of, language, syndicate.measures(), **settings_).decode("utf-8")
    reader = Reader(text)
    assert len(reader.ids) == len(set(reader.ids))
    assert all(link.startswith("#") and link[1:] in reader.ids for link in reader.links)
    assert reader.elements <= ELEMENTS
    assert not {name for name in reader.attributes if name.startswith("on")} - {"only"}
    return reader


@settings(max_examples=100, deadline=None)
@given(documents(), changes())
def test_nothing_a_host_answers_becomes_a_part_of_the_page(
    of: dict[str, Any], new: dict[str, Any]
) -> None:
    for language in ("fr", "en"):
        reader = shown(of, language, changes=new)
        bad = {c for c in reader.text if not c.isprintable() and c not in "\n\u00a0"}
        assert bad == set()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_syndicate_of_445_communes_fits_a_light_page_even_when_everything_drifts(
    language: words.Language,
) -> None:
    for share in (0.015, 1.0):
        night = syndicate.night(share)
        assert len(night["hosts"]) == 1335
        content = page.render(
            night, language, syndicate.measures(), syndicate.since_yesterday(night), now=NOW
        )
        assert len(content) < 5_000_000


def test_the_page_needs_nothing_from_elsewhere() -> None:
    text = page.render(syndicate.night(), "fr", syndicate.measures(), now=NOW).decode()
    assert re.findall(r"https?:|//[a-z]|url\(|@import|<script|<link|<img|src=", text) == []
    assert "default-src 'none'" in text


def firewall(status: str = "drift", mode: str = "enforce", **more: Any) -> dict[str, Any]:
    return measure("firewall", verdict("test_default_drop", status, **more), mode=mode)


def test_what_to_do_first_begins_with_silence_then_what_is_new_then_what_is_common() -> None:
    updates = measure("updates", verdict("test_fresh", "drift"))
    of = document(
        host("a", "drift", measures=[firewall()]),
        host("b", "drift", measures=[firewall()]),
        host("c", "drift", measures=[updates]),
        host("d", "unreachable", standing="unreachable", seen=None),
        host("e", "error", detail="e said nothing"),
    )
    new = {"new_drift": [{"host": "c", "measure": "updates", "check": "test_fresh"}]}
    text = shown(of, changes={"from": {"run": 411}, **new}).text
    first = text[text.index("À faire d’abord") : text.index("Les plus touchés")]
    places = [
        first.index(said)
        for said in (
            "kitsurvie compliance run --limit d",
            "kitsurvie compliance run --limit e",
            "kitsurvie plan --measure updates --limit c",
            "kitsurvie plan --measure firewall --limit a,b",
        )
    ]
    assert places == sorted(places)
    assert "nouveaux\u00a0: 1" in first


def test_no_command_is_given_that_would_change_nothing() -> None:
    observed = shown(document(host("a", "drift", measures=[firewall(mode="observe")]))).text
    assert "kitsurvie kit adopt --measure firewall --limit a" in observed
    assert "kitsurvie deploy" not in observed
    by_hand = measure("backup_seen", verdict("test_x", "drift"))
    told = shown(document(host("a", "drift", measures=[by_hand]))).text
    assert "kitsurvie kit show backup_seen" in told
    assert "kitsurvie deploy" not in told


def test_a_drift_is_shown_with_both_sides_its_age_and_its_proof() -> None:
    since = (ENDED - timedelta(days=9)).isoformat()
    one = firewall(found="<accept>", expected="drop", since=since)
    text = shown(document(host("agn-srv", "drift", measures=[one]))).text
    assert "depuis le 03/10/2026 00:14 (8\u00a0jours avant ce passage)" in text
    assert "kitsurvie compliance evidence agn-srv firewall/test_default_drop --run 412" in text
    assert re.search(r"attendu\s*drop\s*trouvé\s*<accept>", text)
    unaged = shown(document(host("a", "drift", measures=[firewall()]))).text
    assert "constaté 12/10/2026 00:03" in unaged


def test_an_absent_machine_is_no_drift_and_keeps_the_date_it_was_seen() -> None:
    last = {"at": "2026-10-09T00:00:12+00:00", "run": 409, "days": 3,
            "checks": [verdict("test_x", "drift")]}  # fmt: skip
    of = document(host("pc", "unreachable", standing="absent", seen=None, last_seen=last))
    text = shown(of).text
    assert "Rien\u00a0: aucun écart, aucune panne." in text
    assert "09/10/2026 00:00 (3\u00a0jours avant ce passage), 1 à voir alors" in text


def test_what_is_new_is_left_out_when_nobody_knows() -> None:
    of = document(host("a"))
    assert "Nouveau depuis" not in shown(of).text
    since = {"from": {"run": 411, "started": "2026-10-11T00:00:00+00:00"}}
    known = shown(of, changes=since).text
    assert "Nouveau depuis le passage n°\u00a0411" in known
    assert "Rien de nouveau." in known


def test_a_page_that_shows_an_old_run_says_so_at_its_top() -> None:
    of = document(host("a"))
    assert "Attention" not in shown(of).text
    late = shown(of, now=ENDED.timestamp() + 5 * 86_400)
    assert "ce constat avait déjà 5\u00a0jours" in late.text


def test_a_waiver_about_to_end_is_told_with_the_name_of_its_member() -> None:
    ending = [{"measure": "firewall", "check": None, "for": "215000027", "owner": "B. Lecomte",
               "until": "2026-10-20"}]  # fmt: skip
    text = shown(document(host("a"), waivers_ending=ending)).text
    assert "firewall, Agneaux\u00a0: finit le 20/10/2026 (B. Lecomte)" in text


def test_what_somebody_answers_for_is_told_and_comes_last() -> None:
    updates = measure("updates", verdict("test_fresh", "drift"))
    said = {"measure": "firewall", "check": "test_default_drop", "by": "M. Roux",
            "reason": "the modem", "until": "2026-10-31"}  # fmt: skip
    of = document(
        *(host(n, "drift", measures=[firewall()], acknowledged=[said]) for n in ("a", "b")),
        host("c", "drift", measures=[updates]),
    )
    text = shown(of).text
    assert "pris en compte jusqu’au 31/10/2026 par M. Roux\u00a0: the modem" in text
    first = text[: text.index("Les plus touchés")]
    assert first.index("--measure updates") < first.index("--measure firewall")


def test_both_languages_have_the_same_words_with_the_same_places_to_fill() -> None:
    french, english = words.WORDS["fr"], words.WORDS["en"]
    assert french.keys() == english.keys()
    places = {key: sorted(set(re.findall(r"\{\d\}", text))) for key, text in french.items()}
    assert places == {
        key: sorted(set(re.findall(r"\{\d\}", text))) for key, text in english.items()
    }


def brightness(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(c * 2 for c in colour)
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_of_text_stands_out_from_its_background() -> None:
    text = page.render(document(host("a")), "fr", {}, now=NOW).decode()
    themes = re.findall(r":root \{(.*?)\}", text, re.S)
    assert len(themes) == 3
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): #([0-9a-f]+)", theme))
        for ink in ("ink", "soft", "link", "bad", "warn", "info", "quiet", "good"):
            for ground in ("paper", "card"):
                pair = sorted((brightness(colours[ink]), brightness(colours[ground])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (ink, ground)
