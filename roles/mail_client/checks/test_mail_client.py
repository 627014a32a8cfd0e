"""Is there a mail program in French that betrays no reader?"""

import json
import shlex

import pytest

POLICIES = "cat /etc/thunderbird/policies/policies.json"
MODE = "stat -c '%U %a' /etc/thunderbird/policies/policies.json"


def test_the_mail_program_is_installed(host, params):
    """Le logiciel de messagerie et sa traduction française sont installés."""
    names = sorted(params["mail_client__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def policies(host):
    """What the program was told; it reads nothing from a file that is no JSON."""
    try:
        said = json.loads(host.run(POLICIES).stdout)
    except ValueError:
        said = {}
    return said.get("policies", {}) if isinstance(said, dict) else {}


def test_the_mail_program_obeys_our_policies(host, params):
    """La messagerie suit les réglages prévus : en français, sans statistiques envoyées."""
    ours = {**params["mail_client__policies"], **params["mail_client__extra_policies"]}
    told = policies(host)
    found = {name: told.get(name, "not set") for name in ours}
    expected = ours
    assert found == expected


def test_a_sender_does_not_learn_who_has_read(host, params):
    """Les images distantes, qui disent à l’expéditeur que son message a été lu, sont bloquées."""
    if "Preferences" in params["mail_client__extra_policies"]:
        pytest.skip("the member has preferences of its own")
    name = "mailnews.message_display.disable_remote_image"
    found = policies(host).get("Preferences", {}).get(name, {}).get("Value")
    expected = True
    assert found == expected


def test_only_an_administrator_changes_the_policies(host):
    """Seul un administrateur peut changer ces réglages."""
    found = host.run(MODE).stdout.strip()
    expected = "root 644"
    assert found == expected
