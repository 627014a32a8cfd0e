"""The proxy through a jump host, as OpenSSH understands its words."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kitsurvie.fleet.jump import _arguments
from kitsurvie.fleet.target import Target


def test_the_pinned_keys_are_found_whatever_the_name_of_the_workspace(tmp_path: Path) -> None:
    file = str(tmp_path / "our 100% syndicate" / "known_hosts")
    target = Target("pc", "192.0.2.1", 22, "admin1", None, (), jump="adm@198.51.100.20:2222")
    ssh, *words = _arguments(target, file, 3.0)
    done = subprocess.run([ssh, "-G", *words], capture_output=True, check=True, text=True)
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)
    assert found["userknownhostsfile"] == file
    assert found["hostkeyalias"] == "jump:198.51.100.20:2222"
    assert found["stricthostkeychecking"] == "true"
