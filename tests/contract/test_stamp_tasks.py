"""What the converge room takes for the end of a measure is what the playbook really does last."""

from __future__ import annotations

from pathlib import Path

import yaml

from kitsurvie.converge.__main__ import STAMP_TASKS

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"


def test_the_stamp_is_written_by_the_tasks_converge_waits_for() -> None:
    (block,) = yaml.safe_load((PLAYBOOKS / "tasks" / "stamp.yml").read_text())
    assert tuple(task["name"] for task in block["block"]) == STAMP_TASKS


def test_every_play_is_one_measure_and_ends_with_its_stamp() -> None:
    for play in yaml.safe_load((PLAYBOOKS / "kit.yml").read_text()):
        (measure,) = play["roles"]
        assert play["tags"] == [measure]
        assert f"'due_{measure}'" in play["hosts"]
        last = play["post_tasks"][-1]
        assert last["ansible.builtin.import_tasks"] == "tasks/stamp.yml"
        assert last["vars"] == {"stamp_measure": "{{ ansible_play_role_names[0] }}"}
