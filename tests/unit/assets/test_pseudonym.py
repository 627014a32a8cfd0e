"""Who somebody is stays with the export; that it is the same person does not get lost."""

from __future__ import annotations

import hmac
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.assets.pseudonym import PATTERN, Pseudonyms, read_key
from kitsurvie.errors import WorkspaceError

PEOPLE = Pseudonyms(b"k" * 32)


@pytest.mark.parametrize(
    "said",
    [
        *("marie.dupont", "MARIE.DUPONT", " Marie.Dupont ", "MAIRIE\\marie.dupont"),
        *("marie.dupont@saint-lo.fr", "MAIRIE\\Marie.Dupont@saint-lo.fr", ".\\marie.dupont"),
        *("marie.dupont, MAIRIE\\marie.dupont", "marie.dupont/MARIE.DUPONT"),
    ],
)
def test_one_person_is_one_pseudonym_however_an_export_writes_the_login(said: str) -> None:
    digest = hmac.new(b"k" * 32, b"marie.dupont", "sha256").hexdigest()
    assert PEOPLE.of(said) == f"p-{digest[:32]}"


def test_accents_make_no_other_person_and_punctuation_does() -> None:
    assert PEOPLE.of("hélène") == PEOPLE.of("HELENE")
    assert PEOPLE.of("j.martin") != PEOPLE.of("jmartin")


def test_another_key_gives_other_pseudonyms() -> None:
    assert Pseudonyms(b"j" * 32).of("marie") != PEOPLE.of("marie")


@pytest.mark.parametrize(
    "said",
    [
        *("administrateur", "Administrator", "admin", "PC-1\\Admin", "root", "SYSTEM", "Système"),
        *("AUTORITE NT\\Système", "NT AUTHORITY\\LOCAL SERVICE", "defaultuser0", "DefaultUser1"),
        *("PC-ACCUEIL$", "glpi-deploy", "support.syndicat", "svc_backup", "adm.dupont", "", "  "),
        *(
            "krbtgt",
            "Invité",
            "WDAGUtilityAccount",
            "localadmin",
            "admin@mairie.fr",
            "nobody",
            "wtmp",
        ),
    ],
)
def test_administrators_and_services_are_nobody(said: str) -> None:
    assert PEOPLE.of(said) == ""


@pytest.mark.parametrize("said", ["adminette", "rooty", "servane", "accueil", "secretariat.mairie"])
def test_a_name_that_only_begins_so_is_somebody(said: str) -> None:
    assert PATTERN.fullmatch(PEOPLE.of(said))


def test_a_syndicate_names_its_own_accounts_that_are_nobody() -> None:
    ours = Pseudonyms(b"k" * 32, nobody=("SYNDICAT\\Dépannage",))
    assert ours.of("depannage@syndicat.fr") == ""
    assert ours.of("marie") == PEOPLE.of("marie")


def test_several_people_in_one_cell_name_nobody() -> None:
    assert PEOPLE.of("marie, paul") == ""
    assert PEOPLE.of("marie\nadministrateur") == PEOPLE.of("marie")


def test_a_pseudonym_that_comes_back_is_its_own() -> None:
    assert PEOPLE.of(PEOPLE.of("marie")) == PEOPLE.of("marie")


@given(st.text())
def test_whatever_a_login_is_it_gives_a_pseudonym_or_nobody(said: str) -> None:
    found = PEOPLE.of(said)
    assert found == "" or PATTERN.fullmatch(found)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "people.key"
    key = read_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert read_key(path) == key
    assert [one.name for one in path.parent.iterdir()] == ["people.key"]


def test_two_who_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(read_key(tmp_path / "key"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o604, 0o777])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    read_key(path)
    path.chmod(mode)
    with pytest.raises(WorkspaceError, match="can be read by others"):
        read_key(path)


def test_in_a_workspace_of_a_group_the_key_is_the_groups_and_nobody_elses(tmp_path: Path) -> None:
    tmp_path.chmod(0o2770)
    path = tmp_path / "key"
    key = read_key(path)
    assert path.stat().st_mode & 0o777 == 0o660
    assert read_key(path) == key
    path.chmod(0o664)
    with pytest.raises(WorkspaceError, match="can be read by others"):
        read_key(path)


@pytest.mark.parametrize("text", ["", "secret", "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n\n"])
def test_a_key_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(WorkspaceError, match="hexadecimal"):
        read_key(path)
    assert path.read_text() == text


def test_a_link_or_a_pipe_in_the_place_of_the_key_is_refused(tmp_path: Path) -> None:
    read_key(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("link", "pipe"):
        with pytest.raises(WorkspaceError):
            read_key(tmp_path / name)


def test_logins_that_a_syndicate_says_are_nobody_are_nobody_however_they_are_written() -> None:
    people = Pseudonyms(b"k" * 32, ["Borne-Accueil", "киоск", "---", ""])
    for said in ("borne-accueil", "MAIRIE\\Borne.Accueil", "borne accueil@mairie.fr", "КИОСК"):
        assert people.of(said) == ""
    for said in ("марина", "marie", "borne"):
        assert people.of(said)
