"""Is there an account for everybody that opens at the screen alone, and that keeps nothing?"""

import json
import shlex

import pytest

PROGRAM = (
    "/usr/bin/python3 -I -S -B /usr/local/lib/kitsurvie/public_access.py "
    "/var/lib/kitsurvie/public_access"
)
# what logind does, whoever has the last word on it
LOGIND = (
    "for name in UserStopDelayUSec KillUserProcesses KillOnlyUsers KillExcludeUsers RemoveIPC; do "
    "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 "
    'org.freedesktop.login1.Manager "$name"; done'
)
# the last value wins; with journals of their own, accounts may read them
JOURNAL = (
    "systemd-analyze cat-config systemd/journald.conf | "
    "sed -nE 's/^[[:space:]]*SplitMode[[:space:]]*=[[:space:]]*(.*)$/\\1/p' | tail -n 1"
)
POLICIES = "cat /etc/firefox/policies/policies.json"
PAM = (
    "cd /etc/pam.d && LC_ALL=C grep -E 'pam_succeed_if\\.so quiet user = |/public_access\\.py ' "
    "common-auth common-account common-session"
)
POLKIT = "cat /etc/polkit-1/rules.d/00-kitsurvie-public-access.rules"
REFUSED = (
    "org.freedesktop.NetworkManager.settings.modify.own",
    "org.freedesktop.accounts.change-own-user-data",
    "org.freedesktop.login1.set-self-linger",
)
# where everybody may write, and where cron, at and the mail keep what is an account's
FOLDERS = (
    "/dev/mqueue /dev/shm /run /run/lock /tmp /var/crash /var/lib/lightdm-data /var/mail "
    "/var/spool /var/tmp"
)


def test_the_account_has_no_password_and_no_rights(host, params):
    """Le compte en libre accès n’a ni mot de passe ni aucun droit particulier."""
    name = params["public_access__account"]
    asked = shlex.quote(name)
    answer = host.run(
        f"getent passwd {asked} && passwd -S {asked} | cut -d ' ' -f 2 && id -nG {asked}; "
        f"grep -hE '^({asked}|{params['public_access__uid']}):' /etc/subuid /etc/subgid"
    )
    found = answer.stdout.splitlines()
    uid = params["public_access__uid"]
    full, home = params["public_access__full_name"], params["public_access__home"]
    expected = [f"{name}:x:{uid}:{uid}:{full}:{home}:/bin/bash", "L", name]
    assert found == expected


def test_its_home_is_made_for_a_visit_and_gone_after(host, params):
    """Le dossier du visiteur est créé à son arrivée, en mémoire, et disparaît à son départ."""
    home = shlex.quote(params["public_access__home"])
    uid = params["public_access__uid"]
    on_disk = host.run(
        f"if mountpoint -q {home}; then findmnt -n -o FSTYPE,SOURCE --mountpoint {home}; "
        f"else stat -c '%U %a' {home} && find {home} -mindepth 1 -maxdepth 1 | grep -c .; fi"
    ).stdout.split()
    unit = host.run(
        f"systemctl cat user-runtime-dir@{uid}.service | grep -E '^Exec(StartPost|StopPost)='"
    ).stdout.splitlines()
    found = {
        "home": "in memory" if on_disk == ["tmpfs", "kitsurvie-public-access"] else on_disk,
        "begin and end": sorted(unit),
    }
    expected = {
        "home": "in memory" if found["home"] == "in memory" else ["root", "555", "0"],
        "begin and end": [f"ExecStartPost={PROGRAM} prepare", f"ExecStopPost={PROGRAM} wipe"],
    }
    assert found == expected


def test_the_measure_knows_whose_visits_they_are(host, params):
    """Le programme qui efface les traces est réglé pour ce compte."""
    answer = host.run(
        "cat /var/lib/kitsurvie/public_access/settings.json && "
        "test -s /usr/local/lib/kitsurvie/public_access.py && "
        "systemctl cat kitsurvie-public-access-leave.service >/dev/null"
    )
    try:
        found = json.loads(answer.stdout) if answer.rc == 0 else "not there"
    except ValueError:
        found = "no settings"
    expected = {
        "account": params["public_access__account"],
        "also_swept": sorted(params["public_access__also_swept"]),
        "home": params["public_access__home"],
        "home_size": params["public_access__home_size"],
        "programs_allowed": params["public_access__programs_allowed"],
        "skeleton": params["public_access__skeleton"],
        "uid": params["public_access__uid"],
    }
    assert found == expected


def test_what_a_visitor_runs_ends_with_the_visit(host, params):
    """Aucun programme lancé par un visiteur ne continue après son départ."""
    lines = host.run(LOGIND).stdout.splitlines()
    lines = [line.partition(" ")[2] for line in lines] + [""] * 5
    named = f'"{params["public_access__account"]}"'
    found = {
        "delay": lines[0],
        "ended": lines[1] == "true" or named in lines[2].split(),
        "spared": named in lines[3].split(),
        "shared memory": lines[4],
    }
    expected = {"delay": "0", "ended": True, "spared": False, "shared memory": "true"}
    assert found == expected


def test_visitors_come_in_at_the_screen_alone(host, params):
    """Ce compte ne s’ouvre qu’à l’écran d’accueil : ni par le réseau, ni en tâche de fond."""
    name = params["public_access__account"]
    screens = params["public_access__login_screens"]
    user = f"pam_succeed_if.so quiet user = {name}"
    rows = [" ".join(line.split()) for line in host.run(PAM).stdout.splitlines()]
    # by how many modules PAM jumps over the others is its own affair
    found = [row.partition("[")[0] + row.partition("] ")[2] if "[" in row else row for row in rows]
    expected = [
        f"common-auth:auth {user} service in {':'.join(screens)}",
        f"common-account:account {user} service notin {':'.join([*screens, 'systemd-user'])}",
        f"common-session:session {user}",
        f"common-session:session requisite pam_exec.so quiet {PROGRAM} session",
    ]
    assert found == expected


def test_visitors_change_nothing_that_lasts(host, params):
    """Un visiteur ne peut rien laisser tourner ni rien régler pour les suivants."""
    text = host.run(POLKIT).stdout
    found = {
        "whom": f'subject.user == "{params["public_access__account"]}"' in text,
        "what": [one for one in REFUSED if f'"{one}"' in text],
        "answer": "polkit.Result.NO" in text,
    }
    expected = {"whom": True, "what": list(REFUSED), "answer": True}
    assert found == expected


def test_the_journal_tells_visitors_nothing(host):
    """Un visiteur ne peut pas lire dans le journal ce qu’ont fait les précédents."""
    found = host.run(JOURNAL).stdout.strip()
    expected = "none"
    assert found == expected


def test_the_browser_remembers_nothing(host, params):
    """Le navigateur ne retient ni mot de passe, ni formulaire, ni historique."""
    try:
        said = json.loads(host.run(POLICIES).stdout)
    except ValueError:
        said = {}
    told = said.get("policies", {}) if isinstance(said, dict) else {}
    ours = params["public_access__browser_policies"]
    if not ours:
        pytest.skip("nothing is told the browser here")
    found = {name: told.get(name, "not set") for name in ours}
    expected = ours
    assert found == expected


def test_nothing_of_former_visitors_is_left(host, params):
    """Rien de ce qu’ont fait les visiteurs précédents ne reste sur le poste."""
    uid = params["public_access__uid"]
    more = " ".join(map(shlex.quote, params["public_access__also_swept"]))
    answer = host.run(
        f"if test -e /run/user/{uid}; then echo visit; else "
        f"find {FOLDERS} {more} -xdev -uid {uid} 2>/dev/null | grep -c .; fi"
    )
    if answer.stdout.strip() == "visit":
        pytest.skip("somebody is sitting there")
    found = {"files": answer.stdout.strip()}
    expected = {"files": "0"}
    assert found == expected
