"""Does the computer rest when nobody uses it?"""

import pytest

LOGIND = (
    "busctl get-property org.freedesktop.login1 /org/freedesktop/login1 "
    "org.freedesktop.login1.Manager "
    "IdleAction IdleActionUSec HandleLidSwitch HandleLidSwitchExternalPower HandleLidSwitchDocked"
)
# what is read after ours would win
LATER = "find /etc/systemd/logind.conf.d -name '*.conf' -printf '%f\\n' 2>/dev/null; echo looked"
GOVERNORS = (
    "cat /sys/devices/system/cpu/cpufreq/policy*/scaling_governor 2>/dev/null | sort -u; "
    "echo looked"
)
DESKTOP = "cat /etc/dconf/db/kitsurvie.d/50-power_saving"
PROFILE = "grep -x system-db:kitsurvie /etc/dconf/profile/user"
COMPILED = (
    "command -v dconf >/dev/null || { echo no desktop; exit; }; "
    "test -e /etc/dconf/db/kitsurvie || { echo never compiled; exit; }; "
    "find /etc/dconf/db/kitsurvie.d -newer /etc/dconf/db/kitsurvie -printf 'not compiled: %f\\n'; "
    "echo looked"
)
NETWORK = "sed -n 's/^WakeOnLan=//p' /etc/systemd/network/99-default.link.d/kitsurvie-power.conf"
OFF = (
    "systemctl is-active kitsurvie-power-off.timer; "
    "sed -n 's/^OnCalendar=//p' /etc/systemd/system/kitsurvie-power-off.timer 2>/dev/null"
)


def logind(host, *names):
    """What logind has in force, by name."""
    lines = host.run(LOGIND).stdout.splitlines()
    said = dict(zip(LOGIND.split()[5:], (one.split(None, 1)[-1] for one in lines), strict=False))
    return {name: said.get(name, "no answer").strip('"') for name in names}


def test_an_idle_machine_goes_to_sleep(host, params):
    """L’ordinateur se met en veille quand personne ne s’en sert."""
    minutes = int(params["power_saving__suspend_after_min"])
    found = logind(host, "IdleAction", "IdleActionUSec")
    expected = {
        "IdleAction": "suspend" if minutes else "ignore",
        "IdleActionUSec": str((minutes or 30) * 60_000_000),
    }
    assert found == expected


def test_a_closed_laptop_does_as_declared(host, params):
    """Un portable que l’on ferme se met en veille, ou fait ce que la collectivité a choisi."""
    names = ("HandleLidSwitch", "HandleLidSwitchExternalPower", "HandleLidSwitchDocked")
    found = logind(host, *names)
    lid = params["power_saving__lid"]
    expected = dict(zip(names, (lid, lid, "ignore"), strict=True))
    assert found == expected


def test_nothing_is_read_after_these_settings(host):
    """Aucun autre fichier ne vient contredire ces réglages."""
    names = host.run(LATER).stdout.split()
    ours = "zz-kitsurvie-power.conf"
    found = {"ours": ours in names, "after ours": sorted(n for n in names if n > ours)}
    expected = {"ours": True, "after ours": []}
    assert found == expected


def test_the_screen_goes_off(host, params):
    """L’écran s’éteint quand personne ne s’en sert."""
    dark = int(params["power_saving__screen_off_after_min"]) * 60
    sleep = int(params["power_saving__suspend_after_min"]) * 60
    said, section = {}, ""
    for line in host.run(DESKTOP).stdout.splitlines():
        key, _, value = line.partition("=")
        section = line.strip("[]") if line.startswith("[") else section
        said[f"{section}/{key}"] = value
    wanted = {
        "org/gnome/desktop/session/idle-delay": f"uint32 {dark}",
        "org/cinnamon/desktop/session/idle-delay": f"uint32 {dark}",
        "org/mate/power-manager/sleep-display-ac": f"{dark}",
        "org/gnome/settings-daemon/plugins/power/sleep-inactive-ac-timeout": f"{sleep}",
        "org/cinnamon/settings-daemon/plugins/power/sleep-inactive-ac-timeout": f"{sleep}",
        "org/mate/power-manager/sleep-computer-ac": f"{sleep}",
    }
    found = {key: said.get(key, "not set") for key in wanted}
    found["read by sessions"] = host.run(PROFILE).stdout.strip()
    expected = {**wanted, "read by sessions": "system-db:kitsurvie"}
    assert found == expected


def test_the_desktop_was_told(host):
    """Le bureau de l’ordinateur a pris ces réglages en compte."""
    found = host.run(COMPILED).stdout.splitlines()
    if found == ["no desktop"]:
        pytest.skip("no desktop that reads dconf is installed")
    expected = ["looked"]
    assert found == expected


def test_the_network_wakes_it_only_where_declared(host, params):
    """Le réseau ne réveille pas l’ordinateur, sauf si la collectivité l’a demandé."""
    found = host.run(NETWORK).stdout.strip()
    expected = "magic" if params["power_saving__wake_on_lan"] else "off"
    assert found == expected


def test_it_is_switched_off_when_declared(host, params):
    """L’ordinateur s’éteint de lui-même après la fermeture, là où c’est demandé."""
    found = host.run(OFF).stdout.splitlines()
    hour, _, minute = params["power_saving__off_from"].partition(":")
    expected = ["active", f"*-*-* {hour}..23:{minute}:00"] if hour else ["inactive"]
    assert found == expected


def test_the_processors_are_set_at_every_start(host, params):
    """Le réglage des processeurs est refait à chaque démarrage."""
    if not params["power_saving__cpu_governor"]:
        pytest.skip("the speed of the processors is left alone: power_saving__cpu_governor")
    found = host.run("systemctl is-enabled kitsurvie-cpu-governor.service").stdout.strip()
    expected = "enabled"
    assert found == expected


def test_no_processor_is_kept_at_full_speed(host, params):
    """Aucun processeur ne tourne à pleine vitesse sans travail."""
    if not params["power_saving__cpu_governor"]:
        pytest.skip("the speed of the processors is left alone: power_saving__cpu_governor")
    kind = host.run("systemd-detect-virt").stdout.strip()
    if kind not in ("", "none"):
        pytest.skip(f"a virtual machine or a container ({kind}) leaves it to its host")
    governors = host.run(GOVERNORS).stdout.split()
    found = {"looked": "looked" in governors, "at full speed": "performance" in governors}
    expected = {"looked": True, "at full speed": False}
    assert found == expected
