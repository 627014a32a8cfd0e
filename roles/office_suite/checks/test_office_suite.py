"""Is there a French office suite that others can exchange with, and that holds macros back?"""

import re
import shlex

import pytest

FILE = "/usr/lib/libreoffice/share/registry/kitsurvie.xcd"
SETTINGS = f"cat {FILE}"
MODE = f"stat -c '%U %a' {FILE}"
DICTIONARY = "find /usr/share/hunspell/ -name 'fr*.dic' -size +100 | grep -c ."
FILTERS = {
    "odf": ["writer8", "calc8", "impress8"],
    "ooxml": ["MS Word 2007 XML", "Calc MS Excel 2007 XML", "Impress MS PowerPoint 2007 XML"],
}


def test_the_office_suite_is_installed(host, params):
    """La suite bureautique et sa traduction française sont installées."""
    names = sorted(params["office_suite__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def settings(host):
    """Each setting of ours with its values, in order; "final" where nobody may change it."""
    said = {}
    for name, final, value in re.findall(
        r'<prop oor:name="(\w+)"( oor:finalized="true")?><value>([^<]*)</value>',
        host.run(SETTINGS).stdout,
    ):
        said.setdefault(name, []).append(f"{value} (final)" if final else value)
    return said


def test_nobody_is_met_by_a_tour(host):
    """La suite s’ouvre sur le travail, sans conseil du jour ni visite guidée."""
    said = settings(host)
    found = {name: said.get(name) for name in ("FirstRun", "ShowTipOfTheDay")}
    expected = {"FirstRun": ["false"], "ShowTipOfTheDay": ["false"]}
    assert found == expected


def test_documents_are_in_french(host):
    """Les menus et les documents sont en français."""
    said = settings(host)
    names = ("UILocale", "DefaultLocale", "ooSetupSystemLocale")
    found = {name: said.get(name) for name in names}
    expected = dict(zip(names, (["fr"], ["fr-FR"], ["fr-FR"]), strict=True))
    assert found == expected


def test_spelling_is_checked_in_french(host, params):
    """L’orthographe française est vérifiée."""
    if "hunspell-fr" not in params["office_suite__packages"]:
        pytest.skip("no French dictionary is asked for")
    found = {"a French dictionary": host.run(DICTIONARY).stdout.strip() not in ("", "0")}
    expected = {"a French dictionary": True}
    assert found == expected


def test_unknown_macros_do_not_run(host, params):
    """Un document reçu ne lance pas de programme caché, et ce réglage ne peut pas baisser."""
    found = settings(host).get("MacroSecurityLevel")
    expected = [f"{params['office_suite__macro_security']} (final)"]
    assert found == expected


def test_documents_are_saved_in_the_chosen_format(host, params):
    """Un nouveau document s’enregistre au format choisi par la collectivité."""
    found = settings(host).get("ooSetupFactoryDefaultFilter")
    expected = FILTERS.get(params["office_suite__document_format"], ["odf or ooxml"])
    assert found == expected


def test_only_an_administrator_changes_the_settings(host):
    """Seul un administrateur peut changer ces réglages."""
    found = host.run(MODE).stdout.strip()
    expected = "root 644"
    assert found == expected
