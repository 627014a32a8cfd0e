"""Is there a browser in French that obeys our policies, and no others that undo them?"""

import json
import shlex

import pytest

POLICIES = "cat /etc/firefox/policies/policies.json"
MODE = "stat -c '%U %a' /etc/firefox/policies/policies.json"


def policies(host):
    """What the browser was told; it reads nothing from a file that is no JSON."""
    try:
        said = json.loads(host.run(POLICIES).stdout)
    except ValueError:
        said = {}
    return said.get("policies", {}) if isinstance(said, dict) else {}


def test_the_browser_is_installed(host, params):
    """Le navigateur et sa traduction française sont installés."""
    names = sorted(params["web_browser__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def test_the_browser_obeys_our_policies(host, params):
    """Le navigateur suit les réglages prévus : en français, sans pistage, sans publicité."""
    ours = {**params["web_browser__policies"], **params["web_browser__extra_policies"]}
    told = policies(host)
    found = {name: told.get(name, "not set") for name in ours}
    expected = ours
    assert found == expected


def test_the_browser_opens_on_the_chosen_page(host, params):
    """Le navigateur s’ouvre sur la page d’accueil choisie."""
    told = policies(host)
    page = params["web_browser__home_page"]
    others = params["web_browser__extra_policies"]
    found = {"policies": bool(told), "page": told.get("Homepage", {}).get("URL", "")}
    expected = {"policies": True, "page": others.get("Homepage", {}).get("URL", page)}
    assert found == expected


def test_only_declared_extensions_may_be_installed(host, params):
    """Seules les extensions choisies par le service informatique peuvent s’installer."""
    settings = policies(host).get("ExtensionSettings", {})
    allowed = {name for name, one in settings.items() if one.get("installation_mode") != "blocked"}
    language = "langpack-fr@firefox-esr.mozilla.org"
    declared = {language: {}, **params["web_browser__extensions"]}
    declared = params["web_browser__extra_policies"].get("ExtensionSettings", declared)
    expected = {
        "others": "blocked",
        "allowed": sorted(
            name for name, one in declared.items() if one.get("installation_mode") != "blocked"
        ),
    }
    others = settings.get("*", {}).get("installation_mode", "allowed")
    found = {"others": others, "allowed": sorted(allowed - {"*"})}
    assert found == expected


def test_passwords_are_remembered_only_where_that_is_wanted(host, params):
    """Le navigateur ne propose de retenir les mots de passe que là où c’est voulu."""
    told = policies(host)
    found = {"policies": bool(told), "offers": told.get("OfferToSaveLogins", True)}
    wanted = params["web_browser__extra_policies"].get(
        "OfferToSaveLogins", params["web_browser__save_passwords"]
    )
    expected = {"policies": True, "offers": wanted}
    assert found == expected


def test_only_an_administrator_changes_the_policies(host):
    """Seul un administrateur peut changer ces réglages."""
    found = host.run(MODE).stdout.strip()
    expected = "root 644"
    assert found == expected
