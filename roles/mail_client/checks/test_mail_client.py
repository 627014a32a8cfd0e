"""Is there a mail program in French that betrays no reader?"""

import json
import shlex

import pytest

RELEASE = '. /etc/os-release; echo "$ID $VERSION_ID"'
POLICIES = "cat /etc/thunderbird/policies/policies.json"
MODE = "stat -c '%U %a' /etc/thunderbird/policies/policies.json"


def only_on_supported_releases(host):
    release = host.run(RELEASE).stdout.strip()
    if release not in ("debian 12", "debian 13"):
        pytest.skip(f"proved on Debian 12 and 13 only, not on {release}")


def test_the_mail_program_is_installed(host, params):
    """Le logiciel de messagerie et sa traduction française sont installés."""
    only_on_supported_releases(host)
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
    only_on_supported_releases(host)
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
    only_on_supported_releases(host)
    found = host.run(MODE).stdout.strip()
    expected = "root 644"
    assert found == expected
