"""The settings of a workspace: strict, and the same wherever one stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitsurvie import workspace
from kitsurvie.errors import WorkspaceError


def load(root: Path, text: str) -> workspace.Workspace:
    (root / "kitsurvie.toml").write_text(text)
    return workspace.load(root)


@pytest.mark.parametrize(
    "line",
    ["parallel = 50.0", "parallel = 0", "parallel = true", "connect_timeout_s = inf",
     "connect_timeout_s = 0.4", "ledger = 3", "inventory = []", 'nobody = "kiosk"', "nobody = [3]",
     'nobody = [" "]', 'nobody = ["a\\u001bb"]', 'syndicate = "25500123"', "syndicate = 255001234",
     "dpo = []"],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_refused_by_name(tmp_path: Path, line: str) -> None:
    with pytest.raises(WorkspaceError, match=f"The setting {line.split()[0]} must be"):
        load(tmp_path, line)


def test_an_unknown_setting_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError) as refused:
        load(tmp_path, "paralel = 5")
    assert "parallel" in refused.value.remedy


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("", "sqlite:///{root}/.kitsurvie/ledger.sqlite"),
        ("sqlite:///ours/ledger.sqlite", "sqlite:///{root}/ours/ledger.sqlite"),
        ("sqlite:////srv/ledger.sqlite", "sqlite:////srv/ledger.sqlite"),
        ("sqlite:///file:x?mode=ro&uri=true", "sqlite:///file:x?mode=ro&uri=true"),
        ("postgresql+psycopg://db/kit", "postgresql+psycopg://db/kit"),
    ],
)
def test_the_ledger_is_the_same_wherever_one_stands(tmp_path: Path, given: str, meant: str) -> None:
    place = load(tmp_path, f'ledger = "{given}"')
    assert place.ledger_url == meant.format(root=tmp_path.resolve())


def test_who_runs_kitsurvie_and_which_logins_are_nobody_are_settings(tmp_path: Path) -> None:
    place = load(
        tmp_path,
        'nobody = ["borne", "borne", "accueil"]\nsyndicate = "255001234"\ndpo = " A  B "\n',
    )
    assert place.nobody == ("borne", "accueil")
    assert (place.syndicate, place.dpo) == ("255001234", "A B")
