"""Are programs held to what they need, and is that so after the next start too?"""

import pytest

CONTAINER = "systemd-detect-virt --container"
# a folder may not be there: that is nothing weakened, where the one above it can be read
WEAKENED = (
    "find /etc/apparmor.d -mindepth 2 -maxdepth 2 "
    r"\( -path '*/disable/*' -o -path '*/force-complain/*' \)"
)
PROFILES = "cat /sys/kernel/security/apparmor/profiles"


def only_with_a_kernel_of_its_own(host):
    kind = host.run(CONTAINER).stdout.strip()
    if kind not in ("none", ""):
        pytest.skip(f"a container ({kind}) has the kernel of its host")


def test_it_is_installed(host):
    """Le gardien qui limite ce que chaque logiciel peut faire est installé."""
    found = host.run("dpkg-query -W -f '${db:Status-Status}' apparmor").stdout
    expected = "installed"
    assert found == expected


def test_the_profiles_are_loaded_at_every_start(host):
    """Ces limites se remettent en place à chaque démarrage."""
    found = host.run("systemctl is-enabled apparmor.service").stdout.strip()
    expected = "enabled"
    assert found == expected


def undeclared(host, folder, declared):
    """The links in a folder of AppArmor that nobody declared; whether it could be looked at."""
    answer = host.run(WEAKENED)
    paths = [line for line in answer.stdout.splitlines() if f"/{folder}/" in line]
    names = sorted(path.rpartition("/")[2] for path in paths)
    return {
        "the profiles could be listed": answer.rc == 0,
        folder: [name for name in names if name not in declared],
    }


def test_no_profile_is_switched_off_undeclared(host, params):
    """Aucune de ces limites n’a été levée sans que cela soit déclaré."""
    found = undeclared(host, "disable", params["apparmor__disabled"])
    expected = {"the profiles could be listed": True, "disable": []}
    assert found == expected


def test_no_profile_was_set_to_complain_undeclared(host, params):
    """Aucune de ces limites n’a été réglée pour signaler au lieu d’empêcher."""
    found = undeclared(host, "force-complain", params["apparmor__complaining"])
    expected = {"the profiles could be listed": True, "force-complain": []}
    assert found == expected


def test_the_kernel_holds_programs_to_their_profiles(host):
    """Le cœur du système applique réellement ces limites."""
    only_with_a_kernel_of_its_own(host)
    enabled = host.run("cat /sys/module/apparmor/parameters/enabled").stdout.strip()
    lines = host.run(PROFILES).stdout.splitlines()
    in_force = any(line.endswith("(enforce)") for line in lines)
    found = {"enabled": enabled, "profiles are in force": in_force}
    expected = {"enabled": "Y", "profiles are in force": True}
    assert found == expected
