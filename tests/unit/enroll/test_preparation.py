"""What is sent to become root, and how the machine's answers are read."""

from __future__ import annotations

import subprocess

import pytest

from kitsurvie.enroll.administrators import Administrator
from kitsurvie.enroll.host_key import parse
from kitsurvie.enroll.prepare import Prepared, _Conversation, script
from kitsurvie.enroll.secret import Secret
from kitsurvie.enroll.session import Heard
from kitsurvie.errors import EnrolError

KEY = parse("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6Dq7pMtDRBBLCRhu7VZT9JyR0B8Vqrd+EJ9Qfh2dKs")
ADMINISTRATORS = (Administrator("admin1", (KEY,)), Administrator("a.second", (KEY,)))


def conversation(prepared: Prepared | None = None, password: str | None = "right"):
    return _Conversation(
        "agent",
        "the script",
        password=lambda: None if password is None else Secret(password),
        prepared=prepared or Prepared(),
        progress=lambda step: None,
    )


def prompt(talk: _Conversation) -> bytes:
    command = talk.command(root=False)
    return command[command.index("-p") + 1].encode()


def ready(talk: _Conversation) -> bytes:
    word = talk.command(root=True)[-1].split()[1].rstrip(";")
    return word.encode() + b"\n"


def test_the_script_is_valid_for_a_plain_shell():
    checked = subprocess.run(
        ["sh", "-n"], input=script(ADMINISTRATORS, "install").encode(), capture_output=True
    )
    assert checked.returncode == 0, checked.stderr


def test_a_script_cut_anywhere_does_nothing():
    lines = script(ADMINISTRATORS, "install").splitlines(keepends=True)
    assert lines[-1] == "main </dev/null\n"
    for end in range(1, len(lines), 7):
        ran = subprocess.run(["sh", "-s"], input="".join(lines[:end]).encode(), capture_output=True)
        assert ran.stdout == b""


def test_the_password_is_sent_only_in_answer_to_the_prompt_of_this_command():
    talk = conversation()
    assert talk.reply(Heard()) == b""
    assert talk.reply(Heard(stderr=b"We trust you have received the usual lecture\n")) == b""
    assert talk.reply(Heard(stderr=b"[ask-0000] Password: ")) == b""
    asked = Heard(stderr=b"lecture\n" + prompt(talk))
    assert talk.reply(asked) == b"right\n"
    assert talk.reply(asked) == b""


def test_a_sudo_that_asks_nothing_never_sees_the_password():
    talk = conversation()
    assert talk.reply(Heard(stdout=b"motd\n" + ready(talk))) == b"the script"


def test_a_password_that_sudo_refuses_is_not_sent_twice():
    talk = conversation()
    talk.reply(Heard(stderr=prompt(talk)))
    with pytest.raises(EnrolError, match="does not accept the password of agent"):
        talk.reply(Heard(stderr=prompt(talk) + b"\nSorry, try again.\n" + prompt(talk)))


def test_without_a_password_a_sudo_that_asks_is_an_error():
    talk = conversation(password=None)
    with pytest.raises(EnrolError, match="none was given"):
        talk.reply(Heard(stderr=prompt(talk)))


def test_no_command_line_holds_the_password():
    talk = conversation(password="s3cret")
    assert not any("s3cret" in word for word in talk.command(root=False) + talk.command(root=True))
    assert "s3cret" not in script(ADMINISTRATORS, "install")


def test_the_machines_lines_are_read_whole_though_they_come_in_pieces():
    prepared = Prepared()
    talk = conversation(prepared)
    said = ready(talk)
    talk.reply(Heard(stdout=said))
    rest = (
        f"kitsurvie os 13\nnoise\nkitsurvie did created the account admin1\n"
        f"kitsurvie hostkey {KEY}\nkitsurvie hostkey ssh-dss AAAA\nkitsurvie warn beware\n"
        "kitsurvie done\n"
    ).encode()
    for end in range(1, len(rest) + 1):
        talk.reply(Heard(stdout=said + rest[:end]))
    assert prepared.debian == "13"
    assert prepared.did == ["created the account admin1"]
    assert prepared.host_keys == [KEY]
    assert prepared.warnings == ["beware"]
    assert prepared.done


@pytest.mark.parametrize(
    ("rc", "said", "sentence"),
    [
        (127, b"env: 'sudo': No such file or directory", "no sudo"),
        (1, b"agent is not in the sudoers file.", "sudo refuses agent"),
        (1, b"sudo: a password is required", "sudo refuses agent"),
    ],
)
def test_a_refusal_of_sudo_is_a_sentence(rc, said, sentence):
    refused = conversation().refusal(Heard(stderr=said, rc=rc), "198.18.0.1:22")
    assert sentence in refused.what


def test_a_machine_that_echoes_the_password_does_not_get_it_shown():
    talk = conversation(password="s3cret")
    talk.reply(Heard(stderr=prompt(talk)))
    refused = talk.refusal(Heard(stderr=b"wrong: s3cret", rc=1), "198.18.0.1:22")
    assert "s3cret" not in str(refused)
