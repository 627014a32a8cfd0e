"""Are the administrator's tools there, before they are needed?"""

import shlex

import pytest

# which program of a package somebody types
PROGRAMS = {
    "bind9-dnsutils": "dig",
    "iputils-tracepath": "tracepath",
    "pciutils": "lspci",
    "smartmontools": "smartctl",
    "usbutils": "lsusb",
}
WATCHED = "systemctl is-enabled smartmontools.service"


def test_the_tools_are_installed(host, params):
    """Les outils de dépannage sont installés."""
    names = sorted(params["admin_tools__packages"])
    if not names:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, names))
    rows = host.run(f"dpkg-query -W -f '${{Package}} ${{db:Status-Status}}\\n' {asked}").stdout
    found = sorted(rows.splitlines())
    expected = [f"{name} installed" for name in names]
    assert found == expected


def test_the_tools_can_be_run(host, params):
    """Ces outils se lancent par leur nom."""
    programs = sorted(PROGRAMS.get(name, name) for name in params["admin_tools__packages"])
    if not programs:
        pytest.skip("no package is asked for")
    asked = " ".join(map(shlex.quote, programs))
    there = host.run(f"for one in {asked}; do command -v $one; done").stdout.split()
    found = sorted(path.rpartition("/")[2] for path in there)
    expected = programs
    assert found == expected


def test_the_disks_are_watched(host, params):
    """La santé des disques est surveillée."""
    if "smartmontools" not in params["admin_tools__packages"]:
        pytest.skip("smartmontools is not asked for")
    found = host.run(WATCHED).stdout.strip()
    expected = "enabled"
    assert found == expected


def test_names_can_be_looked_up(host, params):
    """Une panne de noms, la plus courante sur un réseau, peut être diagnostiquée sur place."""
    if "bind9-dnsutils" not in params["admin_tools__packages"]:
        pytest.skip("bind9-dnsutils is not asked for")
    # dig says its version where nothing else is to be said
    found = host.run("dig -v 2>&1").stdout.partition(" ")[0]
    expected = "DiG"
    assert found == expected
