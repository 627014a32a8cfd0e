"""Can a program start from what somebody plugs in?"""

import re

import pytest

CONTAINER = "systemd-detect-virt --container"
# ours, then the names of all that tell udisks how to mount: what is read after ours would win
RULES = (
    "grep -v '^#' /etc/udev/rules.d/zz-kitsurvie-removable.rules 2>/dev/null; echo ----; "
    "find /etc/udev/rules.d /run/udev/rules.d /usr/lib/udev/rules.d -name '*.rules' "
    "-exec grep -l UDISKS_MOUNT_OPTIONS {} + 2>/dev/null; echo looked"
)
DESKTOP = "grep -hv '^#' /etc/dconf/db/kitsurvie.d/50-removable_media"
LOCKS = "cat /etc/dconf/db/kitsurvie.d/locks/50-removable_media"
PROFILE = "grep -x system-db:kitsurvie /etc/dconf/profile/user"
COMPILED = (
    "command -v dconf >/dev/null || { echo no desktop; exit; }; "
    "test -e /etc/dconf/db/kitsurvie || { echo never compiled; exit; }; "
    "find /etc/dconf/db/kitsurvie.d -newer /etc/dconf/db/kitsurvie -printf 'not compiled: %f\\n'; "
    "echo looked"
)
DRIVERS = "cat /etc/modprobe.d/*.conf 2>/dev/null; echo looked"
LOADED = "test -r /proc/modules && cut -d ' ' -f 1 /proc/modules | grep -xE '{names}'; echo looked"


def shut_out(params):
    """The drivers that must not be loaded, with the one spelling that the kernel has of them."""
    names = list(params["removable_media__blocked_modules"])
    names += [] if params["removable_media__usb_storage"] else ["usb-storage", "uas"]
    return sorted({name.replace("-", "_") for name in names})


def test_no_program_starts_from_a_stick(host, params):
    """Aucun programme ne peut démarrer depuis une clé ou un disque que l’on branche."""
    if params["removable_media__programs_allowed"]:
        pytest.skip("programs may start from a stick here: removable_media__programs_allowed")
    rules, _, files = host.run(RULES).stdout.partition("----")
    names = [path.rpartition("/")[2] for path in files.splitlines()]
    options = dict(re.findall(r'ENV\{UDISKS_MOUNT_OPTIONS_(\w+)\}="([^"]*)"', rules))
    found = {
        "udev was read": "looked" in names,
        "for all disks": rules.strip().startswith('SUBSYSTEM=="block", ENV{'),
        "mounted with": options.get("DEFAULTS", "nothing said"),
        "exec may be asked for": "exec" in options.get("ALLOW", "exec").split(","),
        "read after ours": sorted(n for n in names if n > "zz-kitsurvie-removable.rules"),
    }
    expected = {
        "udev was read": True,
        "for all disks": True,
        "mounted with": "noexec,nosuid,nodev",
        "exec may be asked for": False,
        "read after ours": [],
    }
    assert found == expected


def test_a_stick_does_not_open_by_itself(host):
    """Une clé branchée ne s’ouvre pas et ne lance rien toute seule."""
    desktops = ("gnome", "cinnamon", "mate")
    keys = ("autorun-never", "automount-open")
    found = {
        "settings": host.run(DESKTOP).stdout.split(),
        "nobody changes them": sorted(host.run(LOCKS).stdout.split()),
        "read by sessions": host.run(PROFILE).stdout.strip(),
    }
    folder = "/desktop/media-handling"
    expected = {
        "settings": [
            line
            for one in desktops
            for line in (f"[org/{one}{folder}]", "autorun-never=true", "automount-open=false")
        ],
        "nobody changes them": sorted(f"/org/{d}{folder}/{key}" for d in desktops for key in keys),
        "read by sessions": "system-db:kitsurvie",
    }
    assert found == expected


def test_the_desktop_was_told(host):
    """Le bureau de l’ordinateur a pris ces réglages en compte."""
    found = host.run(COMPILED).stdout.splitlines()
    if found == ["no desktop"]:
        pytest.skip("no desktop that reads dconf is installed")
    expected = ["looked"]
    assert found == expected


def test_the_ports_that_read_the_memory_are_shut(host, params):
    """Les prises par lesquelles on peut lire la mémoire de l’ordinateur sont condamnées."""
    lines = host.run(DRIVERS).stdout.splitlines()
    words = [line.split(maxsplit=2) for line in lines if line.startswith("install ")]
    said = {}
    for _, name, command in (three for three in words if len(three) == 3):
        said.setdefault(name.replace("-", "_"), set()).add(command)
    names = shut_out(params)
    found = {name: sorted(said.get(name, {"open"})) for name in names}
    found["modprobe was read"] = "looked" in lines
    expected = {name: ["/bin/false"] for name in names}
    expected["modprobe was read"] = True
    assert found == expected


def test_no_such_driver_is_in_use(host, params):
    """Aucune de ces prises n’est encore en service."""
    kind = host.run(CONTAINER).stdout.strip()
    if kind not in ("", "none"):
        pytest.skip(f"a container ({kind}) has its host's drivers")
    names = shut_out(params)
    found = host.run(LOADED.format(names="|".join(names))).stdout.splitlines()
    expected = ["looked"]
    assert found == expected
