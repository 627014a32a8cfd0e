"""Are programs held to what they need, and is that so after the next start too?"""

import pytest

RELEASE = '. /etc/os-release; echo "$ID $VERSION_ID"'
CONTAINER = "systemd-detect-virt --container"
# the folder may not be there: that is no profile switched off, where the one above it is
SWITCHED_OFF = "find /etc/apparmor.d -mindepth 2 -maxdepth 2 -path '*/disable/*'"
PROFILES = "cat /sys/kernel/security/apparmor/profiles"


def only_on_supported_releases(host):
    release = host.run(RELEASE).stdout.strip()
    if release not in ("debian 12", "debian 13"):
        pytest.skip(f"proved on Debian 12 and 13 only, not on {release}")


def only_with_a_kernel_of_its_own(host):
    only_on_supported_releases(host)
    kind = host.run(CONTAINER).stdout.strip()
    if kind not in ("none", ""):
        pytest.skip(f"a container ({kind}) has the kernel of its host")


def test_it_is_installed(host):
    """Le gardien qui limite ce que chaque logiciel peut faire est installé."""
    only_on_supported_releases(host)
    found = host.run("dpkg-query -W -f '${db:Status-Status}' apparmor").stdout
    expected = "installed"
    assert found == expected


def test_the_profiles_are_loaded_at_every_start(host):
    """Ces limites se remettent en place à chaque démarrage."""
    only_on_supported_releases(host)
    found = host.run("systemctl is-enabled apparmor.service").stdout.strip()
    expected = "enabled"
    assert found == expected


def test_no_profile_is_switched_off_undeclared(host, params):
    """Aucune de ces limites n’a été levée sans que cela soit déclaré."""
    only_on_supported_releases(host)
    answer = host.run(SWITCHED_OFF)
    names = sorted(line.rpartition("/")[2] for line in answer.stdout.splitlines())
    undeclared = [name for name in names if name not in params["apparmor__disabled"]]
    found = {"the profiles could be listed": answer.rc == 0, "switched off": undeclared}
    expected = {"the profiles could be listed": True, "switched off": []}
    assert found == expected


def test_the_kernel_holds_programs_to_their_profiles(host):
    """Le cœur du système applique réellement ces limites."""
    only_with_a_kernel_of_its_own(host)
    found = host.run("cat /sys/module/apparmor/parameters/enabled").stdout.strip()
    expected = "Y"
    assert found == expected


def test_no_profile_only_complains_undeclared(host, params):
    """Aucune de ces limites ne se contente de signaler au lieu d’empêcher."""
    only_with_a_kernel_of_its_own(host)
    lines = host.run(PROFILES).stdout.splitlines()
    complaining = [line.rpartition(" (")[0] for line in lines if line.endswith("(complain)")]
    undeclared = sorted(set(complaining) - set(params["apparmor__complaining"]))
    found = {"profiles are loaded": bool(lines), "only complaining": undeclared}
    expected = {"profiles are loaded": True, "only complaining": []}
    assert found == expected
