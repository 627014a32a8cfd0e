"""Is what happens on the machine written down, kept long enough, and not for everybody to read?"""

import pytest

# every file in the order in which it is read, each below a line that names it
SETTINGS = "systemd-analyze cat-config systemd/journald.conf"
ON_DISK = (
    "id=$(cat /etc/machine-id) && test -s /var/log/journal/$id/system.journal && echo on disk; "
    "test ! -e /run/log/journal/$id/system.journal || echo in memory"
)
# what the journal said of itself when it last began to write on the disk
IN_FORCE = (
    "journalctl -q -n 1 -o cat --output-fields=MAX_USE "
    "MESSAGE_ID=ec387f577b844b8fa948f33cad9a75e6 'JOURNAL_NAME=System Journal'"
)
READABLE = "find /var/log/journal -type f -perm /007; test -d /var/log/journal && echo looked"
UPLOAD = "systemd-analyze cat-config systemd/journal-upload.conf"
SENDER = "systemctl is-enabled systemd-journal-upload; systemctl is-active systemd-journal-upload"


def settings(host, command):
    """What each key is, and the file that had the last word."""
    answer = host.run(command)
    said = {}
    file = ""
    for line in answer.stdout.splitlines() if answer.rc == 0 else []:
        key, equals, value = line.partition("=")
        if line.startswith("# /"):
            file = line[2:].strip()
        elif equals and not line.lstrip().startswith(("#", ";")):
            said[key.strip()] = (value.strip(), file)
    return said


def named(said, expected):
    """Each key that is asked, with the file that says otherwise."""
    found = {}
    for key, wanted in expected.items():
        value, file = said.get(key, ("not set", ""))
        found[key] = value if value == wanted else f"{value} {file}".strip()
    return found


def test_the_journal_is_kept_as_declared(host, params):
    """Le journal de la machine est gardé le temps prévu, sans remplir le disque."""
    expected = {
        "Storage": "persistent",
        "Compress": "yes",
        "SystemMaxUse": f"{params['journal__max_mb']}M",
        "MaxRetentionSec": f"{params['journal__keep_days']}day",
        "MaxFileSec": "1week",
        "RateLimitIntervalSec": "30s",
        "RateLimitBurst": str(params["journal__burst"]),
    }
    found = named(settings(host, SETTINGS), expected)
    assert found == expected


def test_the_journal_outlives_a_restart(host):
    """Le journal survit à un redémarrage."""
    found = host.run(ON_DISK).stdout.splitlines()
    expected = ["on disk"]
    assert found == expected


def test_the_journal_is_bounded_now(host, params):
    """La limite de taille du journal est celle qui s’applique en ce moment."""
    found = host.run(IN_FORCE).stdout.strip()
    expected = str(int(params["journal__max_mb"]) * 1024 * 1024)
    assert found == expected


def test_the_journal_goes_back_far_enough(host, params):
    """Le journal remonte assez loin pour comprendre un incident découvert tard."""
    days = int(params["journal__keep_at_least_days"])
    # nine tenths: what is full is cut back to a little less than the bound
    full = int(params["journal__max_mb"]) * 9 // 10
    found = host.run(
        'used=$(du -sm /var/log/journal | cut -f 1) && test -n "$used" || exit; '
        f'test "$used" -ge {full} || {{ echo far enough; exit; }}; '
        f"find /var/log/journal -name 'system*' -mtime +{days} | grep -q . "
        f"&& echo far enough || echo full after less than {days} days"
    ).stdout.strip()
    expected = "far enough"
    assert found == expected


def test_the_journal_is_not_for_everybody(host):
    """Seuls les administrateurs lisent le journal."""
    found = host.run(READABLE).stdout.splitlines()
    expected = ["looked"]
    assert found == expected


def test_the_journal_is_sent_to_the_collector(host, params):
    """Une copie du journal part chez le syndicat, chiffrée, à l’abri d’un pirate."""
    if not params["journal__collector_url"]:
        pytest.skip("no collector was declared")
    expected = {
        "URL": params["journal__collector_url"],
        "ServerKeyFile": params["journal__client_key"],
        "ServerCertificateFile": params["journal__client_certificate"],
        "TrustedCertificateFile": params["journal__collector_authority"],
    }
    found = named(settings(host, UPLOAD), expected)
    found["sender"] = host.run(SENDER).stdout.split()
    expected["sender"] = ["enabled", "active"]
    assert found == expected
