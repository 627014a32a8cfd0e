"""Whatever stands in the spool: nothing is taken wrongly, nothing falls over, each is told once.

A machine may say of itself what it likes, in one way only: a whole hand-in, sealed, under its own
name, from a moment between its last one and now. Everything else here is refused.
"""

from __future__ import annotations

import random
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsurvie.cli.ingest import AHEAD_S, OLDEST_S
from kitsurvie.model import Status
from kitsurvie.observe.hand_in import RefusedHandIn, read
from kitsurvie.spool import refused

from .conftest import CHECKS, WELL, Desk, answered, handed, sealed

HOSTS = ("pc-1", "pc-2", "pc-3")
COMMANDS = "\0".join(WELL).encode()
# of the honest ones too the answers are whatever a machine may find to say
NASTY = (
    b"[" * 5000, b"\x00\xff\xfe" * 50, b"9" * 6000, b"\x1b[2J\x1b]0;x\x07", "\u202eclosed".encode(),
    b'{"a":' * 900, b"closed\0off", b"closed\n" * 400, b"=cmd|' /C calc'!A1", b"",
)  # fmt: skip
READS = (
    CHECKS
    + '''

def test_it_reads_what_it_is_told(host):
    """Ce que dit la machine se lit."""
    import json
    import re
    answer = host.run("door").stdout
    found = [int(word) for word in re.findall("[0-9]+", answer)], json.loads(answer)
    expected = []
    assert found == expected
'''
)


@dataclass
class Foe:
    """Makes hand-ins that are to be refused, taken, or known again, and knows which is which."""

    random: random.Random
    now: int
    last: dict[str, int] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.last = dict.fromkeys(HOSTS, self.now - 20 * 86_400)

    def one(self) -> tuple[str, str, bytes]:
        """What becomes of it (`taken`, `again`, `refused`), the slot, and the bytes."""
        host = self.random.choice(HOSTS)
        if self.random.random() < 0.06:
            return "taken", host, self.honest(host)
        if host in self.sent and self.random.random() < 0.04:
            return "again", host, self.sent[host]
        make = self.random.choices(self.WAYS, self.WEIGHTS)[0]
        return "refused", host, make(self, host)

    def fresh(self, host: str) -> int:
        return self.last[host] + self.random.randint(1, 20)

    def honest(self, host: str) -> bytes:
        self.last[host] = self.fresh(host)
        said = {**WELL, "door": self.random.choice((b"closed\n", b"open", *NASTY))}
        self.sent[host] = handed(host, self.last[host], said)
        return self.sent[host]

    def whole(self, host: str) -> bytes:
        return handed(host, self.fresh(host))

    def noise(self, most: int = 400) -> bytes:
        return self.random.randbytes(self.random.randint(0, most))

    def truncated(self, host: str) -> bytes:
        data = self.whole(host)
        return data[: self.random.randrange(len(data))]

    def flipped(self, host: str) -> bytes:
        data = bytearray(self.whole(host))
        for place in self.random.sample(range(len(data)), self.random.randint(1, 8)):
            data[place] ^= self.random.randint(1, 255)
        return bytes(data)

    def spliced(self, host: str) -> bytes:
        one, two = self.whole(host), handed(host, self.fresh(host) + 30, {**WELL, "more": b"1"})
        place = self.random.randrange(1, min(len(one), len(two)) - 1)
        mixed = one[:place] + two[place:]
        return mixed if mixed not in (one, two) else one + b"\0"

    def longer(self, host: str) -> bytes:
        return self.whole(host) + self.random.randbytes(self.random.randint(1, 200))

    def binary(self, _: str) -> bytes:
        return self.noise(2000)

    def words(self, host: str) -> bytes:
        numbers = [str(self.random.randint(-5, 10**12)) for _ in range(5)]
        head = ["kitsurvie-hand-in", self.random.choice("0123"), host, *numbers]
        self.random.shuffle(numbers)
        return " ".join(head).encode() + b"\n" + self.noise()

    def another_name(self, host: str) -> bytes:
        other = self.random.choice([name for name in HOSTS if name != host] + ["pc-9", host + "0"])
        return handed(other, self.now - 50)

    def no_name(self, host: str) -> bytes:
        name = self.random.choice(
            ["../" + host, "", " ", host + "\n", host.upper() + "é", "-" + host]
        )
        return sealed(name, self.fresh(host), zlib.compress(COMMANDS), answered(WELL))

    def future(self, host: str) -> bytes:
        now = int(time.time())
        ahead = self.random.choice([AHEAD_S + 120, 86_400, 10**9, 99_999_999_999 - now])
        return handed(host, now + ahead)

    def ancient(self, host: str) -> bytes:
        return handed(host, self.random.choice([0, 1, self.now - OLDEST_S - 86_400]))

    def earlier(self, host: str) -> bytes:
        if host not in self.sent:  # nothing is earlier than nothing
            return self.truncated(host)
        moment = self.last[host] - self.random.randint(0, 86_400)
        return handed(host, moment, {**WELL, "salt": self.noise(9)})

    def nested(self, host: str) -> bytes:
        inside = self.whole(host)
        for _ in range(self.random.randint(1, 6)):
            inside = sealed(host, self.fresh(host), zlib.compress(COMMANDS), inside)
        return inside

    def wrapped(self, host: str) -> bytes:
        around = self.random.choice([b"\n", b"Welcome!\n", b"\nkitsurvie-answers 1 "])
        answers = around + answered(WELL) + self.random.choice([b"", b"\nbye\n"])
        return sealed(host, self.fresh(host), zlib.compress(COMMANDS), answers)

    def other_list(self, host: str) -> bytes:
        return sealed(host, self.fresh(host), zlib.compress(COMMANDS + b" "), answered(WELL))

    def bad_list(self, host: str) -> bytes:
        packed = self.random.choice([
            b"", self.noise(60), zlib.compress(b"\xff\xfe"), zlib.compress(b"a\0a"),
            zlib.compress(COMMANDS)[:-3], zlib.compress(COMMANDS) + b"x",
            zlib.compress(b"\0".join(b"%d" % n for n in range(5000))),
        ])  # fmt: skip
        return sealed(host, self.fresh(host), packed, answered(WELL))

    def bad_answers(self, host: str) -> bytes:
        real = answered(WELL)
        head, _, body = real[1:].partition(b"\n")
        plain = bytearray(zlib.decompress(body))
        for place in self.random.sample(range(len(plain)), 3):
            plain[place] = self.random.choice(b"-0 9\nz")
        # a change may also be no change, or another answer that is one: then the frame is cut
        packed = zlib.compress(bytes(plain[:-1]) if self.random.random() < 0.5 else self.noise())
        words = head.split()
        words[3] = b"%d" % len(packed)
        framed = b"\n" + b" ".join(words) + b"\n" + packed
        return sealed(host, self.fresh(host), zlib.compress(COMMANDS), framed)

    def bomb(self, host: str) -> bytes:
        if self.random.random() < 0.5:
            return handed(host, self.fresh(host), {**WELL, "bomb": b"\0" * (5 << 20)})
        packed = zlib.compress(b"x" * (2 << 20))
        return sealed(host, self.fresh(host), packed, answered(WELL))

    def huge(self, host: str) -> bytes:
        return self.whole(host) + b"\0" * ((1 << 20) - self.random.randint(0, 100))

    WAYS: tuple[Callable[[Foe, str], bytes], ...] = (
        truncated, flipped, spliced, longer, binary, words, another_name, no_name, future, ancient,
        earlier, nested, wrapped, other_list, bad_list, bad_answers, bomb, huge,
    )  # fmt: skip
    WEIGHTS = (*(20,) * (len(WAYS) - 2), 0.5, 0.1)


def assault(desk: Desk, count: int, seed: int) -> None:
    foe = Foe(random.Random(seed), int(time.time()))
    expected: Counter[str] = Counter()
    came: Counter[str] = Counter()
    told: list[bytes] = []
    for done in range(0, count, 100):
        honest = []
        for _ in range(min(100, count - done)):
            fate, slot, data = foe.one()
            expected[fate] += 1
            path = desk.put(slot, data)
            if fate == "taken":
                honest.append((slot, foe.last[slot]))
            if fate == "refused" and foe.random.random() < 0.02:
                path.write_bytes(foe.noise(100))
        # a slot gives at most so many at a time
        for _ in range(3):
            report = desk.ingest()
            came.update(
                taken=len(report.taken), again=report.again, refused=len(report.refused)
            )  # fmt: skip
            taken = [(one.last.host, int(one.last.at)) for one in report.taken]
            assert set(taken) <= set(honest), "something was taken that no machine handed in"
            honest = [one for one in honest if one not in taken]
            told += [one.data for one, _ in report.refused]
            if not desk.left():
                break
        assert honest == [], "something that a machine handed in was not taken"
        assert desk.left() == []
    assert came == expected
    assert came.total() == count
    assert len(desk.log()) == expected["refused"]
    for host, last in desk.ledger.hand_ins().items():
        assert last.at == foe.last[host]


@pytest.fixture(autouse=True)
def loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of the log is counted, so none may go."""
    monkeypatch.setattr(refused, "LOG_BYTES", 1 << 40)


@pytest.fixture
def reading(desk: Desk) -> Desk:
    path = desk.world.measures["demo"].path / "checks" / "test_demo.py"
    path.write_text(READS)
    return desk


def test_two_thousand_hostile_hand_ins(reading: Desk) -> None:
    assault(reading, 2000, seed=4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_thousand_hostile_hand_ins(reading: Desk, seed: int) -> None:
    """Four times twenty-five thousand, each with what the others did not try."""
    assault(reading, 25_000, seed=1000 + seed)


def test_a_check_that_cannot_read_an_answer_is_an_error_of_that_check_alone(reading: Desk) -> None:
    now = int(time.time())
    for number, door in enumerate(NASTY):
        reading.put("pc-1", handed("pc-1", now - 1000 + number, {**WELL, "door": door}))
    report = reading.ingest()
    assert len(report.taken) == len(NASTY)
    allowed = {Status.COMPLIANT, Status.DRIFT, Status.ERROR}
    assert {v.status for one in report.taken for v in one.one.verdicts} <= allowed


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_a_refusal(data: bytes) -> None:
    with pytest.raises(RefusedHandIn):
        read(data)


@given(st.binary(max_size=120), st.binary(max_size=200), st.integers(0, 10**10))
@settings(max_examples=400)
def test_no_sealed_parts_raise_anything_but_a_refusal(
    commands: bytes, answers: bytes, moment: int
) -> None:
    for packed in (commands, zlib.compress(commands)):
        for framed in (answers, b"\nkitsurvie-answers 1 %s\n" % answers):
            with pytest.raises(RefusedHandIn):
                read(sealed("pc-1", moment, packed, framed))


COMMAND = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=30)


@given(st.dictionaries(COMMAND, st.binary(max_size=60), min_size=1), st.integers(0, 10**10))
def test_whatever_a_machine_says_is_read_back(said: dict[str, bytes], moment: int) -> None:
    found = read(handed("pc-1", moment, said))
    assert (found.host, found.moment) == ("pc-1", moment)
    assert {c: a.stdout for c, a in found.evidence.answers.items()} == said


@given(st.integers(0, len(handed("pc-1", 5)) - 1), st.integers(1, 255))
def test_no_changed_byte_is_taken(place: int, flip: int) -> None:
    data = bytearray(handed("pc-1", 5))
    data[place] ^= flip
    with pytest.raises(RefusedHandIn):
        read(bytes(data))
