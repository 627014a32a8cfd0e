"""Is the energy of the machine counted, and are its figures read by nobody else?"""

import json

import pytest

PROGRAM = "/usr/local/lib/kitsurvie/kitsurvie_probe.py"
# what kitsurvie brings; tests/contract holds it equal to files/ and to src/kitsurvie/probe.py
BROUGHT = "3ee7c0622af7710eff61e3bb3de53aca50db9b24ca006c6061f931e6925b9bc5"
DIGEST = f"sha256sum {PROGRAM}"
UNITS = "kitsurvie-probe.timer kitsurvie-probe-off.service"
RUNS = f"systemctl is-enabled {UNITS}; systemctl is-active {UNITS}"
COMMAND = "sed -n 's/^ExecStart=//p' /etc/systemd/system/kitsurvie-probe.service"
FIGURES = "grep -c '^kitsurvie_probe_info' /var/lib/prometheus/node-exporter/kitsurvie_probe.prom"
ENDED = "systemctl show --property Result --value kitsurvie-probe.service"
# kitsurvie reads this answer: what the machine spent until the end of the last day
TOTALS = "cat /var/lib/kitsurvie/probe/totals.json"
NODE_EXPORTER = "prometheus-node-exporter.service"
SETTINGS = f"/etc/systemd/system/{NODE_EXPORTER}.d/kitsurvie.conf"
ANSWERS = (
    f"systemctl is-enabled {NODE_EXPORTER}; systemctl is-active {NODE_EXPORTER}; "
    f"sed -n 's/^ExecStart=.*--web.listen-address=\\([^ ]*\\) .*/\\1/p' {SETTINGS}; "
    f"grep '^IPAddress' {SETTINGS}"
)


def test_what_reads_is_what_the_kit_brought(host):
    """Le programme qui relève l’énergie est bien celui qui a été installé."""
    found = host.run(DIGEST).stdout.split()[:1]
    expected = [BROUGHT]
    assert found == expected


def test_it_reads_by_itself(host):
    """L’énergie est relevée toute seule, et une dernière fois à l’extinction."""
    found = host.run(RUNS).stdout.split()
    expected = ["enabled", "enabled", "active", "active"]
    assert found == expected


def test_use_is_counted_only_where_declared(host, params):
    """Les jours d’usage ne sont comptés que là où vos représentants ont été consultés."""
    words = host.run(COMMAND).stdout.split()
    found = {"reads": "/var/lib/kitsurvie/probe" in words, "use": "--use" in words}
    expected = {"reads": True, "use": bool(params["metrics_probe__use"])}
    assert found == expected


def test_there_are_figures(host):
    """Le dernier relevé s’est bien passé, et ses chiffres sont là."""
    found = {
        "figures": host.run(FIGURES).stdout.strip(),
        "last reading": host.run(ENDED).stdout.strip(),
    }
    expected = {"figures": "1", "last reading": "success"}
    assert found == expected


def test_the_totals_of_the_last_day_can_be_read(host):
    """Les totaux de la veille sont lisibles par l’assistance."""
    said = host.run(TOTALS)
    if said.rc != 0:
        pytest.skip("no whole day was counted yet")
    try:
        totals = json.loads(said.stdout)
    except ValueError:
        totals = None
    found = totals.get("format") if isinstance(totals, dict) else "no totals"
    expected = 1
    assert found == expected


def test_the_figures_are_read_by_nobody_else(host, params):
    """Seule l’assistance peut lire les chiffres de la machine."""
    asked = params["metrics_probe__scraped_from"]
    found = host.run(ANSWERS).stdout.splitlines()
    expected = [
        "enabled",
        "active",
        f"{'' if asked else '127.0.0.1'}:{params['metrics_probe__port']}",
        "IPAddressDeny=any",
        f"IPAddressAllow={' '.join(['localhost', *asked])}",
    ]
    assert found == expected
