"""Give a workspace to its group: share.py WORKSPACE GROUP. Prints what it changed.

Every name is opened below its folder without following a link and changed by what was opened:
whoever may write in the workspace cannot have another file given away by swapping a name meanwhile.
`keys` and `.kitsurvie` at the top, and `.git` anywhere, have rights of their own.
"""

import grp
import os
import stat
import sys
from pathlib import Path

KEPT_OUT = {"keys", ".kitsurvie"}
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def share(opened: int, path: str, group: int, rights: int) -> None:
    """Change one opened file or folder, if it is not as it should be."""
    now = os.fstat(opened)
    wanted = stat.S_IMODE(now.st_mode) | rights
    if now.st_gid != group:
        os.fchown(opened, -1, group)
    # a change of group may take set-group-id away
    if stat.S_IMODE(os.fstat(opened).st_mode) != wanted:
        os.fchmod(opened, wanted)
    if now.st_gid != group or stat.S_IMODE(now.st_mode) != wanted:
        print(path)


def main(workspace: str, group: int) -> None:
    """Share everything of a workspace that lies on its own file system."""
    disk = Path(workspace).stat().st_dev
    for path, folders, files, here in os.fwalk(workspace):
        folders[:] = [
            name
            for name in folders
            if name != ".git"
            and not (path == workspace and name in KEPT_OUT)
            and os.stat(name, dir_fd=here, follow_symlinks=False).st_dev == disk
        ]
        share(here, path, group, 0o2070)
        for name in files:
            try:
                opened = os.open(name, READ, dir_fd=here)
            except OSError:  # a link, a socket, or gone
                continue
            try:
                found = os.fstat(opened)
                # a file of two names may be somebody else's under the other
                if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                    share(opened, f"{path}/{name}", group, 0o060)
            finally:
                os.close(opened)


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), grp.getgrnam(sys.argv[2]).gr_gid)
