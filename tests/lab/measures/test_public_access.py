"""Real visits to the account that anybody sits down at: what they leave, and who else comes in."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from kitsurvie import lab

from .conftest import Played
from .test_measures import state

UID = 1900
HOME = "/home/public"
# the real rules of a login screen, without the hundred megabytes that it comes with
BESIDES = """
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -y -qq install --no-install-recommends at polkitd
cd /var/cache && apt-get -qq download lightdm
dpkg-deb --fsys-tarfile lightdm_*.deb | tar -x -C / --wildcards './etc/pam.d/*'
rm lightdm_*.deb
useradd -m -s /bin/bash secretary
systemctl start polkit
"""
# what a login screen does: it asks for nothing but the name, opens and closes the session as root
SCREEN = r"""
import ctypes, os, signal, sys
pam = ctypes.CDLL("libpam.so.0")
ANY = ctypes.c_void_p
TALK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ANY, ANY, ANY)
class Talk(ctypes.Structure):
    _fields_ = [("talk", TALK), ("data", ctypes.c_void_p)]
refuse = TALK(lambda *asked: 19)
handle, service, user, script = ctypes.c_void_p(), *sys.argv[1:4]
def do(name, *arguments):
    code = getattr(pam, name)(handle, *arguments)
    if code != 0:
        sys.exit("%s of %s for %s: %d" % (name, service, user, code))
talk = Talk(refuse, None)
if pam.pam_start(service.encode(), user.encode(), ctypes.byref(talk), ctypes.byref(handle)):
    sys.exit("no PAM")
do("pam_authenticate", 0)
do("pam_acct_mgmt", 0)
for one in ("XDG_SESSION_CLASS=user", "XDG_SESSION_TYPE=x11"):
    do("pam_putenv", one.encode())
do("pam_open_session", 0)
pam.pam_getenv.restype = ctypes.c_char_p
room = pam.pam_getenv(handle, b"XDG_RUNTIME_DIR").decode()
child = os.fork()
if child == 0:
    import pwd
    who = pwd.getpwnam(user)
    os.initgroups(user, who.pw_gid); os.setgid(who.pw_gid); os.setuid(who.pw_uid)
    bus = "unix:path=%s/bus" % room
    env = dict(HOME=who.pw_dir, USER=user, XDG_RUNTIME_DIR=room, DBUS_SESSION_BUS_ADDRESS=bus,
               PATH="/usr/bin:/bin", LC_ALL="C.UTF-8")
    os.chdir("/")
    os.execve("/bin/bash", ["bash", script], env)
signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
status = os.waitpid(child, 0)[1]
do("pam_close_session", 0)
pam.pam_end(handle, 0)
sys.exit(os.waitstatus_to_exitcode(status) > 0)
"""
# whatever somebody does who means harm, or who does not know better
VISIT = r"""
cd
mkdir Documents .mozilla
echo secret >Documents/letter.odt
echo cookie >.mozilla/cookies
for folder in /tmp /var/tmp /dev/shm; do
    mkdir -p "$folder/mine/sub"
    echo secret >"$folder/mine/sub/a name
of two lines"
    ln -s /tmp/hers.txt "$folder/mine/link"
    ln -s /srv/hers "$folder/mine/folder"
    ln -s /srv/hers "$folder/link"
    echo secret >"$folder/-rf"
done
mkdir -m 777 /tmp/open /tmp/shared
ln -s / /tmp/open/root
mkdir /run/lock/mine
python3 -c 'import os
os.chdir("/tmp/open")
for _ in range(3000):
    os.mkdir("d"); os.chdir("d")'
ipcmk -M 4096
echo '* * * * * touch /tmp/cron-ran' | crontab -
echo 'touch /tmp/at-ran' | at -q a now + 1 hour
loginctl enable-linger
setsid nohup sleep 7001 >/dev/null 2>&1 &
setsid sh -c 'trap "" TERM HUP INT; while :; do sleep 1; touch /tmp/still; done' &
systemd-run --user --unit=stays sh -c 'trap "" TERM HUP; while :; do sleep 1; done'
unshare -rm sh -c 'mount --bind /tmp/open /mnt; sleep 7002' &
cat /dev/zero >fill
"""


def shell(machine: lab.Machine, command: str) -> str:
    done = machine.run(["/bin/sh", "-c", command])
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout.decode().strip()


def at_the_screen(machine: lab.Machine, script: str, *more: str) -> list[str]:
    """A session as a login screen opens it, in which a script is run."""
    path = f"/run/script-{abs(hash(script))}"
    # systemd would put its own meaning into a dollar
    for name, text in (("/run/screen.py", SCREEN), (path, script)):
        assert machine.run(["dd", f"of={name}", "status=none"], text.encode()).returncode == 0
    return ["systemd-run", "--quiet", "--collect", *more,
            "python3", "/run/screen.py", "lightdm", "public", path]  # fmt: skip


def sits_down(machine: lab.Machine, name: str, script: str = ":") -> None:
    """Open a session that does what it is told, and stays until it is left."""
    stays = f"{script}\ntouch /run/user/{UID}/{name}\nexec sleep 6000\n"
    done = machine.run(at_the_screen(machine, stays, f"--unit={name}"))
    for _ in range(150):
        if machine.run(["test", "-e", f"/run/user/{UID}/{name}"]).returncode == 0:
            return
        time.sleep(0.2)
    pytest.fail(f"{done.stderr!r} {shell(machine, 'journalctl -n 40 --no-pager')}")


def says(machine: lab.Machine, script: str) -> str:
    """What a visit of a moment sees."""
    done = machine.run(at_the_screen(machine, script, "--pipe", "--wait"))
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout.decode().strip()


def goes(machine: lab.Machine, name: str) -> None:
    shell(machine, f"systemctl stop {name}")


def is_over(machine: lab.Machine) -> bool:
    said = machine.run(["systemctl", "is-active", f"user-runtime-dir@{UID}.service"])
    return said.stdout.strip() in (b"inactive", b"failed")


def seconds_until_over(machine: lab.Machine, limit_s: float = 30) -> float:
    start = time.monotonic()
    while not is_over(machine):
        assert time.monotonic() - start < limit_s, shell(machine, "journalctl -n 40 --no-pager")
        time.sleep(0.2)
    return time.monotonic() - start


def remains(machine: lab.Machine) -> str:
    """Whatever is owned by the account on any file system of the machine, or runs in its name."""
    return shell(
        machine,
        f"find / /tmp /run /run/lock /dev/shm /dev/mqueue -xdev -uid {UID} | sort -u; "
        f"ps -o args= -u {UID} -U {UID}; awk '$8 == {UID} || $5 == {UID}' /proc/sysvipc/shm; "
        "ls /var/lib/systemd/linger; mount | grep public || :",
    )


@dataclass(frozen=True)
class Place:
    """A PC with the measure on it, and what it was before."""

    pc: lab.Machine
    before: set[str]


# one release is enough for every day: the scenarios are played on both
@pytest.fixture(scope="module", params=[pytest.param("bookworm", marks=pytest.mark.slow), "trixie"])
def place(request: pytest.FixtureRequest, kit) -> Iterator[Place]:
    machine = next(m for m in kit.fleet.machines if m.release == request.param)
    lab.renew(kit.fleet, machine.name)
    with kit.used_as(machine.name, "public_access"):
        shell(machine, BESIDES)
        before = state(kit.fleet, machine.name)
        played = kit.play("--limit", machine.name, "--tags", "public_access")
        assert played.status == 0, played.said[-3000:]
        yield Place(machine, before)
    lab.renew(kit.fleet, machine.name)


@pytest.fixture
def pc(place: Place) -> Iterator[lab.Machine]:
    yield place.pc
    place.pc.run(["systemctl", "stop", "visit-1", "visit-2"])
    place.pc.run(["loginctl", "terminate-user", "public"])
    seconds_until_over(place.pc)


def test_nothing_of_a_visit_outlives_it_and_nobody_else_is_touched(kit, pc: lab.Machine) -> None:
    shell(
        pc,
        """
        echo hers >/tmp/hers.txt; mkdir -p /srv/hers /srv/lent; echo hers >/srv/hers/letter
        touch /srv/lent/of-a-visitor; chown 1900 /srv/lent/of-a-visitor
        chown -R secretary /tmp/hers.txt /srv/hers
        echo '0 0 1 1 * true' | crontab -u secretary -
        systemd-run --quiet --unit=hers -p User=secretary sleep 7003""",
    )
    sits_down(pc, "visit-1", VISIT)
    # while somebody sits there: what they find, what a colleague and an administrator add
    assert shell(pc, f"stat -f -c %T {HOME}") == "tmpfs"
    assert shell(pc, f"df --output=avail {HOME} | tail -n 1") == "0"
    assert shell(pc, "ps -o args= -u public | grep -c -e 'sleep 700[12]' -e 'trap'") == "5"
    assert shell(pc, "ls /var/lib/systemd/linger") == ""
    assert "cron-ran" in shell(pc, "crontab -u public -l")
    shell(pc, "runuser -u secretary -- touch /tmp/shared/hers")
    shell(pc, "mkdir /tmp/open/lent && mount --bind /srv/lent /tmp/open/lent")
    assert kit.drifting(pc.name, "public_access") == []

    goes(pc, "visit-1")
    assert seconds_until_over(pc) < 15
    shell(pc, "umount /tmp/open/lent")
    # what was lent lies elsewhere, and was mounted among their files by somebody else
    assert remains(pc) == "/srv/lent/of-a-visitor"
    assert shell(pc, "stat -c '%U %a' /tmp/shared; ls /tmp/shared") == "root 755\nhers"
    assert shell(pc, "cat /tmp/hers.txt /srv/hers/letter; systemctl is-active hers") == (
        "hers\nhers\nactive"
    )
    assert shell(pc, "crontab -u secretary -l") == "0 0 1 1 * true"
    assert shell(pc, "stat -c '%U %U' /tmp/hers.txt /srv/hers | sort -u") == "secretary secretary"
    # and the next one begins with the skeleton, and sees nothing in the journal
    skeleton = shell(pc, "ls -A /etc/skel")
    assert says(pc, "ls -A ~") == skeleton
    assert says(pc, "journalctl -q 2>/dev/null | wc -l") == "0"
    seconds_until_over(pc)
    shell(pc, "rm -rf /tmp/open /tmp/shared /srv/lent; systemctl stop hers")
    assert kit.drifting(pc.name, "public_access") == []


def test_of_two_sessions_the_last_one_takes_everything_with_it(pc: lab.Machine) -> None:
    sits_down(pc, "visit-1", "echo one >~/one; echo one >/var/tmp/one")
    sits_down(pc, "visit-2", "echo two >~/two")
    goes(pc, "visit-1")
    time.sleep(4)
    assert shell(pc, f"cat {HOME}/one {HOME}/two /var/tmp/one") == "one\ntwo\none"
    assert shell(pc, "systemctl is-active visit-2") == "active"
    goes(pc, "visit-2")
    seconds_until_over(pc)
    assert remains(pc) == ""


def test_whoever_sits_down_at_once_finds_nothing_and_nobody(pc: lab.Machine) -> None:
    """The last visitor left a program that does not end when it is told to."""
    stubborn = "setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; cp /etc/motd ~/spy; done' &"
    sits_down(pc, "visit-1", f"echo secret >~/secret\n{stubborn}\nsleep 1")
    shell(pc, "systemctl stop --no-block visit-1; sleep 0.1")
    seen = says(pc, "ls -A ~; sleep 2; ls ~/spy ~/secret 2>/dev/null; ps -o args= -u public")
    assert "secret" not in seen
    assert "trap" not in seen
    assert "spy" not in seen
    assert ".bashrc" in seen


def test_what_a_power_cut_left_is_gone_before_the_next_visit(pc: lab.Machine) -> None:
    shell(pc, "mkdir /var/tmp/scan && echo secret >/var/tmp/scan/id")
    shell(pc, f"chown -R {UID} /var/tmp/scan")
    assert says(pc, "ls /var/tmp") == says(pc, "ls /var/tmp | grep -v scan || :")
    seconds_until_over(pc)
    assert remains(pc) == ""


def test_the_account_opens_at_the_screen_and_nowhere_else(kit, pc: lab.Machine) -> None:
    key = kit.fleet.admin_key.with_suffix(".pub").read_text(encoding="utf-8").strip()
    sits_down(pc, "visit-1", f"mkdir -m 700 ~/.ssh; echo '{key}' >~/.ssh/authorized_keys")
    known = kit.fleet.folder / "inventory" / "known_hosts"
    road = ["ssh", "-F", "none", "-i", kit.fleet.admin_key, "-o", "BatchMode=yes",
            "-o", f"HostKeyAlias={pc.name}", "-o", "StrictHostKeyChecking=yes",
            "-o", f"UserKnownHostsFile={known}"]  # fmt: skip
    codes = {
        name: subprocess.run([*road, f"{name}@{pc.address}", "true"], capture_output=True,
                             check=False).returncode
        for name in ("public", "admin1")
    }  # fmt: skip
    assert codes == {"public": 255, "admin1": 0}
    assert pc.run(["su", "-", "public", "-c", "true"]).returncode != 0
    assert pc.run(["runuser", "-u", "secretary", "--", "su", "public", "-c", "true"], b"\n"
                  ).returncode != 0  # fmt: skip
    # nor does cron run what it was given, which the journal says
    shell(pc, "echo '* * * * * touch /tmp/cron-ran' | crontab -u public -")
    goes(pc, "visit-1")
    seconds_until_over(pc)
    assert pc.run(["crontab", "-u", "public", "-l"]).returncode != 0


@pytest.mark.slow
def test_cron_runs_nothing_of_a_visitor_even_during_the_visit(pc: lab.Machine) -> None:
    sits_down(pc, "visit-1", "echo '* * * * * touch /tmp/cron-ran' | crontab -")
    shell(pc, "echo '* * * * * touch /tmp/cron-of-root' | crontab -")
    for _ in range(75):
        if pc.run(["test", "-e", "/tmp/cron-of-root"]).returncode == 0:
            break
        time.sleep(1)
    time.sleep(2)
    assert shell(pc, "ls /tmp/cron-*") == "/tmp/cron-of-root"
    shell(pc, "crontab -r; rm /tmp/cron-of-root")


@pytest.mark.slow
def test_a_print_is_forgotten_once_it_has_come_out(kit, pc: lab.Machine, place: Place) -> None:
    bare = state(kit.fleet, pc.name)
    shell(
        pc,
        """export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update
        apt-get -y -qq install --no-install-recommends cups cups-client >/dev/null 2>&1
        sed -i /^FileDevice/d /etc/cups/cups-files.conf
        echo 'FileDevice Yes' >>/etc/cups/cups-files.conf
        systemctl restart cups
        lpadmin -p prints -E -v file:///dev/null -m raw
        lpadmin -p no-paper -v file:///dev/null -m raw
        cupsaccept no-paper
        echo hers >/srv/hers.txt""",
    )
    place.before.symmetric_difference_update(state(kit.fleet, pc.name) ^ bare)
    assert kit.drifting(pc.name, "public_access") == ["public_access/test_prints_are_forgotten"]
    played = kit.play("--limit", pc.name, "--tags", "public_access")
    assert played.status == 0, played.said[-3000:]
    assert kit.drifting(pc.name, "public_access") == []
    shell(pc, "runuser -u secretary -- lp -d no-paper /srv/hers.txt")
    says(pc, "echo secret >~/a; lp -d prints ~/a; lp -d no-paper ~/a; sleep 4")
    seconds_until_over(pc)
    assert shell(pc, "lpstat -W completed -o") == ""
    waits = "lpstat -W not-completed -o | cut -d ' ' -f 1"
    assert shell(pc, waits) == "no-paper-1\nno-paper-3"
    assert says(pc, "lpstat -W not-completed -u public; lpstat -W completed -u public") == ""
    seconds_until_over(pc)
    assert shell(pc, waits) == "no-paper-1"
    assert shell(pc, "cat /var/spool/cups/d*") == "hers"


@pytest.mark.slow
def test_the_browser_obeys_both_measures_in_any_order(kit, pc: lab.Machine) -> None:
    """Its policies are one file: a site's own, those of web_browser and ours stay side by side."""
    file = "/etc/firefox/policies/policies.json"

    def told() -> dict[str, object]:
        return dict(json.loads(shell(pc, f"cat {file}"))["policies"])

    def browser(play: Callable[..., Played], mode: str) -> None:
        values = {"web_browser__mode": mode, "web_browser__packages": []}
        only = ("--limit", pc.name, "--tags", "web_browser")
        played = play(*only, "-e", json.dumps(values))
        assert played.status == 0, played.said[-3000:]

    ours = told()
    assert ours["PasswordManagerEnabled"] is False
    sites = {**ours, "BlockAboutConfig": True}
    pc.run(["dd", f"of={file}"], json.dumps({"policies": sites}).encode())
    browser(kit.play, "enforce")
    both = told()
    assert both.items() >= ours.items()
    assert (both["BlockAboutConfig"], both["DisableTelemetry"]) == (True, True)
    again = kit.play("--limit", pc.name, "--tags", "public_access")
    assert again.count("changed") == {pc.name: 0}, again.said
    browser(kit.play, "enforce")
    assert told() == both
    browser(kit.play_absent, "off")
    assert told() == sites
    pc.run(["dd", f"of={file}"], json.dumps({"policies": ours}).encode())


@pytest.mark.slow
def test_switched_off_it_ends_the_visit_and_leaves_nothing(kit, pc: lab.Machine, place) -> None:
    """Last of all, as the measure is gone from this machine afterwards."""
    sits_down(pc, "visit-1", "echo secret >~/secret; echo secret >/var/tmp/secret")
    done = kit.play_absent("--limit", pc.name, "--tags", "public_access",
                           "-e", "public_access__mode=off")  # fmt: skip
    assert done.status == 0, done.said[-3000:]
    assert remains(pc) == ""
    # packages that the tests brought have accounts of their own, so that the lists are read instead
    lists = "/etc/passwd /etc/group /etc/shadow /etc/gshadow /etc/subuid /etc/subgid"
    assert shell(pc, f"grep -E 'public|:{UID}:' {lists} || :") == ""
    assert pc.run(["test", "-e", HOME]).returncode == 1
    # empty folders stay, and cups writes its printers down when it likes
    no_matter = r"^\S+ d\S{9} |^/etc/cups/(?!cupsd\.conf )|^/etc/(subuid|subgid) [0-9a-f]{64}$"
    after = state(kit.fleet, pc.name)
    # an account more is a package's; of those before, none is another and none is gone
    left = [
        line
        for line in sorted(after ^ place.before)
        if not re.search(no_matter, line) and not (line.startswith("account") and line in after)
    ]
    assert left == []
