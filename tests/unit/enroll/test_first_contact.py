"""The host key is looked at before anything is sent, and strangers are called by their name."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import paramiko
import pytest

from kitsurvie.enroll import known_hosts
from kitsurvie.enroll.address import Endpoint, endpoint, jump
from kitsurvie.enroll.administrators import Administrator
from kitsurvie.enroll.enrolment import Person, Request, Trust, enrol, meet_jump
from kitsurvie.enroll.host_key import PublicKey
from kitsurvie.enroll.secret import Secret
from kitsurvie.errors import EnrolError, ExitCode, HostError

ED25519 = "AAAAC3NzaC1lZDI1NTE5AAAAIJ6Dq7pMtDRBBLCRhu7VZT9JyR0B8Vqrd+EJ9Qfh2dKs"


def request(port: int, folder: Path, **changes: object) -> Request:
    trust = changes.pop("trust", Trust(folder / "known_hosts"))
    words = {
        "name": "pc1",
        "at": Endpoint("127.0.0.1", port),
        "login": "agent",
        "key_file": None,
        "administrators": (Administrator("admin1", (PublicKey("ssh-ed25519", ED25519),)),),
        "administrator": "admin1",
        "admin_key_file": None,
        "trust": trust,
        "timeout_s": 1.0,
        **changes,
    }
    return Request(**words)  # type: ignore[arg-type]


def person(*, says: bool = True, password: str | None = "right") -> Person:
    return Person(
        confirm=lambda key, pinned: says,
        password=lambda account: None if password is None else Secret(password),
        progress=lambda step: None,
    )


@pytest.fixture(autouse=True)
def no_agent(monkeypatch):
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def test_a_wrong_fingerprint_refuses_before_any_credential_is_sent(machine, tmp_path):
    given = "SHA256:" + "A" * 43
    trust = Trust(tmp_path / "known_hosts", fingerprint=given)
    with pytest.raises(EnrolError) as refused:
        enrol(request(machine.port, tmp_path, trust=trust), person())
    assert given in refused.value.what
    assert machine.public_key.fingerprint in refused.value.what
    assert machine.attempts == []
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_not_confirmed_gets_no_credential(machine, tmp_path):
    with pytest.raises(EnrolError, match="not confirmed"):
        enrol(request(machine.port, tmp_path), person(says=False))
    assert machine.attempts == []


def test_a_changed_key_is_refused_before_any_credential_and_tells_the_way_back(machine, tmp_path):
    other = paramiko.ECDSAKey.generate()
    old = PublicKey(other.get_name(), other.get_base64())
    known_hosts.pin(tmp_path / "known_hosts", "pc1", [old], replace=False)
    before = (tmp_path / "known_hosts").read_bytes()
    with pytest.raises(EnrolError) as refused:
        enrol(request(machine.port, tmp_path), person())
    assert refused.value.what.startswith("The key of pc1 changed")
    assert old.fingerprint in refused.value.what
    assert machine.public_key.fingerprint in refused.value.what
    assert "re-enrol it with --replace-key" in refused.value.remedy
    assert machine.attempts == []
    assert (tmp_path / "known_hosts").read_bytes() == before


def test_replacing_a_key_asks_for_it_again(machine, tmp_path):
    other = paramiko.ECDSAKey.generate()
    old = PublicKey(other.get_name(), other.get_base64())
    known_hosts.pin(tmp_path / "known_hosts", "pc1", [old], replace=False)
    trust = Trust(tmp_path / "known_hosts", replace=True)
    with pytest.raises(EnrolError, match="not confirmed"):
        enrol(request(machine.port, tmp_path, trust=trust), person(says=False))
    assert machine.attempts == []


def test_a_pinned_key_of_another_type_does_not_open_the_door_to_a_new_one(machine, tmp_path):
    known_hosts.pin(
        tmp_path / "known_hosts", "pc1", [PublicKey("ssh-ed25519", ED25519)], replace=False
    )
    with pytest.raises(EnrolError, match="changed"):
        enrol(request(machine.port, tmp_path), person())
    assert machine.attempts == []


def test_a_pinned_key_is_not_asked_about_again(machine, tmp_path):
    known_hosts.pin(tmp_path / "known_hosts", "pc1", [machine.public_key], replace=False)
    machine.password = "other"
    with pytest.raises(EnrolError, match="password"):
        enrol(request(machine.port, tmp_path), person(says=False))
    assert machine.attempts


def test_a_wrong_password_names_the_account_and_never_the_password(machine, tmp_path):
    with pytest.raises(EnrolError) as refused:
        enrol(request(machine.port, tmp_path), person(password="s3cret-of-mine"))
    assert "agent" in refused.value.what
    assert machine.attempts == [("agent", "password", "s3cret-of-mine")]
    chain, said = refused.value, ""
    while chain is not None:
        said += repr(chain) + str(chain)
        chain = chain.__cause__ or chain.__context__
    assert "s3cret-of-mine" not in said
    assert "s3cret-of-mine" not in repr(Secret("s3cret-of-mine"))


def test_without_a_password_or_a_key_the_remedy_names_both(machine, tmp_path):
    with pytest.raises(EnrolError) as refused:
        enrol(request(machine.port, tmp_path), person(password=None))
    assert "KITSURVIE_ENROLL_PASSWORD" in refused.value.remedy
    assert "--key" in refused.value.remedy


def test_a_machine_that_takes_keys_only_says_so(machine, tmp_path):
    machine.takes = "publickey"
    machine.password = None
    with pytest.raises(EnrolError, match=r"takes no password|refuses the password"):
        enrol(request(machine.port, tmp_path), person())


def test_a_wrong_key_file_is_refused_by_name(machine, tmp_path):
    key = tmp_path / "id"
    paramiko.ECDSAKey.generate().write_private_key_file(str(key))
    with pytest.raises(EnrolError) as refused:
        enrol(request(machine.port, tmp_path, key_file=key), person())
    assert str(key) in refused.value.what


def test_a_file_that_is_no_key_is_refused_after_no_attempt(machine, tmp_path):
    key = tmp_path / "id"
    key.write_text("not a key")
    with pytest.raises(EnrolError, match="cannot be used"):
        enrol(request(machine.port, tmp_path, key_file=key), person())
    assert machine.attempts == []


def test_a_machine_that_says_nothing_is_named_within_the_time_limit(listen, tmp_path):
    port = listen(lambda link: time.sleep(30))
    started = time.monotonic()
    with pytest.raises(HostError, match="says nothing") as silent:
        enrol(request(port, tmp_path), person())
    assert time.monotonic() - started < 20
    assert silent.value.exit_code is ExitCode.HOSTS


def test_a_greeting_that_stops_halfway_is_named_within_the_time_limit(listen, tmp_path):
    def half(link: socket.socket) -> None:
        link.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        time.sleep(30)

    started = time.monotonic()
    with pytest.raises(HostError, match=r"greeting|SSH server"):
        enrol(request(listen(half), tmp_path), person())
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "rubbish",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200, b"\xff\x00\xfe" * 4000, b"\n" * 9000],
    ids=["web server", "binary", "empty lines"],
)
def test_rubbish_is_not_taken_for_ssh(listen, tmp_path, rubbish):
    def answer(link: socket.socket) -> None:
        link.sendall(rubbish)
        link.close()

    with pytest.raises(HostError, match=r"not an SSH server|closes|greeting"):
        enrol(request(listen(answer), tmp_path), person())


def test_endless_rubbish_ends_with_the_time_limit(listen, tmp_path):
    def pour(link: socket.socket) -> None:
        try:
            while True:
                link.sendall(b"x" * 1000)
                time.sleep(0.05)
        except OSError:
            return

    started = time.monotonic()
    with pytest.raises(HostError):
        enrol(request(listen(pour), tmp_path), person())
    assert time.monotonic() - started < 20


def test_a_connection_closed_at_once_is_named(listen, tmp_path):
    with pytest.raises(HostError, match="closes the connection"):
        enrol(request(listen(lambda link: link.close()), tmp_path), person())


def test_a_closed_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(HostError, match="refuses connections"):
        enrol(request(port, tmp_path), person())


def test_an_unknown_name_is_named(tmp_path):
    with pytest.raises(HostError, match="No machine is known"):
        enrol(request(22, tmp_path, at=endpoint("nowhere.invalid", 22)), person())


def test_a_jump_host_that_is_not_pinned_is_refused_with_the_command_to_run(tmp_path):
    through = jump("relay@127.0.0.1:2222")
    with pytest.raises(EnrolError) as refused:
        enrol(request(22, tmp_path, jump=through), person())
    assert "kitsurvie enroll 127.0.0.1 --port 2222 --as-jump" in refused.value.remedy


def test_meeting_a_jump_host_sends_no_credential(machine, tmp_path):
    at = Endpoint("127.0.0.1", machine.port)
    trust = Trust(tmp_path / "known_hosts", fingerprint=machine.public_key.fingerprint)
    assert meet_jump(at, trust, person(), timeout_s=2) == machine.public_key
    assert machine.attempts == []


def test_a_machine_that_answers_rubbish_to_a_command_is_named(machine, tmp_path):
    machine.answer = lambda channel, command: channel.sendall(b"\xff\xfe\x00" * 100)
    with pytest.raises(EnrolError, match="no ordinary shell"):
        enrol(request(machine.port, tmp_path), person())


def test_a_machine_that_never_stops_talking_is_cut_off(machine, tmp_path):
    def pour(channel: paramiko.Channel, command: bytes) -> None:
        try:
            while True:
                channel.sendall(b"x" * 32768)
        except (OSError, EOFError):  # paramiko says either when the other side has hung up
            return

    machine.answer = pour
    with pytest.raises(HostError, match="far more"):
        enrol(request(machine.port, tmp_path), person())


def test_a_machine_that_hangs_up_in_the_middle_is_named(machine, tmp_path):
    machine.answer = lambda channel, command: channel.get_transport().close()
    with pytest.raises((HostError, EnrolError)) as named:
        enrol(request(machine.port, tmp_path), person())
    assert named.value.remedy
