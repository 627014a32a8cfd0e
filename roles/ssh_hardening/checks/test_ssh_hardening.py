"""Does sshd let in administrators' keys alone? Judged by what is in force, not by a file."""

import pytest

# with the options that the service is started with, which win over every file
IN_FORCE = (
    "options=$(sed -nE 's/^[[:space:]]*SSHD_OPTS=//p' /etc/default/ssh 2>/dev/null | tail -n 1); "
    "/usr/sbin/sshd -T $(printf '%s' \"$options\" | tr -d '\\047\"') "
    "-C user=root,host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22"
)
# `sshd -T` answers for one account from one address. This reads the files as sshd does, Include by
# Include, and prints where a keyword opens the door to others. The same text as files/openings.awk.
OPENINGS_PROGRAM = r"""
BEGIN {
  count = split("permitrootlogin passwordauthentication kbdinteractiveauthentication " \
    "challengeresponseauthentication skeyauthentication permitemptypasswords " \
    "hostbasedauthentication gssapiauthentication", word, " ")
  for (i = 1; i <= count; i++) watched[word[i]] = 1
  top = 1; path[1] = "/etc/ssh/sshd_config"; busy[path[1]] = 1
  while (top) {
    status = (getline line < path[top])
    if (status != 1) {
      if (status == -1) print path[top] ": cannot be read"
      close(path[top]); delete busy[path[top]]
      number[top] = inside[top] = 0; top--
      continue
    }
    number[top]++
    gsub(/[ \t\r="]+/, " ", line)
    count = split(line, word, " ")
    keyword = tolower(word[1]); value = tolower(word[2])
    where = path[top] ":" number[top] ": "
    if (keyword == "match") inside[top] = 1
    if (keyword in watched) {
      if (value != "no" && (inside[top] || !(keyword in settled)))
        print where keyword " " value (inside[top] ? ", in a Match block" : "")
      if (!inside[top]) settled[keyword] = 1
    }
    if (keyword != "include") continue
    conditional = inside[top]; found = 0
    for (i = 2; i <= count && word[i] !~ /^#/; i++) {
      if (word[i] !~ /^[A-Za-z0-9_.\/*?-]+$/) {
        print where "an Include that is not followed"
        continue
      }
      list = "LC_ALL=C ls -d " (word[i] ~ /^\// ? "" : "/etc/ssh/") word[i] " 2>/dev/null"
      while ((list | getline one) == 1) name[++found] = one
      close(list)
    }
    for (; found; found--) if (!(name[found] in busy)) {
      path[++top] = name[found]; busy[name[found]] = 1
      number[top] = 0; inside[top] = conditional
    }
  }
  while ((getline line < "/etc/default/ssh") == 1) {
    options++
    if (line !~ /^[ \t]*SSHD_OPTS=/) continue
    sub(/^[ \t]*SSHD_OPTS=/, "", line); gsub(/[^A-Za-z0-9\/_.=-]+/, " ", line)
    count = split(tolower(line), word, " ")
    for (i = 1; i <= count; i++) {
      one = word[i]
      if (one == "-o" || one == "-f") one = one word[++i]
      where = "/etc/default/ssh:" options ": "
      if (one ~ /^-f/) print where "another file of settings"
      if (one !~ /^-o/) continue
      split(substr(one, 3), pair, "=")
      if ((pair[1] in watched) && pair[2] != "no") print where pair[1] " " pair[2]
    }
  }
}
"""
OPENINGS = f"LC_ALL=C awk '{OPENINGS_PROGRAM}'"
GUARD = (
    "cat /var/lib/kitsurvie/guard/ssh_hardening.restored 2>/dev/null; "
    "test ! -e /etc/systemd/system/kitsurvie-guard-ssh_hardening.timer || echo not yet proved; "
    # nothing to say is not the same as no answer
    "echo looked"
)


def in_force(host, *keywords):
    """The settings in force, as lists of values; a setting that sshd does not tell is not there."""
    answer = host.run(IN_FORCE)
    if answer.rc != 0:
        return {"sshd refuses its own configuration": [answer.stderr.strip()]}
    found = {}
    for line in answer.stdout.splitlines():
        keyword, _, value = line.partition(" ")
        if keyword in keywords:
            found.setdefault(keyword, []).append(value)
    return {keyword: sorted(values) for keyword, values in sorted(found.items())}


def test_root_cannot_log_in_from_afar(host):
    """Personne ne se connecte à distance sous le compte tout-puissant « root »."""
    found = in_force(host, "permitrootlogin")
    expected = {"permitrootlogin": ["no"]}
    assert found == expected


def test_no_password_opens_the_door(host):
    """Aucun mot de passe ne permet d’entrer à distance : il faut une clé personnelle."""
    expected = {
        "gssapiauthentication": ["no"],
        "hostbasedauthentication": ["no"],
        "kbdinteractiveauthentication": ["no"],
        "passwordauthentication": ["no"],
        "permitemptypasswords": ["no"],
        "pubkeyauthentication": ["yes"],
    }
    found = in_force(host, *expected)
    assert found == expected


def test_no_exception_opens_the_door(host):
    """Aucune exception n’ouvre la porte à un mot de passe ou au compte « root »."""
    answer = host.run(OPENINGS)
    openings = sorted(set(answer.stdout.splitlines()))
    found = {"sshd's files could be read": answer.rc == 0, "openings": openings}
    expected = {"sshd's files could be read": True, "openings": []}
    assert found == expected


def test_keys_are_read_in_one_place_only(host):
    """Les clés d’un compte se trouvent dans un seul fichier, celui qui est vérifié."""
    found = in_force(host, "authorizedkeysfile")
    expected = {"authorizedkeysfile": [".ssh/authorized_keys"]}
    assert found == expected


def test_the_encryption_is_strong(host, params):
    """La liaison à distance n’emploie que des chiffrements solides."""
    expected = {
        "ciphers": [",".join(params["ssh_hardening__ciphers"])],
        "kexalgorithms": [",".join(params["ssh_hardening__kex_algorithms"])],
        "macs": [",".join(params["ssh_hardening__macs"])],
    }
    found = in_force(host, *expected)
    assert found == expected


def test_a_session_is_no_tunnel(host, params):
    """Une connexion à distance ne sert pas de passage vers d’autres machines."""
    expected = {
        "allowagentforwarding": [params["ssh_hardening__allow_agent_forwarding"]],
        "allowtcpforwarding": [params["ssh_hardening__allow_tcp_forwarding"]],
        "permittunnel": ["no"],
        "x11forwarding": ["no"],
    }
    found = in_force(host, *expected)
    assert found == expected


def test_attempts_are_few_and_silent_sessions_closed(host, params):
    """Les essais de connexion sont comptés et les connexions qui ne répondent plus sont fermées."""
    expected = {
        "clientalivecountmax": ["2"],
        "clientaliveinterval": [str(params["ssh_hardening__client_alive_interval_s"])],
        "compression": ["no"],
        "logingracetime": [str(params["ssh_hardening__login_grace_time_s"])],
        "loglevel": ["VERBOSE"],
        "maxauthtries": [str(params["ssh_hardening__max_auth_tries"])],
        "maxsessions": [str(params["ssh_hardening__max_sessions"])],
        "tcpkeepalive": ["no"],
    }
    found = in_force(host, *expected)
    assert found == expected


def test_only_the_declared_accounts_may_log_in(host, params):
    """Seuls les comptes déclarés peuvent se connecter à distance."""
    declared = {
        "allowgroups": sorted(params["ssh_hardening__allow_groups"]),
        "allowusers": sorted(params["ssh_hardening__allow_users"]),
    }
    expected = {keyword: names for keyword, names in declared.items() if names}
    if not expected:
        pytest.skip("no list of accounts is declared for this machine")
    found = in_force(host, *declared)
    assert found == expected


def test_remote_access_runs_and_comes_back_at_every_start(host):
    """L’accès à distance fonctionne et revient à chaque démarrage."""
    answer = host.run(
        "for unit in ssh.service ssh.socket; do "
        'systemctl -q is-enabled "$unit" && systemctl -q is-active "$unit" && echo ready; done'
    )
    found = "ready" if "ready" in answer.stdout.split() else "neither enabled nor running"
    expected = "ready"
    assert found == expected


def test_the_last_change_was_proved(host):
    """Le dernier changement de l’accès à distance a été vérifié, et non annulé."""
    found = host.run(GUARD).stdout.splitlines()
    expected = ["looked"]
    assert found == expected
