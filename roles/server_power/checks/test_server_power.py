"""Does the server stay awake, and its processors rest between two requests?"""

import pytest

LOGIND = (
    "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 "
    "org.freedesktop.login1.Manager "
    "IdleAction HandleLidSwitch HandleLidSwitchExternalPower HandleLidSwitchDocked HandleSuspendKey"
)
# what is read after ours would win
LATER = "find /etc/systemd/logind.conf.d -name '*.conf' -printf '%f\\n' 2>/dev/null; echo looked"
GOVERNORS = (
    "cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor 2>/dev/null | sort -u; "
    "echo looked"
)
# every file that systemd reads, in its order: the last of two equal names wins
SLEEP = "systemd-analyze cat-config systemd/sleep.conf"


def logind(host, *names):
    """What logind has in force, by name."""
    lines = host.run(LOGIND).stdout.splitlines()
    said = dict(zip(LOGIND.split()[5:], (one.split(None, 1)[-1] for one in lines), strict=False))
    return {name: said.get(name, "no answer").strip('"') for name in names}


def test_the_server_cannot_be_put_to_sleep(host):
    """Le serveur ne peut pas être mis en veille."""
    lines = host.run(SLEEP).stdout.splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    ways = ("Suspend", "Hibernation", "SuspendThenHibernate", "HybridSleep")
    found = {way: said.get(f"Allow{way}", "not set") for way in ways}
    expected = dict.fromkeys(ways, "no")
    assert found == expected


def test_neither_idleness_nor_a_lid_stops_it(host):
    """Ni l’inactivité ni la fermeture d’un écran n’arrêtent le serveur."""
    names = LOGIND.split()[5:]
    found = logind(host, *names)
    expected = dict.fromkeys(names, "ignore")
    assert found == expected


def test_nothing_is_read_after_these_settings(host):
    """Aucun autre fichier ne vient contredire ces réglages."""
    names = host.run(LATER).stdout.split()
    ours = "zz-kitsurvie-server-power.conf"
    found = {
        "ours": ours in names,
        "after ours": sorted(n for n in names if n > ours),
    }
    expected = {"ours": True, "after ours": []}
    assert found == expected


def test_the_processors_are_set_at_every_start(host, params):
    """Le réglage des processeurs est refait à chaque démarrage."""
    if not params["server_power__cpu_governor"]:
        pytest.skip("the speed of the processors is left alone: server_power__cpu_governor")
    found = host.run("systemctl is-enabled kitsurvie-cpu-governor.service").stdout.strip()
    expected = "enabled"
    assert found == expected


def test_no_processor_is_kept_at_full_speed(host, params):
    """Aucun processeur ne tourne à pleine vitesse sans travail."""
    if not params["server_power__cpu_governor"]:
        pytest.skip("the speed of the processors is left alone: server_power__cpu_governor")
    kind = host.run("systemd-detect-virt").stdout.strip()
    if kind not in ("", "none"):
        pytest.skip(f"a virtual machine or a container ({kind}) leaves it to its host")
    governors = host.run(GOVERNORS).stdout.split()
    found = {"looked": "looked" in governors, "at full speed": "performance" in governors}
    expected = {"looked": True, "at full speed": False}
    assert found == expected
