"""Does a double click on a PDF open the reader?"""

import shlex

import pytest

CHOICE = (
    "sed -nE '/^\\[Default Applications\\]/,/^\\[[^D]/s,^application/pdf=,,p' "
    "/etc/xdg/mimeapps.list"
)
MODE = "stat -c '%U %a' /etc/xdg/mimeapps.list"


def test_the_reader_is_installed(host, params):
    """Le lecteur de PDF est installé."""
    names = sorted(params["pdf_reader__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def test_a_double_click_opens_the_reader(host, params):
    """Un double clic sur un PDF ouvre le lecteur prévu."""
    wanted = params["pdf_reader__application"]
    if not wanted:
        pytest.skip("no application is asked for")
    found = host.run(CHOICE).stdout.split()
    expected = [wanted]
    assert found == expected


def test_the_reader_is_in_the_menu(host, params):
    """Le lecteur est dans le menu des applications."""
    wanted = params["pdf_reader__application"]
    if not wanted:
        pytest.skip("no application is asked for")
    path = f"/usr/share/applications/{wanted}"
    found = host.run(f"grep -c '^MimeType=.*application/pdf' {shlex.quote(path)}").stdout.strip()
    expected = "1"
    assert found == expected


def test_only_an_administrator_changes_the_choice(host, params):
    """Seul un administrateur peut changer ces réglages."""
    if not params["pdf_reader__application"]:
        pytest.skip("no application is asked for")
    found = host.run(MODE).stdout.strip()
    expected = "root 644"
    assert found == expected
