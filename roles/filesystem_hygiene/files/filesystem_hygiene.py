"""Look once through the local file systems, and mend what may be mended without asking.

    filesystem_hygiene.py FOLDER look            writes FOLDER/found.json and FOLDER/report.json
    filesystem_hygiene.py FOLDER mend|preview    mends what was found, or only says what it would do

FOLDER/settings.json says what to leave alone. `found.json` has every name and stays on the machine,
for root alone. `report.json` is what leaves it: names of the system's own folders, and elsewhere,
where a name may tell of somebody, a number per folder. One walk; it writes nothing else.
"""

# A name may be any bytes, and what is changed is held by a handle: plain os, not pathlib.
# ruff: noqa: PTH101, PTH105, PTH118, PTH123, PTH207

import glob
import grp
import json
import os
import pwd
import stat
import subprocess
import sys

LOCAL = {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "reiserfs", "zfs"}
NAMED = ("/boot/", "/etc/", "/opt/", "/usr/")
MOST_NAMES = 50
MOST_FOUND = 100_000
KINDS = {
    "ownerless": ["(", "-nouser", "-o", "-nogroup", ")"],
    "open_files": ["-type", "f", "-perm", "-0002"],
    "open_folders": ["-type", "d", "-perm", "-0002", "!", "-perm", "-1000"],
    "foreign_shared_folders": ["-type", "d", "-perm", "-1002", "!", "-user", "root"],
    "setid": ["-type", "f", "-perm", "/6000"],
}
# the most that each may allow, and the groups that it may belong to; the first is given back
SENSITIVE = {
    "/etc/passwd": (0o644, ["root"]),
    "/etc/passwd-": (0o644, ["root"]),
    "/etc/group": (0o644, ["root"]),
    "/etc/group-": (0o644, ["root"]),
    "/etc/shadow": (0o640, ["shadow", "root"]),
    "/etc/shadow-": (0o640, ["shadow", "root"]),
    "/etc/gshadow": (0o640, ["shadow", "root"]),
    "/etc/gshadow-": (0o640, ["shadow", "root"]),
    "/etc/sudoers": (0o440, ["root"]),
    "/etc/sudoers.d": (0o755, ["root"]),
    "/etc/sudoers.d/*": (0o640, ["root"]),
    "/etc/ssh/ssh_host_*_key": (0o600, ["root"]),
    "/etc/ssl/private": (0o710, ["ssl-cert", "root"]),
    "/etc/NetworkManager/system-connections/*": (0o600, ["root"]),
    "/etc/ppp/*-secrets": (0o600, ["root"]),
    "/etc/krb5.keytab": (0o600, ["root"]),
    "/boot/System.map-*": (0o600, ["root"]),
    "/root": (0o700, ["root"]),
}


def below(path, folders):
    return any(path == one or path.startswith(one.rstrip("/") + "/") for one in folders)


def mounts(lines):
    """The folders where a local file system begins, each file system once."""
    seen = []
    for line in lines:
        before, _, after = line.partition(" - ")
        device, root, folder = before.split()[2:5]
        kind = after.split()[0]
        # an overlay is the machine's own only where it carries the whole of it
        if kind in LOCAL or (kind == "overlay" and folder == "/"):
            folder = folder.encode().decode("unicode_escape").encode("latin-1")
            seen.append((device, root, os.fsdecode(folder), kind))
    parts = {}
    for device, root, folder, kind in seen:
        inside = [
            other
            for other in seen
            if other[0] == device and other[1] != root and below(root, [other[1]])
        ]
        # what is shown a second time elsewhere was seen; a subvolume of btrfs was not
        if not inside or kind == "btrfs":
            parts.setdefault((device, root), folder)
    return sorted(parts.values())


def walk(settings):
    """Every find by kind: [mode, owner:group, path]; and whether everything could be read."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as lines:
        starts = mounts(lines)
    command = ["find", *starts, "-xdev", "(", "-false"]
    for path in settings["not_looked_at"]:
        # find takes a pattern
        plain = "".join("\\" + c if c in "*?[]\\" else c for c in path.rstrip("/"))
        command += ["-o", "-path", plain]
    command += [")", "-prune", "-o", "("]
    for number, (kind, test) in enumerate(KINDS.items()):
        command += [","] if number else []
        command += ["(", *test, "-printf", f"{kind} %m %u:%g %p\\0", ")"]
    command.append(")")
    found = {kind: [] for kind in KINDS}
    walked = subprocess.run(command, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    for entry in walked.stdout.split(b"\0")[:MOST_FOUND]:
        if entry:
            kind, mode, owner, path = os.fsdecode(entry).split(" ", 3)
            found[kind].append([mode, owner, path])
    # what went while it was looked for is no failure
    failed = [
        line
        for line in walked.stderr.splitlines()
        if not line.endswith(b": No such file or directory")
    ]
    complete = bool(starts) and not failed and walked.returncode in (0, 1)
    return {kind: sorted(entries, key=lambda e: e[2]) for kind, entries in found.items()}, complete


def names(uid, gid):
    try:
        owner = pwd.getpwuid(uid).pw_name
    except KeyError:
        owner = str(uid)
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = str(gid)
    return owner, group


def sensitive():
    found = []
    for pattern, (most, groups) in SENSITIVE.items():
        for path in sorted(glob.glob(pattern)):
            said = os.lstat(path)
            owner, group = names(said.st_uid, said.st_gid)
            mode = stat.S_IMODE(said.st_mode)
            closed = mode & ~most == 0 and owner == "root" and group in groups
            if not closed and not stat.S_ISLNK(said.st_mode):
                found.append([f"{mode:o}", f"{owner}:{group}", path])
    return found


def packages(paths):
    """The package that each path came with; Debian ships /bin/x, the machine has /usr/bin/x."""
    asked = [*paths, *(path[4:] for path in paths if path.startswith("/usr/"))]
    if not asked:
        return {}
    told = subprocess.run(["dpkg-query", "-S", *asked], capture_output=True, text=True)
    owners = {}
    for line in told.stdout.splitlines():
        package, _, path = line.rpartition(": ")
        package = package.partition(",")[0].partition(":")[0]
        if not line.startswith("diversion by "):
            owners[path] = package
    return {path: owners.get(path, owners.get(path[4:], "no-package")) for path in paths}


def shown(path):
    """What may leave the machine of a name."""
    if path.startswith(NAMED):
        return path
    return "/".join(path.split("/")[: 3 if path.startswith("/var/") else 2]) or "/"


def counted(entries):
    counts = {}
    for _, _, path in entries:
        counts[shown(path)] = counts.get(shown(path), 0) + 1
    kept = dict(sorted(counts.items())[:MOST_NAMES])
    if len(counts) > MOST_NAMES:
        kept["elsewhere"] = sum(counts.values()) - sum(kept.values())
    return kept


def write(folder, name, what, mode):
    new = os.path.join(folder, name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
        json.dump(what, out, indent=1, sort_keys=True)
        out.write("\n")
    os.replace(new, os.path.join(folder, name))


def look(folder, settings):
    found, complete = walk(settings)
    for kind in found:
        if kind != "setid":
            found[kind] = [e for e in found[kind] if not below(e[2], settings["accepted"])]
    owners = packages([entry[2] for entry in found["setid"]])
    found["sensitive"] = sensitive()
    report = {kind: counted(entries) for kind, entries in found.items() if kind != "setid"}
    report["setid"] = sorted({f"{shown(e[2])} {owners[e[2]]}" for e in found["setid"]})
    report["complete"] = complete
    write(folder, "found.json", found, 0o600)
    write(folder, "report.json", report, 0o644)


def allow(path, change, folder=False):
    """Change the rights of what stands there now, never of what a link leads to."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_DIRECTORY if folder else 0)
    handle = os.open(path, os.O_PATH | flags)
    try:
        said = os.fstat(handle)
        mode = stat.S_IMODE(said.st_mode)
        if not stat.S_ISLNK(said.st_mode) and change(mode) != mode:
            os.chmod(f"/proc/self/fd/{handle}", change(mode))
    finally:
        os.close(handle)


def override(path):
    """Take setuid and setgid away, so that an update of the package does not bring them back."""
    said = os.lstat(path)
    owner, group = names(said.st_uid, said.st_gid)
    mode = f"{stat.S_IMODE(said.st_mode) & 0o777:04o}"
    for spelling in (path, path[4:] if path.startswith("/usr/") else path):
        subprocess.run(["dpkg-statoverride", "--remove", spelling], capture_output=True)
    subprocess.run(["dpkg-statoverride", "--add", owner, group, mode, path], check=True)
    allow(path, lambda mode: mode & 0o777)


def close(path):
    most, groups = next(rule for name, rule in SENSITIVE.items() if path in glob.glob(name))
    group = next(name for name in groups if name in {one.gr_name for one in grp.getgrall()})
    os.chown(path, 0, grp.getgrnam(group).gr_gid, follow_symlinks=False)
    allow(path, lambda mode: mode & most)


def mend(settings, found, really):
    ours = settings["system_folders"]
    todo = [
        *(("closed to others", e[2], lambda p: allow(p, lambda m: m & ~0o002))
          for e in found["open_files"] if below(e[2], ours)),
        *(("given the sticky bit", e[2], lambda p: allow(p, lambda m: m | 0o1000, folder=True))
          for e in found["open_folders"] if below(e[2], ours)),
        *(("without setuid and setgid", e[2], override)
          for e in found["setid"] if e[2] in settings["setid_removed"]),
        *(("closed", e[2], close) for e in found["sensitive"]),
    ]  # fmt: skip
    for what, path, act in todo:
        try:
            if really:
                act(path)
            print(ascii(shown(path)), what)
        except FileNotFoundError:
            continue


def read(folder, name):
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def main():
    folder, what = sys.argv[1:]
    settings = read(folder, "settings.json")
    os.umask(0o022)
    if what == "look":
        look(folder, settings)
        return
    found = read(folder, "found.json")
    # a preview comes before the first look
    if settings is not None and found is not None:
        mend(settings, found, really=what == "mend")


if __name__ == "__main__":
    main()
