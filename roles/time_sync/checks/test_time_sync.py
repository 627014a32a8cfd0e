"""Has the machine one clock, set by the servers that were chosen?"""

import pytest

CONTAINER = "systemd-detect-virt --container"
# Debian's packages of this kind all say that they are one
DAEMONS = (
    "dpkg-query -W -f '${db:Status-Status} ${Package} ${Provides}\\n' "
    "| sed -nE 's/^installed ([^ ]+) .*\\btime-daemon\\b.*/\\1/p'"
)
ENABLED = "systemctl is-enabled systemd-timesyncd.service"
ACTIVE = "systemctl is-active systemd-timesyncd.service"
# every file in the order in which it is read, each below a line that names it
SETTINGS = "systemd-analyze cat-config systemd/timesyncd.conf"
IN_FORCE = "timedatectl show-timesync -p SystemNTPServers -p FallbackNTPServers"
SET = "timedatectl show -p NTPSynchronized --value"


def only_with_a_clock_of_its_own(host):
    kind = host.run(CONTAINER).stdout.strip()
    if kind not in ("", "none"):
        pytest.skip(f"the clock is that of the machine that holds this container ({kind})")


def listed(text):
    """The servers of each setting, and the file that had the last word; an empty line forgets."""
    said = {"NTP": [], "FallbackNTP": []}
    named = {"NTP": "", "FallbackNTP": ""}
    file = ""
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if line.startswith("# /"):
            file = line[2:].strip()
        elif equals and key.strip() in said and not line.startswith(("#", ";")):
            said[key.strip()] = said[key.strip()] + value.split() if value.strip() else []
            named[key.strip()] = file
    return said, named


def test_one_program_alone_sets_the_clock(host):
    """Un seul programme met la machine à l’heure."""
    found = host.run(DAEMONS).stdout.split()
    expected = ["systemd-timesyncd"]
    assert found == expected


def test_the_clock_is_set_at_every_start(host):
    """La machine se met à l’heure à chaque démarrage."""
    found = host.run(ENABLED).stdout.strip()
    expected = "enabled"
    assert found == expected


def test_the_time_comes_from_the_chosen_servers(host, params):
    """L’heure vient des serveurs choisis par le service informatique."""
    answer = host.run(SETTINGS)
    said, named = listed(answer.stdout if answer.rc == 0 else "")
    expected = {"NTP": list(params["time_sync__servers"]), "FallbackNTP": []}
    found = {
        key: servers if servers == expected[key] else [*servers, f"said by {named[key]}"]
        for key, servers in said.items()
    }
    assert found == expected


def test_the_clock_listens_to_them_now(host, params):
    """Ces serveurs sont ceux que la machine écoute en ce moment."""
    only_with_a_clock_of_its_own(host)
    # asking a service that is stopped what it does would start it
    lines = host.run(f"{ACTIVE} && {IN_FORCE}").stdout.splitlines()
    found = [line for line in lines if line != "FallbackNTPServers="]
    expected = ["active", f"SystemNTPServers={' '.join(params['time_sync__servers'])}"]
    assert found == expected


def test_the_clock_is_right(host):
    """La machine est à l’heure."""
    only_with_a_clock_of_its_own(host)
    found = host.run(SET).stdout.strip()
    expected = "yes"
    assert found == expected
