"""Is whoever insists at the door kept away, for a while, and never those who look after it?"""

import ipaddress
import re

STATE = "systemctl is-enabled fail2ban; systemctl is-active fail2ban"
IN_FORCE = (
    "for what in bantime findtime maxretry; do echo $what $(fail2ban-client get sshd $what); done"
)
SPARED = "fail2ban-client get sshd ignoreip"
# what it reads and what it does: the journal of the service, and a ban in nftables
WATCHED = "fail2ban-client get sshd journalmatch | tail -n 1; fail2ban-client get sshd actions"
# every file of settings as fail2ban itself puts them together
NEXT_START = "fail2ban-client -d"
KEYS = {
    "bantime": "intrusion_guard__ban_s",
    "findtime": "intrusion_guard__within_s",
    "maxretry": "intrusion_guard__attempts",
}
ITSELF = ("127.0.0.0/8", "::1")
# ['set', 'sshd', 'addignoreip', '127.0.0.0/8', '::1'] and ['set', 'sshd', 'maxretry', 5]
WORD = re.compile(r"'([^']*)'|\b([0-9]+)\b")


def network(said):
    """An address in one form: 192.0.2.1 and 192.0.2.1/32 are the same. A name is a name."""
    try:
        return str(ipaddress.ip_network(said, strict=False))
    except ValueError:
        return said


def networks(said):
    return sorted(network(one) for one in said)


def spared(params):
    return networks([*ITSELF, *params["intrusion_guard__never_banned"]])


def told(params):
    return {key: str(params[name]) for key, name in KEYS.items()}


def test_somebody_watches_the_door(host):
    """Quelqu’un surveille la porte, dès le démarrage de la machine."""
    found = host.run(STATE).stdout.split()
    expected = ["enabled", "active"]
    assert found == expected


def test_who_insists_is_kept_away_for_a_while(host, params):
    """Celui qui insiste est tenu à l’écart le temps prévu, pas davantage."""
    lines = host.run(IN_FORCE).stdout.splitlines()
    found = {key: value for key, _, value in (line.partition(" ") for line in lines)}
    expected = told(params)
    assert found == expected


def test_administrators_are_never_kept_away(host, params):
    """Le service informatique n’est jamais tenu à l’écart, et personne d’autre n’est épargné."""
    lines = host.run(SPARED).stdout.splitlines()
    found = networks([line[3:] for line in lines if line.startswith(("|- ", "`- "))])
    expected = spared(params)
    assert found == expected


def test_the_journal_is_what_is_watched(host):
    """La surveillance lit le journal de la machine et ferme la porte elle-même."""
    said = host.run(WATCHED).stdout.split()
    found = sorted({word for word in said if word.startswith(("_SYSTEMD_UNIT=", "nftables"))})
    expected = ["_SYSTEMD_UNIT=ssh.service", "nftables"]
    assert found == expected


def test_the_next_start_watches_as_well(host, params):
    """La surveillance sera la même au prochain démarrage."""
    lines = host.run(NEXT_START).stdout.splitlines()
    rows = [[quoted or number for quoted, number in WORD.findall(line)] for line in lines]
    said = {row[2]: row[3:] for row in rows if row[:2] == ["set", "sshd"]}
    found = {key: " ".join(said.get(key, ["not set"])) for key in KEYS}
    found["never kept away"] = networks(said.get("addignoreip", []))
    expected = {**told(params), "never kept away": spared(params)}
    assert found == expected
