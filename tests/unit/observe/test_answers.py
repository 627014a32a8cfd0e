"""Reading what came back: any bytes give evidence or one clear error."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsurvie.errors import ExitCode
from kitsurvie.model import Answer
from kitsurvie.observe.answers import MAX_BYTES, RubbishAnswer, decode
from kitsurvie.observe.request import nonce

COMMANDS = ("cat /etc/hostname", "id -u")
PLAIN = b"0 - 3 0\nab\n1 timeout 0 4\noops"


def framed(plain: bytes, *, commands: tuple[str, ...] = COMMANDS, version: int = 1) -> bytes:
    body = zlib.compress(plain)
    return b"\nkitsurvie-answers %d %s %d\n" % (version, nonce(commands).encode(), len(body)) + body


def test_an_answer_becomes_evidence() -> None:
    evidence = decode("h1", COMMANDS, framed(PLAIN))
    assert evidence.host == "h1"
    assert evidence.answers == {
        "cat /etc/hostname": Answer(0, b"ab\n", b""),
        "id -u": Answer(1, b"", b"oops", "timeout"),
    }


def test_what_a_login_shell_prints_around_it_does_no_harm() -> None:
    noisy = b"Welcome! \xff\nkitsurvie-answers\n" + framed(PLAIN) + b"\nbye\n"
    assert decode("h1", COMMANDS, noisy) == decode("h1", COMMANDS, framed(PLAIN))


def test_an_answer_to_another_request_before_the_right_one_is_passed_over() -> None:
    other = framed(b"0 - 0 0\n", commands=("true",))
    assert decode("h1", COMMANDS, other + framed(PLAIN)) == decode("h1", COMMANDS, framed(PLAIN))


@pytest.mark.parametrize(
    ("stdout", "says"),
    [
        (b"", "something else"),
        (b"bash: python3: command not found\n", "command not found"),
        (framed(PLAIN)[:-1], "stops at"),
        (framed(PLAIN)[:-3] + b"xyz", "damaged"),
        (framed(PLAIN, commands=("true",)), "another request"),
        (framed(PLAIN, version=2), "another request"),
        (framed(b"0 - 3 0\nab\n"), "1 answers to 2 commands"),
        (framed(b"0 - 900 0\nab"), "longer than the whole"),
        (framed(b"zero - 3 0\nab\n"), "no sense at byte 0"),
        (framed(b"0 asleep 3 0\nab\n"), "no sense"),
        (framed(b"\xff" * 40), "no sense"),
    ],
)
def test_rubbish_is_one_sentence_with_a_remedy(stdout: bytes, says: str) -> None:
    with pytest.raises(RubbishAnswer) as caught:
        decode("h1", COMMANDS, stdout)
    assert says in caught.value.what
    assert caught.value.where == "h1"
    assert caught.value.remedy
    assert caught.value.exit_code == ExitCode.HOSTS


def test_what_the_host_wrote_on_stderr_is_quoted_without_control_characters() -> None:
    with pytest.raises(RubbishAnswer, match=r"No space left on device\\x1b") as caught:
        decode("h1", COMMANDS, b"", b"Traceback\nOSError: No space left on device\x1b[31m\n")
    assert "\x1b" not in caught.value.what


def test_a_small_answer_that_unpacks_to_gigabytes_is_refused_early() -> None:
    bomb = framed(b"\0" * (MAX_BYTES + 1))
    assert len(bomb) < 100_000
    with pytest.raises(RubbishAnswer, match="over 64 MB"):
        decode("h1", COMMANDS, bomb)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_rubbish_answer(noise: bytes) -> None:
    with pytest.raises(RubbishAnswer):
        decode("h1", COMMANDS, noise)


@given(st.binary(max_size=300))
def test_no_unpacked_bytes_raise_anything_but_rubbish_answer(plain: bytes) -> None:
    try:
        evidence = decode("h1", COMMANDS, framed(plain))
    except RubbishAnswer:
        return
    assert list(evidence.answers) == list(COMMANDS)


@given(st.integers(0, len(framed(PLAIN)) - 1), st.integers(1, 255), st.binary(max_size=20))
def test_a_changed_byte_is_found_or_changes_nothing(place: int, flip: int, noise: bytes) -> None:
    whole = bytearray(framed(PLAIN))
    whole[place] ^= flip
    try:
        evidence = decode("h1", COMMANDS, noise + bytes(whole))
    except RubbishAnswer:
        return
    assert evidence == decode("h1", COMMANDS, framed(PLAIN))


@given(st.lists(st.tuples(st.integers(-64, 255), st.binary(), st.binary()), min_size=1))
def test_whatever_commands_wrote_is_read_back(
    given_answers: list[tuple[int, bytes, bytes]],
) -> None:
    commands = tuple(f"command {n}" for n in range(len(given_answers)))
    plain = b"".join(b"%d - %d %d\n" % (r, len(o), len(e)) + o + e for r, o, e in given_answers)
    evidence = decode("h1", commands, framed(plain, commands=commands))
    assert list(evidence.answers.values()) == [Answer(r, o, e) for r, o, e in given_answers]
