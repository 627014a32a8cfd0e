"""Is there a safe for passwords, and does it lock itself?"""

import re
import shlex

import pytest

FILE = "/etc/skel/.config/keepassxc/keepassxc.ini"
SETTINGS = f"cat {FILE}"
MODE = f"stat -c '%U %a' {FILE}"


def test_the_safe_is_installed(host, params):
    """Le coffre-fort de mots de passe est installé."""
    names = sorted(params["password_manager__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def settings(host):
    """Where a new account begins."""
    return dict(re.findall(r"(?m)^(\w+)=(.*)$", host.run(SETTINGS).stdout))


def test_a_new_safe_locks_itself(host, params):
    """Un coffre oublié ouvert se referme de lui-même."""
    said = settings(host)
    names = ("LockDatabaseIdle", "LockDatabaseIdleSeconds", "LockDatabaseScreenLock")
    found = [said.get(name) for name in names]
    expected = ["true", str(params["password_manager__lock_after_s"]), "true"]
    assert found == expected


def test_a_copied_password_does_not_stay(host, params):
    """Un mot de passe copié disparaît vite du presse-papiers."""
    said = settings(host)
    found = [said.get(name) for name in ("ClearClipboard", "ClearClipboardTimeout")]
    expected = ["true", str(params["password_manager__clear_after_s"])]
    assert found == expected


def test_it_speaks_french_and_asks_nobody_for_updates(host):
    """Le coffre s’ouvre en français, et c’est Debian qui le met à jour."""
    said = settings(host)
    found = [said.get(name) for name in ("Language", "CheckForUpdates")]
    expected = ["fr", "false"]
    assert found == expected


def test_only_an_administrator_changes_the_settings(host):
    """Seul un administrateur peut changer ces réglages."""
    found = host.run(MODE).stdout.strip()
    expected = "root 644"
    assert found == expected
