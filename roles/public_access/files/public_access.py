"""The account that anybody sits down at: a home made for the visit, and nothing left of it.

    public_access.py FOLDER prepare    before a first session: nothing left, then a home in memory
    public_access.py FOLDER wipe       after the last one
    public_access.py FOLDER session    asked by PAM when a session opens and when it closes
    public_access.py FOLDER settle     soon after a session closed: what it left running is ended
    public_access.py FOLDER sweep      delete what is left of former visitors, if nobody sits there

FOLDER holds settings.json. Whoever left files here may have meant harm: nothing is opened by a
name that a visitor could have made a link of, no mount is walked into, and first of all nothing of
theirs runs any more.
"""

# the standard library without its site packages, and names that are bytes
# ruff: noqa: PTH108, PTH110, PTH112, PTH118, PTH123, PTH207, S108

import contextlib
import ctypes
import fcntl
import glob
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

FOLDERS = (
    "/dev/mqueue", "/dev/shm", "/run", "/run/lock", "/tmp", "/var/crash", "/var/lib/lightdm-data",
    "/var/mail", "/var/spool", "/var/tmp",
)  # fmt: skip
# `root` is 0, and would be everybody
LEAST_UID = 1000
DETACH, NOFOLLOW = 2, 8
ESCAPED = re.compile(rb"\\([0-7]{3})")
LEAVING = "kitsurvie-public-access-leave.service"


class Place:
    """Who the account is, and where what it does may lie."""

    def __init__(self, folder):
        with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
            said = json.load(file)
        self.account = said["account"]
        self.uid = said["uid"]
        self.home = os.fsencode(said["home"])
        self.size = said["home_size"]
        self.skeleton = said["skeleton"]
        self.programs = said["programs_allowed"]
        self.roots = [f for f in (*FOLDERS, *said["also_swept"]) if os.path.isdir(f)]
        if not isinstance(self.uid, int) or self.uid < LEAST_UID:
            sys.exit(f"the UID {self.uid!r} is not one of a person: nothing was done")


def ask(*argv, seconds=20):
    """What a program says, and nothing if it fails or takes too long."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, timeout=seconds, check=False)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")


def say(text):
    print(text, file=sys.stderr, flush=True)


# --- what runs -----------------------------------------------------------------------------------


def running(place):
    """Whether a process of the account is left that has not merely ended without being seen."""
    for path in glob.iglob("/proc/[0-9]*/status"):
        with contextlib.suppress(OSError, IndexError), open(path, "rb") as file:
            lines = dict(line.split(b":", 1) for line in file if b":" in line)
            if lines[b"State"].split()[0] in (b"Z", b"X"):
                continue
            if str(place.uid).encode() in lines[b"Uid"].split():
                return True
    return False


def groups(place):
    """The control groups of its sessions and of its manager, but not that of this program."""
    base = f"/sys/fs/cgroup/user.slice/user-{place.uid}.slice"
    return [g for g in sorted(glob.glob(base + "/*/")) if "/user-runtime-dir@" not in g]


def kill_group(group):
    # in the kernel at once, so that nothing can multiply faster than it is killed
    with contextlib.suppress(OSError), open(group + "cgroup.kill", "w", encoding="ascii") as file:
        file.write("1")


def kill_all(place):
    """End every process of the account, wherever it is: as that account, to all it may signal."""
    for group in groups(place):
        kill_group(group)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(place.uid, place.uid, place.uid)
            os.setresuid(place.uid, place.uid, place.uid)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(child, 0)


def end_processes(place):
    for _ in range(100):
        if not running(place):
            return
        kill_all(place)
        time.sleep(0.05)
    say(f"processes of {place.account} could not be ended")


# --- what is mounted -----------------------------------------------------------------------------


def mounted_now():
    """Where something is mounted, its kind and its options, as they were mounted."""
    with open("/proc/self/mountinfo", "rb") as file:
        for words in map(bytes.split, file):
            point = ESCAPED.sub(lambda m: bytes([int(m[1], 8)]), words[4])
            yield point, words[words.index(b"-") + 1], words[-1].split(b",")


def mounts(place):
    """Where something is mounted on its home or below, by its own programs, or for its sticks."""
    name = os.fsencode(place.account)
    below = (place.home, b"/media/" + name, b"/run/media/" + name)
    found = [
        point
        for point, kind, options in mounted_now()
        if (kind.startswith(b"fuse") and f"user_id={place.uid}".encode() in options)
        or any(point == one or point.startswith(one + b"/") for one in below)
    ]
    return found[::-1]


def unmount_all(place):
    libc = ctypes.CDLL(None, use_errno=True)
    for _ in range(20):
        there = mounts(place)
        if not there:
            return
        for point in there:
            # a stick is written to the end, if it still answers
            if b"/media/" in point:
                ask("umount", "--", os.fsdecode(point))
            libc.umount2(point, DETACH | NOFOLLOW)
    say("not everything could be unmounted")


def make_home(place):
    options = [
        f"size={place.size}", "nr_inodes=200k", "mode=0700", f"uid={place.uid}",
        f"gid={place.uid}", "nosuid", "nodev", *([] if place.programs else ["noexec"]),
    ]  # fmt: skip
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join(options), "kitsurvie-public-access", place.home],
        check=True,
    )
    # by the account itself: what it may not read it is not given
    copied = subprocess.run(
        ["cp", "-R", "-P", "--preserve=mode,timestamps", "--", f"{place.skeleton}/.", place.home],
        user=place.uid, group=place.uid, extra_groups=[], umask=0o077, check=False,
    )  # fmt: skip
    if copied.returncode != 0:
        say(f"{place.skeleton} could not be copied wholly: the home begins with what there is")


# --- what lies about -----------------------------------------------------------------------------


def left(place):
    """The paths of what the account owns outside of its home, but for what is mounted there."""
    done = subprocess.run(
        ["find", *place.roots, "-xdev", "-uid", str(place.uid), "-print0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    mounted = {point for point, _, _ in mounted_now()}
    return [path for path in done.stdout.split(b"\0") if path and path not in mounted]


def give_to_root(place, path):
    """A folder that stays, as somebody else has files in it, is nobody's to go on with."""
    here = os.open(b"/", os.O_PATH | os.O_DIRECTORY)
    try:
        for part in path.strip(b"/").split(b"/"):
            kind = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK
            device = os.fstat(here).st_dev
            below = os.open(part, kind, dir_fd=here)
            os.close(here)
            here = below
        found = os.fstat(here)
        # what is mounted there may be a share that somebody lent
        if (found.st_uid, found.st_dev) == (place.uid, device):
            os.fchown(here, 0, 0)
            os.fchmod(here, stat.S_IMODE(found.st_mode) & ~0o7022)
    finally:
        os.close(here)


def delete_files(place):
    """By find, which goes by descriptors: no link is followed, no depth is too deep for it."""
    subprocess.run(
        ["find", *place.roots, "-xdev", "-depth", "-uid", str(place.uid), "-delete"],
        stderr=subprocess.DEVNULL, check=False,
    )  # fmt: skip
    for path in left(place):
        with contextlib.suppress(OSError):
            give_to_root(place, path)


def delete_named(place):
    """What root keeps for the account: that it may go on running, and the memory of its crashes."""
    cores = f"/var/lib/systemd/coredump/core.*.{place.uid}.{'[0-9a-f]' * 32}.*"
    for path in (f"/var/lib/systemd/linger/{place.account}", *glob.glob(cores)):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def forget_prints(place, everything):
    """The printer keeps documents for a day, and whoever has the same name may print them again.

    What still waits for paper when a visitor leaves is printed; the next visit finds nothing.
    """
    if not os.path.exists("/run/cups/cups.sock"):
        return
    kinds = ("completed", "not-completed") if everything else ("completed",)
    jobs = [
        line.split()[0]
        for kind in kinds
        for line in ask("lpstat", "-W", kind, "-u", place.account, "-o").splitlines()
        if line.strip()
    ]
    if jobs:
        ask("cancel", "-x", *jobs)


def wipe(place, everything):
    end_processes(place)
    unmount_all(place)
    delete_files(place)
    delete_named(place)
    forget_prints(place, everything)
    for path in left(place)[:20]:
        say(f"left: {path!r}")


# --- sessions ------------------------------------------------------------------------------------


def somebody_is_there(place):
    """Whether a session of the account goes on, and not merely ends."""
    names = [
        words[0]
        for words in map(str.split, ask("loginctl", "list-sessions", "--no-legend").splitlines())
        if len(words) > 1 and words[1] == str(place.uid)
    ]
    if not names:
        return False
    asked = ask("loginctl", "show-session", "-p", "State", "-p", "Class", *names)
    for block in asked.split("\n\n"):
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        # the manager of services has a session too, of that class, from systemd 256 on
        manages = said.get("Class", "").startswith("manager")
        if not manages and said.get("State") in ("opening", "online", "active"):
            return True
    return False


def all_is_over(place):
    unit = f"user-runtime-dir@{place.uid}.service"
    state = ask("systemctl", "show", "-p", "ActiveState", "--value", unit).strip()
    return state in ("inactive", "failed") and not running(place)


def settle(place, folder, patience_s):
    """Wait until a session goes on or all is over, and kill what ignores the end; whether it is so.

    The lock and the order matter: a session that opens meanwhile is let in by this same function,
    and is never taken for one that ends.
    """
    start = time.monotonic()
    with open(os.path.join(folder, "lock"), "w", encoding="ascii") as lock:
        while True:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if all_is_over(place) or somebody_is_there(place):
                return True
            waited = time.monotonic() - start
            for group in groups(place):
                # the manager of its services is first given the time to end them in good order
                if waited > (4 if "/user@" in group else 1):
                    kill_group(group)
            fcntl.flock(lock, fcntl.LOCK_UN)
            if waited > patience_s:
                say(f"what the last visitor left running as {place.account} does not end")
                return False
            time.sleep(0.2)


def session(place, folder):
    if os.environ.get("PAM_TYPE") == "close_session":
        ask("systemctl", "start", "--no-block", LEAVING)
        return 0
    return 0 if settle(place, folder, 25) else 1


def sweep(place):
    if not all_is_over(place) and somebody_is_there(place):
        return 0
    there = left(place)
    wipe(place, True)
    print("".join(f"{path!r}\n" for path in there), end="")
    return 0


def main(folder, wanted):
    os.umask(0o077)
    # PAM gives none of these
    os.environ.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8")
    place = Place(folder)
    if wanted == "session":
        return session(place, folder)
    if wanted == "sweep":
        return sweep(place)
    if wanted == "settle":
        settle(place, folder, 60)
        ask("systemctl", "reset-failed", f"user@{place.uid}.service")
    elif wanted == "wipe":
        wipe(place, False)
    elif wanted == "prepare":
        wipe(place, True)
        make_home(place)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
