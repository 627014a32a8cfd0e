"""Would a stolen list of passwords be of any use? Numbers alone leave the machine, no name."""

import re

NEW = "sed -nE 's/^password[[:space:]].*pam_unix\\.so//p' /etc/pam.d/common-password"
ASKED = "sed -nE 's/^auth[[:space:]].*pam_unix\\.so/options:/p' /etc/pam.d/common-auth"
METHOD = "sed -nE 's/^[[:space:]]*ENCRYPT_METHOD[[:space:]]+//p' /etc/login.defs"
METHODS = {"md5", "bigcrypt", "sha256", "sha512", "blowfish", "gost_yescrypt", "yescrypt"}
# every account can read this file: a print in it is everybody's
OPEN = "grep -cvE '^[^:]+:[x*!]+:' /etc/passwd"
EMPTY = "all=$(passwd -S -a) || exit; printf '%s\\n' \"$all\" | cut -d ' ' -f 2 | grep -cx NP"


def test_a_new_password_is_kept_by_a_slow_method(host, params):
    """Un nouveau mot de passe est gardé sous une forme très longue à deviner."""
    words = host.run(NEW).stdout.split()
    found = {
        "methods": sorted(METHODS & set(words)),
        "cost": [word for word in words if word.startswith("rounds=")],
    }
    expected = {
        "methods": ["yescrypt"],
        "cost": [f"rounds={params['password_storage__yescrypt_cost']}"],
    }
    assert found == expected


def test_the_other_tools_keep_passwords_in_the_same_way(host):
    """Les outils d’administration gardent les mots de passe sous la même forme."""
    found = host.run(METHOD).stdout.split()
    expected = ["YESCRYPT"]
    assert found == expected


def test_no_password_is_kept_where_all_can_read_it(host):
    """Aucun mot de passe n’est gardé dans la liste des comptes, que tous peuvent lire."""
    found = host.run(OPEN).stdout.strip()
    expected = "0"
    assert found == expected


def test_no_account_is_without_a_password(host):
    """Aucun compte n’a un mot de passe vide."""
    found = host.run(EMPTY).stdout.strip()
    expected = "0"
    assert found == expected


def test_an_empty_password_opens_nothing(host):
    """Un mot de passe vide n’ouvre aucune session."""
    lines = host.run(ASKED).stdout.splitlines()
    found = sorted({word for line in lines for word in line.split() if "null" in word})
    found = found if lines else ["nothing asks for a password"]
    expected = []
    assert found == expected


def test_no_password_is_kept_by_an_old_method(host, params):
    """Aucun mot de passe n’est gardé sous une forme ancienne, facile à deviner."""
    marks = "|".join(re.escape(one) for one in params["password_storage__accepted_methods"])
    answer = host.run(
        "all=$(getent shadow) || exit; printf '%s\\n' \"$all\" | cut -d : -f 2 "
        f"| grep -cvE '^([!*]*|!*\\$({marks})\\$.*)$'"
    )
    found = {"passwords kept by an old method": answer.stdout.strip()}
    expected = {"passwords kept by an old method": "0"}
    assert found == expected
