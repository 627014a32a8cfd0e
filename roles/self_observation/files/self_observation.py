# A machine that sleeps when others are looked at looks at itself, and hands in what it saw. It
# decides nothing: the commands are a list that kitsurvie wrote (commands.json), the program that
# runs them is the one kitsurvie runs over ssh (runner.py), what they mean is judged elsewhere.
#
#   self_observation.py observe   look, and write what was seen to standard output
#   self_observation.py hand-in   hand in what waits, the oldest first; keep what could not be
#
# Run by `python3 -I -S -B`, by two units: the one that looks has no network and writes nothing, the
# one that hands in has no rights. What is handed in (kitsurvie.observe.hand_in reads it):
#   "kitsurvie-hand-in 1 <host> <moment> <size> <size> <digest>\n", the commands separated by NUL as
#   zlib, what the runner wrote. The digest is that of the four words before it and of the rest.
# Python's smallest start: plain os, not pathlib.
# ruff: noqa: PTH104, PTH108, PTH123, PTH202
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import zlib

FOLDER = "/var/lib/kitsurvie/self_observation"
PROGRAMS = "/usr/local/lib/kitsurvie"
WIDTH, COMMAND_MS, DEADLINE_MS, EACH, TOTAL = 1, 20_000, 300_000, 256 << 10, 4 << 20
MOST_BYTES = 1 << 20
# what is kept while the control node does not answer: the newest ones
KEPT, KEPT_BYTES = 8, 4 << 20
SSH_S = 150
NEVER = 65
HEAD = re.compile(
    rb"kitsurvie-hand-in 1 \S+ ([0-9]{1,11}) ([0-9]{1,7}) ([0-9]{1,7}) [0-9a-f]{32}\n"
)
# what nobody mends by waiting: the control node is another one, or does not know us
REFUSED = re.compile(rb"Host key verification failed|Permission denied|IDENTIFICATION HAS CHANGED")


def observe() -> None:
    with open(f"{FOLDER}/settings.json", encoding="utf-8") as file:
        name = json.load(file)["name"]
    with open(f"{FOLDER}/commands.json", encoding="utf-8") as file:
        commands = "\0".join(json.load(file)).encode()
    nonce = hashlib.sha256(commands).hexdigest()[:16]
    numbers = (WIDTH, COMMAND_MS, DEADLINE_MS, EACH, TOTAL, len(commands))
    request = f"kitsurvie-request 1 {nonce} {' '.join(map(str, numbers))}\n".encode() + commands
    moment = int(time.time())
    runner = [sys.executable, "-I", "-S", "-B", f"{PROGRAMS}/runner.py"]
    answers = subprocess.run(runner, input=request, stdout=subprocess.PIPE, check=True).stdout
    packed = zlib.compress(commands, 6)
    words = f"{name} {moment} {len(packed)} {len(answers)}".encode()
    digest = hashlib.sha256(words + b"\n" + packed + answers).hexdigest()[:32].encode()
    whole = b"kitsurvie-hand-in 1 " + words + b" " + digest + b"\n" + packed + answers
    if len(whole) > MOST_BYTES:
        sys.exit(f"kitsurvie: what was seen is too large to be handed in ({len(whole)} bytes)")
    sys.stdout.buffer.write(whole)


def keep() -> None:
    """Move what was just seen to what waits; one that is not whole yet is left where it is."""
    try:
        with open(f"{FOLDER}/new", "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return
    head = HEAD.match(data)
    if head is None or head.end() + int(head[2]) + int(head[3]) != len(data):
        return
    os.rename(f"{FOLDER}/new", f"{FOLDER}/outbox/{int(head[1]):011d}")


def waiting() -> list[str]:
    """What waits, the oldest first; the oldest beyond the bounds are let go."""
    paths = sorted(entry.path for entry in os.scandir(f"{FOLDER}/outbox") if entry.is_file())
    room = KEPT_BYTES
    kept: list[str] = []
    for path in reversed(paths):
        room -= os.path.getsize(path)
        if room < 0 or len(kept) >= KEPT:
            os.unlink(path)
        else:
            kept.append(path)
    return kept[::-1]


def hand_in() -> None:
    keep()
    for path in waiting():
        with open(path, "rb") as file:
            try:
                done = subprocess.run(
                    ["ssh", "-F", f"{FOLDER}/ssh_config", "control"],
                    stdin=file,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    timeout=SSH_S,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                print("kitsurvie: the control node is too slow; later again", flush=True)
                return
        said = (done.stderr.strip().splitlines() or [b""])[-1].decode("utf-8", "replace")
        if done.returncode == 255 and REFUSED.search(done.stderr):
            sys.exit(
                f"kitsurvie: the control node is not the one we know, or does not let us in: {said}"
            )
        if done.returncode not in (0, NEVER):
            # it is away, or we are: no fault of this machine
            print(f"kitsurvie: not handed in, later again: {said}", flush=True)
            return
        if done.returncode == NEVER:
            print(f"kitsurvie: refused for good: {said}", flush=True)
        os.unlink(path)


if __name__ == "__main__":
    {"observe": observe, "hand-in": hand_in}[sys.argv[1]]()
