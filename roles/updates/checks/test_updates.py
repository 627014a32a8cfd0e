"""Does the machine bring itself up to date every day, from signed and declared origins only?"""

import pytest

# the answer ends with apt's own status, not with that of grep; the login of a proxy stays there
CONFIG = (
    "all=$(apt-config dump) || exit; printf '%s\\n' \"$all\" | "
    "LC_ALL=C sed -E 's#//[^/@]*@#//login@#' | LC_ALL=C grep -aE "
    "'^(APT::Periodic::|APT::Get::AllowUnauthenticated|Acquire::Allow|"
    "Acquire::https?::Proxy |Unattended-Upgrade::(Origins-Pattern|Automatic-Reboot))'"
)
INDEXES = "apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages'"
# apt has several words for yes; sed tells that it could not read, where grep says that or "none"
UNSIGNED = (
    "find /etc/apt -maxdepth 2 ! -type d \\( -path /etc/apt/sources.list "
    "-o -path '/etc/apt/sources.list.d/*.list' -o -path '/etc/apt/sources.list.d/*.sources' \\) "
    "-exec env LC_ALL=C sed -nsE '/^[[:space:]]*deb(-src)?[[:space:]]+\\[[^]]*"
    "(trusted|allow-insecure|allow-weak|allow-downgrade-to-insecure)="
    "(yes|true|with|on|enable|0*1|0x0*1)[][:space:]]/I{F;b};"
    "/^(trusted|allow-insecure|allow-weak|allow-downgrade-to-insecure)[[:space:]]*:[[:space:]]*"
    "(yes|true|with|on|enable|0*1|0x0*1)[[:space:]]*$/IF' {} +"
)
TIMERS = "apt-daily.timer", "apt-daily-upgrade.timer"


def settings(host):
    """What apt will do, whatever the file that says it; the last of two equal names wins."""
    answer = host.run(CONFIG)
    pairs = (line.partition(" ") for line in answer.stdout.splitlines())
    said = {name: value.strip('";') for name, _, value in pairs}
    # nothing said (1) is not the same as a configuration that apt cannot read (100)
    return said if answer.rc == 0 else {"apt-config": f"status {answer.rc}"}


def test_the_daily_updates_are_installed(host):
    """Le logiciel qui installe les mises à jour chaque jour est présent."""
    found = host.run("dpkg-query -W -f '${db:Status-Status}' unattended-upgrades").stdout
    expected = "installed"
    assert found == expected


def test_updates_are_looked_for_and_installed_every_day(host):
    """L’ordinateur cherche et installe ses mises à jour chaque jour."""
    names = ("Enable", "Update-Package-Lists", "Unattended-Upgrade")
    apt = settings(host)
    found = {name: apt.get(f"APT::Periodic::{name}", "not set") for name in names}
    expected = dict.fromkeys(names, "1")
    assert found == expected


@pytest.mark.parametrize("timer", TIMERS)
def test_the_daily_timers_run(host, timer):
    """Le rendez-vous quotidien des mises à jour est actif."""
    answer = host.run(f"systemctl is-enabled {timer}; systemctl is-active {timer}")
    found = answer.stdout.split()
    expected = ["enabled", "active"]
    assert found == expected


def test_security_updates_are_among_those_installed(host):
    """Les corrections de sécurité de Debian font partie des mises à jour installées d’office."""
    lines = host.run(CONFIG).stdout.splitlines()
    patterns = [line for line in lines if line.startswith("Unattended-Upgrade::Origins-Pattern:: ")]
    found = sorted({"security" for line in patterns if "label=Debian-Security" in line})
    expected = ["security"]
    assert found == expected


def test_software_comes_from_declared_origins_only(host, params):
    """Les logiciels viennent de Debian ou d’une origine déclarée par le service informatique."""
    answer = host.run(INDEXES)
    rows = [line.split("|") for line in answer.stdout.splitlines()]
    # apt leaves the field as it was asked when the archive says nothing of itself
    origins = {f"unnamed, at {uri}" if "$(" in origin else origin for origin, _, uri in rows}
    others = sorted(origins - {"Debian", *params["updates__extra_origins"]})
    found = {"apt could read its sources": answer.rc == 0, "others": others}
    expected = {"apt could read its sources": True, "others": []}
    assert found == expected


def test_packages_are_fetched_through_the_declared_proxy(host, params):
    """Les mises à jour passent par le relais réseau que le service informatique a choisi."""
    if not params["updates__proxy"]:
        pytest.skip("no proxy is declared: the machine has its own way")
    apt = settings(host)
    names = ("Acquire::http::Proxy", "Acquire::https::Proxy")
    found = {name: apt.get(name, "not set") for name in names}
    expected = dict.fromkeys(names, params["updates__proxy"])
    assert found == expected


def test_debian_is_fetched_from_the_declared_mirrors(host, params):
    """Debian et ses corrections viennent du serveur que le service informatique a choisi."""
    names = ("updates__mirror", "updates__security_mirror")
    declared = {name: params[name].rstrip("/") + "/" for name in names if params[name]}
    if not declared:
        pytest.skip("no mirror is declared: the machine keeps its own")
    places = {name: set() for name in declared}
    for line in host.run(INDEXES).stdout.splitlines():
        origin, label, uri = line.split("|")
        name = names[1] if label == "Debian-Security" else names[0]
        # an archive whose lists were never read does not say what it is
        if name in places and origin in ("Debian", "Debian Backports"):
            places[name].add(uri)
    found = {name: sorted(uris) for name, uris in places.items()}
    expected = {name: [uri] for name, uri in declared.items()}
    assert found == expected


def test_the_security_archive_is_among_the_sources(host):
    """L’ordinateur connaît l’adresse où Debian publie ses corrections de sécurité."""
    lines = host.run(INDEXES).stdout.splitlines()
    found = sorted(
        {label for label in (line.split("|")[1] for line in lines) if "Security" in label}
    )
    expected = ["Debian-Security"]
    assert found == expected


def test_every_source_is_signed(host):
    """Aucun logiciel ne peut s’installer sans que sa signature soit vérifiée."""
    answer = host.run(UNSIGNED)
    unsigned = sorted(set(answer.stdout.splitlines()))
    found = {"the sources could be read": answer.rc == 0, "unsigned": unsigned}
    expected = {"the sources could be read": True, "unsigned": []}
    assert found == expected


def test_apt_refuses_what_is_not_signed(host):
    """L’ordinateur refuse tout logiciel non signé, même si on le lui demande."""
    names = (
        "APT::Get::AllowUnauthenticated",
        "Acquire::AllowInsecureRepositories",
        "Acquire::AllowWeakRepositories",
        "Acquire::AllowDowngradeToInsecureRepositories",
    )
    apt = settings(host)
    no = ("", "0", "false", "no", "without", "off", "disable")
    accepted = [name for name in names if apt.get(name, "false").lower() not in no]
    found = {"apt could read its settings": "apt-config" not in apt, "accepted": accepted}
    expected = {"apt could read its settings": True, "accepted": []}
    assert found == expected


def test_the_list_of_updates_is_recent(host, params):
    """La liste des mises à jour disponibles a été relue récemment."""
    days = int(params["updates__max_list_age_days"])
    answer = host.run(f"find /var/lib/apt/lists -maxdepth 0 -mtime -{days} | grep -c .")
    found = "recent" if answer.stdout.strip() == "1" else f"older than {days} days"
    expected = "recent"
    assert found == expected
