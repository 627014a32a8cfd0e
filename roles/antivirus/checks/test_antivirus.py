"""Are the shared folders looked through each night, with a list of threats that is up to date?"""

import shlex

import pytest

PACKAGES = "dpkg-query -W -f '${Package} ${db:Status-Status}\\n' clamav clamav-freshclam"
SERVICE = "systemctl is-enabled {unit}; systemctl is-active {unit}"
LIST = (
    "find /var/lib/clamav -maxdepth 1 -type f -name {name}'.*' -size +0 -printf 'there\\n' -quit "
    "2>/dev/null; find /var/lib/clamav -maxdepth 1 -type f -name {name}'.*' -size +0 "
    "-mtime -{days} -printf 'recent\\n' -quit 2>/dev/null; echo looked"
)
PATHS = "cat /etc/kitsurvie-antivirus.paths"
# `since` is as old as the measure on this machine: before the first night there is no scan to see
SCAN = (
    "find /var/lib/kitsurvie/antivirus -maxdepth 1 \\( -name scanned -o -name since \\) "
    "-mtime -{days} -printf 'recent\\n' -quit 2>/dev/null"
)
# how many, never which: the name of a file may be somebody's
FOUND = (
    "cd /var/lib/kitsurvie/antivirus && "
    "{ test -e scanned || echo not yet; cat found 2>/dev/null | grep -c .; }"
)


def where_wanted(params):
    if not params["antivirus__wanted"]:
        pytest.skip("this server keeps no files of others: antivirus__wanted is false")


def test_the_antivirus_is_installed(host, params):
    """L’antivirus et ce qui tient à jour sa liste sont installés."""
    where_wanted(params)
    found = sorted(host.run(PACKAGES).stdout.splitlines())
    expected = ["clamav installed", "clamav-freshclam installed"]
    assert found == expected


def test_the_list_of_threats_is_kept_up_to_date(host, params):
    """Le service qui met à jour la liste des menaces est actif."""
    where_wanted(params)
    found = host.run(SERVICE.format(unit="clamav-freshclam.service")).stdout.split()
    expected = ["enabled", "active"]
    assert found == expected


def test_the_list_of_threats_is_recent(host, params):
    """La liste des menaces connues est récente."""
    where_wanted(params)
    days = int(params["antivirus__max_age_days"])
    name = params["antivirus__database"]
    said = host.run(LIST.format(name=shlex.quote(name), days=days)).stdout.split()
    absent = f"there is no list {name} in /var/lib/clamav"
    old = f"older than {days} days"
    found = "recent" if "recent" in said else old if "there" in said else absent
    expected = "recent"
    assert found == expected


def test_the_scan_is_planned_each_night(host, params):
    """L’examen de chaque nuit est programmé."""
    where_wanted(params)
    found = host.run(SERVICE.format(unit="kitsurvie-antivirus.timer")).stdout.split()
    expected = ["enabled", "active"]
    assert found == expected


def test_the_declared_folders_are_looked_through(host, params):
    """Les dossiers examinés sont ceux que la collectivité partage."""
    where_wanted(params)
    found = host.run(PATHS).stdout.splitlines()
    expected = list(params["antivirus__paths"])
    assert found == expected


def test_the_last_scan_is_recent(host, params):
    """Le dernier examen des dossiers partagés est récent."""
    where_wanted(params)
    days = int(params["antivirus__max_age_days"])
    found = host.run(SCAN.format(days=days)).stdout.strip() or f"older than {days} days"
    expected = "recent"
    assert found == expected


def test_nothing_harmful_was_found(host, params):
    """Le dernier examen n’a trouvé aucun fichier dangereux."""
    where_wanted(params)
    answer = host.run(FOUND).stdout.splitlines()
    if answer[:1] == ["not yet"]:
        pytest.skip("the first night is still to come")
    found = answer[0] if answer else "no answer"
    expected = "0"
    assert found == expected
