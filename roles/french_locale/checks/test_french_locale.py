"""Does the machine speak French, from the login screen on?"""

import shlex

import pytest

MADE = "locale -a"
DEFAULT = "sed -n 's/^LANG=//p' /etc/default/locale"
KEYBOARD = 'sed -nE \'s/^XKB(LAYOUT|VARIANT)="?([^"]*)"?$/\\1 \\2/p\' /etc/default/keyboard'
ASKED = "sed -nE 's/^([^#[:space:]]+)[[:space:]].*/\\1/p' /etc/locale.gen"


def test_what_makes_languages_is_installed(host, params):
    """Le nécessaire pour parler français est installé."""
    names = sorted(params["french_locale__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def languages(params):
    return sorted([params["french_locale__language"], *params["french_locale__others"]])


def test_the_languages_are_made(host, params):
    """Les langues prévues sont prêtes."""
    made = host.run(MADE).stdout.split()
    found = [name for name in languages(params) if name.replace("UTF-8", "utf8") in made]
    expected = languages(params)
    assert found == expected


def test_the_languages_come_back_after_an_update(host, params):
    """Une mise à jour du système garde ces langues."""
    asked = host.run(ASKED).stdout.split()
    found = [name for name in languages(params) if name in asked]
    expected = languages(params)
    assert found == expected


def test_french_is_the_language_by_default(host, params):
    """L’ordinateur parle français, sauf si chacun choisit autre chose."""
    found = [value.strip("\"'") for value in host.run(DEFAULT).stdout.split()]
    expected = [params["french_locale__language"]]
    assert found == expected


def test_the_keyboard_is_the_right_one(host, params):
    """Les touches du clavier donnent les lettres qui y sont imprimées."""
    layout, variant = params["french_locale__keyboard"], params["french_locale__keyboard_variant"]
    if not layout:
        pytest.skip("the keyboard is left as it is")
    rows = host.run(KEYBOARD).stdout.splitlines()
    found = sorted(row.strip() for row in rows)
    expected = sorted([f"LAYOUT {layout}", f"VARIANT {variant}".strip()])
    assert found == expected
