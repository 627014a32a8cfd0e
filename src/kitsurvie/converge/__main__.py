"""The process that runs Ansible: a job on stdin, one JSON line an event on stdout.

It outlives the command line on purpose: what was begun on a host is finished, and the run's lock,
which it inherited, is held until then.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import ansible_runner

from kitsurvie.inventory import ansible

_STOP = False

# the tasks of playbooks/tasks/stamp.yml; the last one ends a measure on a host
STAMP_TASKS = (
    "Make the folder of the stamps",
    "Write the digest of the measure as it was applied",
)
# and those of playbooks/tasks/absent_stamp.yml
ABSENT_TASKS = ("Remove the stamp of the measure",)
# and of playbooks/reboot.yml and retire.yml
REBOOT_TASK = "Restart the machine and wait until it is back"
RETIRE_TASK = "Take the kit's own files away, then end our access"


_BOOKKEEPING = frozenset({*STAMP_TASKS, *ABSENT_TASKS, REBOOT_TASK, RETIRE_TASK})
_LAST = frozenset({STAMP_TASKS[-1], ABSENT_TASKS[-1], REBOOT_TASK, RETIRE_TASK})


def main() -> int:
    """Run one job; the exit code is Ansible's."""
    job = json.load(sys.stdin)
    signal.signal(signal.SIGTERM, _ask_to_stop)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # the socket of a persistent connection must have a short path
    sockets = tempfile.mkdtemp(prefix="ks-")
    try:
        return _run(job, sockets)
    except Exception as error:
        _tell({"kind": "fatal", "message": f"{type(error).__name__}: {error}"})
        return 1
    finally:
        _hang_up(Path(sockets))
        shutil.rmtree(sockets, ignore_errors=True)


def _hang_up(sockets: Path) -> None:
    """Close the connections that ssh keeps open: on the host they pass for somebody logged in."""
    for socket in sockets.iterdir():
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "kept-open"],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=5, check=False,
            )  # fmt: skip


def _ask_to_stop(*_: object) -> None:
    global _STOP
    _STOP = True


def _tell(event: dict[str, Any]) -> None:
    # nobody may be listening any more
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def _run(job: dict[str, Any], sockets: str) -> int:
    folder = Path(job["folder"])
    log = Path(job["log"])
    started = False

    def handle(event: dict[str, Any]) -> bool:
        nonlocal started
        started = started or event["event"] == "playbook_on_start"
        told = _told(event)
        if told is not None:
            _tell(told)
        return False

    done = ansible_runner.run(
        private_data_dir=str(folder),
        artifact_dir=str(folder / "artifacts"),
        playbook=job["playbook"],
        inventory=[job["inventory"], job["overlay"]],
        cmdline="--check --diff" if job["check"] else None,
        extravars={"kitsurvie_due": True},
        forks=job["forks"],
        envvars=_environment(job, sockets),
        suppress_env_files=True,
        quiet=True,
        event_handler=handle,
        cancel_callback=lambda: _STOP,
        settings={"pexpect_timeout": 1, "idle_timeout": 3600},
    )
    output = next(iter(sorted((folder / "artifacts").glob("*/stdout"))), None)
    said = output.read_text(encoding="utf-8", errors="replace") if output else ""
    log.write_text(said, encoding="utf-8")
    shutil.rmtree(folder / "artifacts", ignore_errors=True)
    if not started and done.rc != 0:
        last = [line for line in said.splitlines() if line.strip()][-1:] or ["it said nothing"]
        _tell({"kind": "fatal", "message": last[0][:500]})
    return int(done.rc if done.rc is not None else 1)


def _environment(job: dict[str, Any], sockets: str) -> dict[str, str]:
    folder = Path(job["folder"])
    return {
        # what read the inventory must also apply it: no ansible.cfg or ANSIBLE_* of a person's own
        **ansible.environment(folder),
        "ANSIBLE_ROLES_PATH": ":".join(job["roles"]),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
        "ANSIBLE_TIMEOUT": str(int(job["connect_timeout_s"])),
        "ANSIBLE_RETRY_FILES_ENABLED": "False",
        "ANSIBLE_LOCALHOST_WARNING": "False",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '/usr/bin:/bin')}",
    }


def _told(event: dict[str, Any]) -> dict[str, Any] | None:
    """The few events that matter, and of each the few fields that matter."""
    name = event["event"]
    data = event.get("event_data") or {}
    if name == "playbook_on_play_start":
        return {"kind": "play", "measure": _measure(data.get("pattern", ""))}
    measure = _measure(data.get("play_pattern", ""))
    about = {"measure": measure, "host": data.get("host", ""), "task": data.get("task", "")}
    if name == "runner_on_start":
        return {"kind": "begin", **about}
    if about["task"] in _BOOKKEEPING and name in {"runner_on_ok", "runner_on_skipped"}:
        return {"kind": "stamped", **about} if about["task"] in _LAST else None
    if name == "runner_on_ok" and (data.get("res") or {}).get("changed"):
        return {"kind": "changed", **about}
    if name == "runner_on_failed" and not data.get("ignore_errors"):
        return {"kind": "failed", **about, "message": _message(data)}
    if name == "runner_on_unreachable":
        return {"kind": "unreachable", **about, "message": _message(data)}
    return None


def _measure(pattern: str) -> str:
    """The measure of a play: its hosts are the group `due_<measure>` or `absent_<measure>`."""
    return pattern.removeprefix("due_").removeprefix("absent_")


def _message(data: dict[str, Any]) -> str:
    result = data.get("res") or {}
    if result.get("censored"):
        return "the details are kept secret by the task (no_log)"
    for name in ("msg", "stderr", "module_stderr", "stdout"):
        text = str(result.get(name) or "").strip()
        # what a command said tells more than Ansible's own word for any status
        if text and not (text == "non-zero return code" and result.get("stderr")):
            return " ".join(text.split())[:600]
    return "no reason given"


if __name__ == "__main__":
    sys.exit(main())
