"""What the converge room takes for the end of a measure is what the playbook really does last."""

from __future__ import annotations

from pathlib import Path

import yaml

from kitsurvie.cli import deployment
from kitsurvie.converge.__main__ import (
    ABSENT_TASKS,
    REBOOT_TASK,
    RETIRE_TASK,
    STAMP_TASKS,
)

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


def test_every_play_that_takes_a_measure_away_ends_with_its_stamp() -> None:
    tasks = yaml.safe_load((PLAYBOOKS / "tasks" / "absent_stamp.yml").read_text())
    assert tuple(task["name"] for task in tasks) == ABSENT_TASKS
    for play in yaml.safe_load((PLAYBOOKS / "absent.yml").read_text()):
        (last,) = play["post_tasks"]
        assert last["ansible.builtin.import_tasks"] == "tasks/absent_stamp.yml"


def test_nothing_is_asked_of_a_machine_after_our_access_to_it_has_ended() -> None:
    (play,) = yaml.safe_load((PLAYBOOKS / "retire.yml").read_text())
    assert [task["name"] for task in play["tasks"]] == [RETIRE_TASK]


def test_a_restart_is_followed_by_the_names_of_its_tasks() -> None:
    (play,) = yaml.safe_load((PLAYBOOKS / "reboot.yml").read_text())
    names = [task["name"] for task in play["tasks"]]
    assert names[-1] == REBOOT_TASK == deployment.REBOOT_TASK
    assert deployment.SOMEBODY_TASK in names
