"""What the role control_node refuses before it changes anything, with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROLE = Path(__file__).parents[3] / "roles" / "control_node"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", None),
        ('spool = "hand-ins"', None),
        ("spool = [", "kitsurvie.toml cannot be read: tomllib.TOMLDecodeError: "),
        ("spool = 3", "kitsurvie.toml cannot be read: TypeError: "),
        ('spool = "/srv/hand ins"', 'kitsurvie.toml is "/srv/hand ins"'),
        ('spool = "/srv/hand%ins"', "may hold no space and no sign but"),
    ],
)
def test_settings_that_make_no_unit_are_refused_with_what_to_do(
    tmp_path: Path, text: str, says: str | None
) -> None:
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text("utf-8"))
    names = [task["name"] for task in tasks]
    first = names.index("Read where PCs hand in, by the settings of the workspace")
    last = next(n for n, task in enumerate(tasks) if n > first and not _asks(task))
    (tmp_path / "kitsurvie.toml").write_text(text)
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {
            "control_node__workspace": str(tmp_path),
            "ansible_python_interpreter": sys.executable,
        },
        "tasks": tasks[first:last],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "play.yml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"},
    )  # fmt: skip
    said = " ".join((done.stdout + done.stderr).replace('\\"', '"').split())
    assert (done.returncode == 0) == (says is None), said
    if says:
        assert says in said
        assert "play this again. Nothing was changed." in said
        assert "Traceback" not in said


def _asks(task: dict[str, object]) -> bool:
    return bool({"ansible.builtin.command", "ansible.builtin.assert"} & set(task))
