"""What the role monitoring_server writes is what Prometheus and Alertmanager accept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLE = ROOT / "roles" / "monitoring_server"
PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")


def play(folder: Path, tasks: list[dict[str, Any]], **given: object) -> str:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text())
    facts = {"fqdn": "watch.example.org", "distribution": "Debian"}
    facts["distribution_major_version"] = "12"
    one = {
        "hosts": "localhost", "connection": "local", "gather_facts": False,
        "vars": {
            **defaults, **given, "ansible_facts": facts,
            "ansible_python_interpreter": sys.executable,
        },
        "tasks": tasks,
    }  # fmt: skip
    (folder / "play.yml").write_text(yaml.safe_dump([one]))
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "play.yml"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCALHOST_WARNING": "0"},
    )  # fmt: skip
    return "" if done.returncode == 0 else " ".join((done.stdout + done.stderr).split())


@pytest.mark.skipif(not (PROMTOOL and AMTOOL), reason="promtool or amtool is not here")
@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "monitoring_server__exporter_password": "s3cret",
            "monitoring_server__mail_to": "sysadmins@example.org",
            "monitoring_server__control": "",
        },
    ],
    ids=["as it comes", "with a password and mail"],
)
def test_what_is_written_is_accepted(tmp_path: Path, given: dict[str, str]) -> None:
    names = ("prometheus.yml", "alertmanager.yml")
    tasks = [
        {
            "ansible.builtin.template": {
                "src": str(ROLE / "templates" / f"{name}.j2"),
                "dest": str(tmp_path / name),
            }
        }
        for name in names
    ]
    assert play(tmp_path, tasks, **given) == ""
    for words in (
        [str(PROMTOOL), "check", "config", "--syntax-only", str(tmp_path / names[0])],
        [str(AMTOOL), "check-config", str(tmp_path / names[1])],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    asked = yaml.safe_load((tmp_path / names[0]).read_text())["scrape_configs"]
    assert ("basic_auth" in asked[1]) == ("monitoring_server__exporter_password" in given)
    assert "s3cret" not in (tmp_path / names[0]).read_text()


def test_the_role_and_the_example_tell_people_in_the_same_way(tmp_path: Path) -> None:
    written = (ROLE / "templates" / "alertmanager.yml.j2").read_text()
    example = (ROOT / "monitoring" / "alertmanager.yml").read_text()
    for part in ("route:\n", "time_intervals:\n", "inhibit_rules:\n"):
        text = example[example.index(f"\n{part}") :].split("\n\n")[0]
        bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
        assert bare.strip() in written


@pytest.mark.parametrize(
    ("name", "value"),
    [("listen", "127.0.0.1 --web.enable-admin-api"), ("retention", "long"), ("interval", "1")],
)
def test_what_would_be_read_otherwise_is_refused(tmp_path: Path, name: str, value: str) -> None:
    tasks = yaml.safe_load((ROLE / "tasks" / "main.yml").read_text())[:2]
    assert play(tmp_path, tasks) == ""
    said = play(tmp_path, tasks, **{f"monitoring_server__{name}": value})
    assert "Nothing was changed." in said
