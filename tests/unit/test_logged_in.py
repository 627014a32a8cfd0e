"""Who works on a machine, in the words of logind, or of `who` where logind keeps no sessions."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "playbooks" / "files" / "logged_in"
LOGINCTL = """#!/bin/sh
case "$*" in
*list-sessions) cut -d: -f1 "{sessions}" ;;
*) awk -F: -v id="$2" \\
    '$1 == id {{ print "Name=" $2 "\\nClass=" $3 "\\nState=" $4 }}' "{sessions}" ;;
esac
"""


@pytest.mark.parametrize(
    ("sessions", "people"),
    [
        (["3:marie:user:active", "c1:lightdm:greeter:online"], ["marie"]),
        (["3:admin2:user:online", "4:admin2:user:active", "5:admin2:manager:active"], ["admin2"]),
        (["7:jean:user:closing", "8:admin1:background:online"], []),
        (["9:jean:user-early:active"], ["jean"]),
        ([], ["at-a-terminal"]),
    ],
)
def test_people_count_and_what_the_system_runs_for_itself_does_not(
    tmp_path: Path, sessions: list[str], people: list[str]
) -> None:
    (tmp_path / "sessions").write_text("".join(f"{line}\n" for line in sessions))
    programs = {
        "loginctl": LOGINCTL.format(sessions=tmp_path / "sessions"),
        "who": "#!/bin/sh\necho 'at-a-terminal tty1 2026-03-03 08:00'\n",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", SCRIPT], capture_output=True, text=True, check=True,
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.splitlines() == people
