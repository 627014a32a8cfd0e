"""What is collected is declared, and the entries of article 30 say what is collected."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from sqlalchemy import MetaData

from kitsurvie.assets import acts, privacy
from kitsurvie.assets.readers import Item
from kitsurvie.cli import init
from kitsurvie.cli import privacy as command
from kitsurvie.errors import UsageError
from kitsurvie.ledger import hand_ins, readings, register_tables, schema


def shapes() -> dict[str, list[str]]:
    """Every shape that is read, decided or kept, and its fields."""
    found: dict[str, list[str]] = {}
    for shape in (*get_args(Item), *acts.SHAPES.values()):
        for one in reached(shape):
            found[one.__name__] = [field.name for field in dataclasses.fields(one)]
    for kept in (register_tables, schema, hand_ins, readings):
        found |= tables(kept.metadata)
    return found


def reached(shape: Any) -> Iterator[Any]:
    """A dataclass, and those that its fields hold."""
    if dataclasses.is_dataclass(shape):
        yield shape
        for hint in get_type_hints(shape).values():
            yield from reached(hint)
    else:
        for part in get_args(shape):
            yield from reached(part)


def tables(metadata: MetaData) -> dict[str, list[str]]:
    return {
        table.name: [column.name for column in table.columns] for table in metadata.sorted_tables
    }


def test_every_field_that_is_collected_is_declared_and_no_other() -> None:
    assert privacy.undeclared(shapes()) == []
    assert privacy.unused(shapes()) == []


@pytest.mark.parametrize(
    ("shape", "field"),
    [("Record", "telephone"), ("SessionDay", "hour"), ("asset_days", "hour"), ("Badge", "number")],
)
def test_a_field_that_nobody_declared_is_found(shape: str, field: str) -> None:
    more = shapes()
    more[shape] = [*more.get(shape, []), field]
    assert privacy.undeclared(more) == [f"{shape}.{field}"]


def test_every_category_has_fields_and_both_languages() -> None:
    for data, category in privacy.CATEGORIES.items():
        assert privacy.fields(data), data
        for text in (category.label, category.subjects, category.retention):
            assert text.fr
            assert text.en
            assert text.fr != text.en
    assert set(privacy.CATEGORIES) == set(privacy.Data) - {privacy.Data.NOBODY}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    init.init(tmp_path / "syndicate")
    return tmp_path / "syndicate"


def document(capsys: pytest.CaptureFixture[str], **asked: Any) -> Mapping[str, Any]:
    capsys.readouterr()
    command.privacy(json=True, **asked)
    found: Mapping[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_controller_and_the_processor_have_what_article_30_asks_of_each(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (root / "kitsurvie.toml").open("a") as file:
        file.write('syndicate = "255001234"\ndpo = "dpo@syndicat.example"\n')
    found = document(capsys, member="215000027", workspace=root)
    for entry in found["controller"]:
        assert entry["controller_name"] == "Agneaux (SIREN 215000027)"
        assert entry["processor_name"] == "SIREN 255001234"
        for name in ("purpose", "contact", "dpo", "data", "recipients", "transfers", "security"):
            assert entry[name], name
        assert all(one["kept"] and one["people"] and one["fields"] for one in entry["data"])
    for entry in found["processor"]:
        assert entry["dpo_of_processor"] == "dpo@syndicat.example"
        assert entry["controllers"] == ["Agneaux (SIREN 215000027)"]
        for name in ("operations", "transfers", "security"):
            assert entry[name], name
    (use,) = [
        one
        for entry in found["controller"]
        for one in entry["data"]
        if "asset_days.day" in one["fields"]
    ]
    assert use["kept"].startswith("90 jours")


def test_it_says_whether_the_staff_of_a_member_was_consulted(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"member": "215000027", "lang": "en", "workspace": root}
    before = document(capsys, **asked)["controller"][0]
    assert "use is not collected" in before["consulted"]
    (root / "inventory" / "consultations.yml").write_text(
        'consultations:\n  - {member: "215000027", body: a committee, on: "2026-03-12"}\n'
    )
    after = document(capsys, **asked)["controller"][0]
    assert after["consulted"] == "a committee, 2026-03-12"


def test_the_time_limits_are_those_of_the_workspace(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (root / "kitsurvie.toml").open("a") as file:
        file.write("verdicts_days = 123\n")
    told = json.dumps(document(capsys, workspace=root), ensure_ascii=False)
    assert "123 jours" in told
    assert not re.search(r"\{\w+\}", told)


def test_the_register_of_a_commune_is_in_french_and_in_english_when_asked(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    capsys.readouterr()
    command.privacy(workspace=root)
    french = capsys.readouterr().out
    assert "Registre du responsable de traitement (RGPD, article 30, paragraphe 1)" in french
    assert "Registre du sous-traitant" in french
    assert "à compléter" in french
    command.privacy(record="processor", lang="en", workspace=root)
    english = capsys.readouterr().out
    assert "Processor's record (GDPR, article 30, paragraph 2)" in english
    assert "Controller's record" not in english


def test_a_member_that_there_is_not_is_refused(root: Path) -> None:
    for wrong in ("215009999", "../etc", "\x1b[2J"):
        with pytest.raises(UsageError, match="There is no member"):
            command.privacy(member=wrong, workspace=root)
