"""Is there software that the commune has said nobody needs, or a service without a purpose?"""

import shlex

# a sign may hold a *, which is the shell's to read
SIGNS = (
    "set -- {signs}; "
    'for p in "$@"; do for f in $p; do test -e "$f" && echo "$p" && break; done; done; echo looked'
)
INSTALLED = "dpkg-query -W -f '${{db:Status-Status}} ${{Package}}\\n' dpkg {names} 2>/dev/null"
# the caches of apt are not written: this only looks
NEEDED = (
    'for one in {names}; do echo "= $one"; LC_ALL=C apt-get -s -q --no-auto-remove '
    "-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "
    'remove "$one" 2>/dev/null | grep -E "^(Remv|Inst) " | cut -d " " -f 2; done'
)
UNITS = "systemctl show -p Id -p UnitFileState -p ActiveState {names} 2>/dev/null"
RECORD = "cat /var/lib/kitsurvie/unused_software 2>/dev/null; echo looked"
STATES = "dpkg-query -W -f '${db:Status-Status}\\n' | sort -u"


def quoted(names):
    return " ".join(shlex.quote(name) for name in names)


def listed(host, params, which):
    """The names that have no purpose here; None when the machine could not be asked."""
    lists = params[f"unused_software__{which}"]
    keys = ("unless", "only_with")
    signs = {sign for one in lists for key in keys for sign in one.get(key) or ()}
    present = set(host.run(SIGNS.format(signs=quoted(sorted(signs)))).stdout.splitlines())
    if "looked" not in present:
        return None
    kept = {one["name"] for one in params["unused_software__keep"]}
    names = set()
    for one in lists:
        served = present.intersection(one.get("unless") or ())
        fits = not one.get("only_with") or present.intersection(one["only_with"])
        if fits and not served:
            names.update(one["names"])
    return sorted(names - kept)


def units(host, names):
    """Of each service that has no purpose: how it starts, and whether it runs."""
    states = {}
    if names:
        for block in host.run(UNITS.format(names=quoted(names))).stdout.split("\n\n"):
            said = dict(line.partition("=")[::2] for line in block.splitlines())
            states[said.get("Id", "")] = said
    return states


def test_nothing_that_nobody_needs_is_installed(host, params):
    """Aucun logiciel de la liste des logiciels inutiles n’est installé."""
    names = listed(host, params, "packages")
    rows = host.run(INSTALLED.format(names=quoted(names or ()))).stdout.splitlines()
    there = [row.split()[-1] for row in rows if row.startswith("installed ")]
    unused = [name for name in there if name != "dpkg"]
    free = []
    if unused:
        for block in host.run(NEEDED.format(names=quoted(unused))).stdout.split("= ")[1:]:
            name, *moved = block.split()
            if moved and not set(moved) - set(names):
                free.append(name)
    found = {"the list could be compared": names is not None and "dpkg" in there, "unused": free}
    expected = {"the list could be compared": True, "unused": []}
    assert found == expected


def test_no_service_runs_without_a_purpose(host, params):
    """Aucun service sans objet ne tourne."""
    names = listed(host, params, "services")
    states = units(host, names)
    found = {
        "the services could be asked": names is not None and set(names) <= set(states),
        "running": sorted(n for n, s in states.items() if s.get("ActiveState") == "active"),
    }
    expected = {"the services could be asked": True, "running": []}
    assert found == expected


def test_no_service_starts_without_a_purpose(host, params):
    """Aucun service sans objet ne repartira au prochain démarrage."""
    names = listed(host, params, "services")
    states = units(host, names)
    found = {
        "the services could be asked": names is not None and set(names) <= set(states),
        "starting": sorted(n for n, s in states.items() if s.get("UnitFileState") == "enabled"),
    }
    expected = {"the services could be asked": True, "starting": []}
    assert found == expected


def test_what_serves_again_was_given_back(host, params):
    """Un service arrêté faute d’objet repart dès qu’il en retrouve un."""
    names = listed(host, params, "services")
    lines = host.run(RECORD).stdout.splitlines()
    stopped = {line.split()[-1] for line in lines if line.startswith("service ")}
    found = {
        "the record could be read": names is not None and "looked" in lines,
        "to give back": sorted(stopped - set(names or ())),
    }
    expected = {"the record could be read": True, "to give back": []}
    assert found == expected


def test_no_removal_was_cut_short(host):
    """Aucune installation ni suppression de logiciel n’est restée à moitié faite."""
    states = host.run(STATES).stdout.split()
    found = {
        "dpkg answered": "installed" in states,
        "half done": [one for one in states if one not in ("installed", "config-files")],
    }
    expected = {"dpkg answered": True, "half done": []}
    assert found == expected
