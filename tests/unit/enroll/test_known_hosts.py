"""Keys are pinned under a name, sorted, whole or not at all; a change is refused."""

from __future__ import annotations

import threading

import paramiko
import pytest

from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.host_key import PublicKey
from kitsurvie.enroll.record import record
from kitsurvie.errors import EnrolError


def made() -> PublicKey:
    key = paramiko.ECDSAKey.generate()
    return PublicKey(key.get_name(), key.get_base64())


def test_openssh_finds_the_key_under_the_inventory_name(tmp_path):
    import subprocess

    path, key = tmp_path / "known_hosts", made()
    known_hosts.pin(path, "mairie-pc1", [key], replace=False)
    found = subprocess.run(
        ["ssh-keygen", "-F", "mairie-pc1", "-l", "-f", str(path)], capture_output=True, text=True
    )
    assert key.fingerprint in found.stdout


def test_pins_are_sorted_and_foreign_lines_are_kept(tmp_path):
    path = tmp_path / "known_hosts"
    path.write_text("# by hand\n@revoked old ssh-ed25519 AAAA\n")
    a, b = made(), made()
    known_hosts.pin(path, "b", [b], replace=False)
    known_hosts.pin(path, "a", [a], replace=False)
    assert path.read_text().splitlines() == [
        "# by hand",
        "@revoked old ssh-ed25519 AAAA",
        f"a {a}",
        f"b {b}",
    ]


def test_another_key_of_the_same_type_is_refused_and_the_file_is_untouched(tmp_path):
    path = tmp_path / "known_hosts"
    known_hosts.pin(path, "a", [made()], replace=False)
    before = path.read_bytes()
    with pytest.raises(EnrolError, match="changed"):
        known_hosts.pin(path, "a", [made()], replace=False)
    assert path.read_bytes() == before


def test_replacing_leaves_only_the_new_key_and_gives_the_old_one_back(tmp_path):
    path, old, new = tmp_path / "known_hosts", made(), made()
    known_hosts.pin(path, "a", [old], replace=False)
    assert known_hosts.pin(path, "a", [new], replace=True) == (old,)
    assert known_hosts.keys_of(path, "a") == (new,)


def test_a_damaged_line_is_named_with_its_number(tmp_path):
    path = tmp_path / "known_hosts"
    path.write_text(f"a {made()}\nb ssh-ed25519 AAAAC3Nz\n")
    with pytest.raises(EnrolError) as refused:
        known_hosts.read(path)
    assert refused.value.where == f"{path}:2"


def test_forty_enrolments_at_once_lose_no_key(tmp_path):
    path, key = tmp_path / "known_hosts", made()
    threads = [
        threading.Thread(
            target=known_hosts.pin, args=(path, f"pc{n}", [key]), kwargs={"replace": False}
        )
        for n in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(known_hosts.read(path)) == {f"pc{n}" for n in range(40)}
    assert [p.name for p in tmp_path.iterdir()] == ["known_hosts"]


def test_an_inventory_that_cannot_be_written_takes_the_pins_back(tmp_path):
    path, old, new = tmp_path / "known_hosts", made(), made()
    known_hosts.pin(path, "a", [old], replace=False)
    before = path.read_bytes()

    def full() -> None:
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        record(path, "a", [new], replace=True, add_to_inventory=full)
    assert path.read_bytes() == before


def test_an_inventory_that_cannot_be_written_leaves_no_pin_of_a_newcomer(tmp_path):
    path = tmp_path / "known_hosts"

    def refused() -> None:
        raise EnrolError("no", remedy="no")

    with pytest.raises(EnrolError):
        record(path, "a", [made()], replace=False, add_to_inventory=refused)
    assert known_hosts.read(path) == {}
