"""Kernel settings that several labs on one host share."""

from __future__ import annotations

from pathlib import Path

import pytest

from kitsurvie.lab import settings

FORWARD = "net/ipv4/ip_forward"


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    for name in settings.NEEDED:
        file = tmp_path / "sys" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("0\n")
    return tmp_path / "sys"


def hold(prefix: str, kernel: Path) -> None:
    settings.hold(prefix, kernel=kernel, runtime=kernel.parent / "run")


def release(prefix: str, kernel: Path, *, living: tuple[str, ...] = ()) -> None:
    settings.release(prefix, living.__contains__, kernel=kernel, runtime=kernel.parent / "run")


def test_the_last_lab_puts_the_settings_back(kernel: Path) -> None:
    hold("ks", kernel)
    hold("kt", kernel)
    release("ks", kernel, living=("kt",))
    assert (kernel / FORWARD).read_text() == "1\n"
    release("kt", kernel)
    assert (kernel / FORWARD).read_text() == "0\n"


def test_what_was_enough_before_is_never_touched(kernel: Path) -> None:
    (kernel / "fs/inotify/max_user_instances").write_text("9999\n")
    hold("ks", kernel)
    assert (kernel / "fs/inotify/max_user_instances").read_text() == "9999\n"
    release("ks", kernel)
    assert (kernel / "fs/inotify/max_user_instances").read_text() == "9999\n"


def test_holding_twice_remembers_the_first_value(kernel: Path) -> None:
    hold("ks", kernel)
    hold("ks", kernel)
    release("ks", kernel)
    assert (kernel / FORWARD).read_text() == "0\n"


def test_a_lab_that_died_does_not_hold_the_settings_for_ever(kernel: Path) -> None:
    hold("dead", kernel)
    hold("ks", kernel)
    release("ks", kernel, living=())
    assert (kernel / FORWARD).read_text() == "0\n"
