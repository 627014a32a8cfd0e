"""Does a machine that sleeps at night look at itself, and hand in to the right place?"""

import pytest

FOLDER = "/var/lib/kitsurvie/self_observation"
TIMERS = "kitsurvie-self-observation.timer kitsurvie-hand-in.timer"
RUNS = f"systemctl is-enabled {TIMERS}; systemctl is-active {TIMERS}"
# what kitsurvie brings; tests/unit holds these equal to files/
BROUGHT = {
    "/etc/systemd/system/kitsurvie-hand-in.service": (
        "9d44e8db0d391ef2701dfa694aa61b5b445ade328e546197c13aa46696c008ec"
    ),
    "/etc/systemd/system/kitsurvie-self-observation.service": (
        "c26b93828376ef43956b03addaec117d07ca7df203fb36a00951c59b92949a11"
    ),
    "/usr/local/lib/kitsurvie/runner.py": (
        "53a92ec2b62ea5e19804247a0aab03740b3e71003d7f2f72162ec5003f0fd748"
    ),
    "/usr/local/lib/kitsurvie/self_observation.py": (
        "81b7f141e82bdf82f57ea03d32395114b86d2b55396bc9b3b3afd357edb7f93d"
    ),
}
DIGESTS = f"sha256sum {' '.join(BROUGHT)}"
# kitsurvie reads both answers: which list the machine has, and which key it hands in with
LIST = f"sha256sum {FOLDER}/commands.json"
KEY = f"cat {FOLDER}/key.pub"
CLOSED = f"stat -c '%n %U %a' {FOLDER} {FOLDER}/key {FOLDER}/commands.json"
ROAD = f"cat {FOLDER}/ssh_config {FOLDER}/known_hosts"
ENDED = (
    "systemctl show --property Result kitsurvie-self-observation.service kitsurvie-hand-in.service"
)


def only_where_it_is_wanted(params):
    if not params["self_observation__server"]:
        pytest.skip("no control node to hand in to is named (self_observation__server)")


def test_the_machine_looks_at_itself(host, params):
    """L’ordinateur se vérifie lui-même chaque jour, et transmet ce qu’il a constaté."""
    only_where_it_is_wanted(params)
    found = host.run(RUNS).stdout.split()
    expected = ["enabled", "enabled", "active", "active"]
    assert found == expected


def test_what_looks_is_what_the_kit_brought(host, params):
    """Les programmes qui vérifient l’ordinateur sont bien ceux qui ont été installés."""
    only_where_it_is_wanted(params)
    lines = [line.split() for line in host.run(DIGESTS).stdout.splitlines()]
    found = {path: digest for digest, path in lines}
    expected = BROUGHT
    assert found == expected


def test_the_list_of_what_is_asked_is_there(host, params):
    """La liste des points à vérifier est en place."""
    only_where_it_is_wanted(params)
    found = "there" if host.run(LIST).rc == 0 else "not there"
    expected = "there"
    assert found == expected


def test_its_key_is_closed_to_everybody_else(host, params):
    """La clé de l’ordinateur n’est lisible par personne."""
    only_where_it_is_wanted(params)
    said = host.run(KEY).stdout.split()
    lines = [line.split() for line in host.run(CLOSED).stdout.splitlines()]
    found = {"key": said[:1], **{path: f"{owner} {mode}" for path, owner, mode in lines}}
    expected = {
        "key": ["ssh-ed25519"],
        FOLDER: "root 700",
        f"{FOLDER}/key": "root 600",
        f"{FOLDER}/commands.json": "root 600",
    }
    assert found == expected


def test_it_hands_in_to_the_control_node_and_nobody_else(host, params):
    """Ce que l’ordinateur constate n’est transmis qu’à l’assistance, qu’il sait reconnaître."""
    only_where_it_is_wanted(params)
    lines = [" ".join(line.split()) for line in host.run(ROAD).stdout.splitlines()]
    found = sorted(line for line in lines if line and not line.startswith("#"))
    expected = sorted(
        [
            "Host control",
            f"HostName {params['self_observation__server']}",
            f"Port {params['self_observation__port']}",
            "User kitsurvie-spool",
            "HostKeyAlias control",
            f"UserKnownHostsFile {FOLDER}/known_hosts",
            "GlobalKnownHostsFile /dev/null",
            "StrictHostKeyChecking yes",
            "UpdateHostKeys no",
            "CheckHostIP no",
            f"IdentityFile {FOLDER}/key",
            "IdentitiesOnly yes",
            "IdentityAgent none",
            "PreferredAuthentications publickey",
            "BatchMode yes",
            "ConnectTimeout 20",
            "ServerAliveInterval 15",
            "ServerAliveCountMax 2",
            "ClearAllForwardings yes",
            "RequestTTY no",
            *[f"control {key}" for key in params["self_observation__host_keys"]],
        ]
    )
    assert found == expected


def test_the_last_time_went_well(host, params):
    """La dernière vérification et sa transmission se sont bien passées."""
    only_where_it_is_wanted(params)
    found = [line for line in host.run(ENDED).stdout.splitlines() if line]
    expected = ["Result=success", "Result=success"]
    assert found == expected
