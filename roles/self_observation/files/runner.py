# The program that observes a host, sent as it is and run by `python3 -I -S -B`, as root. It runs
# each command of a request once. It writes no file, opens no socket and needs Python 3.9 alone.
#
# Request: "kitsurvie-request 1 <nonce> <width> <command_ms> <deadline_ms> <each> <total> <size>\n",
#   then <size> bytes: the commands, separated by NUL. <width> is how many run at once; <each> caps
#   one stream of one command, <total> all of them together, in bytes.
# Answer: "\nkitsurvie-answers 1 <nonce> <bytes>\n", then as many bytes of zlib (it has a checksum).
#   In it, for each command in order: "<rc> <flaw> <bytes of stdout> <bytes of stderr>\n", stdout,
#   stderr. The flaw is "-", "timeout", "truncated" or "deadline".
import os
import select
import signal
import sys
import time
import zlib

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/"}
NOT_RUN = b"-1 %s 0 0\n"


class Command:
    """One command that runs: its process group, its two streams and what they gave so far."""

    def __init__(self, text: bytes, null: int, until: float, deadline: float) -> None:
        self.until = min(until, deadline)
        self.late = "deadline" if deadline <= until else "timeout"
        self.flaw, self.rc = "-", 0
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        self.gave = {out: bytearray(), err: bytearray()}
        self.open, ends = {out, err}, enumerate((null, to_out, to_err))
        # a session of its own, and the signals as a shell expects them: Python ignores two
        self.pid = os.posix_spawn(
            "/bin/sh",
            [b"/bin/sh", b"-c", text],
            ENVIRONMENT,
            file_actions=[(os.POSIX_SPAWN_DUP2, end, n) for n, end in ends],
            setsid=True,
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
        )
        os.close(to_out)
        os.close(to_err)

    def take(self, end: int, room: int) -> int:
        """Keep at most `room` bytes of what is there; returns how many were kept."""
        part = os.read(end, 65536)
        if not part:
            os.close(end)
            self.open.discard(end)
        elif len(part) > room:
            self.stop("truncated")
        self.gave[end] += part[:room]
        return min(len(part), room)

    def stop(self, flaw: str) -> None:
        """End it with all its children, and listen no more to those that left its group."""
        self.flaw, self.until = flaw, time.monotonic() + 1
        self.kill()
        for end in self.open:
            os.close(end)
        self.open.clear()

    def kill(self) -> None:
        # before the leader is waited for: until then the group's number cannot be another's
        try:  # noqa: SIM105 (contextlib takes longer to import than a command to run)
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass

    def ended(self) -> bool:
        if self.open:
            return False
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            # a process that SIGKILL does not end hangs in the kernel: it is left there
            self.rc = -9
            return self.flaw != "-" and time.monotonic() > self.until
        self.kill()
        self.rc = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return True

    def answer(self) -> bytes:
        out, err = self.gave.values()
        return b"%d %s %d %d\n" % (self.rc, self.flaw.encode(), len(out), len(err)) + out + err


def observe(
    texts: list[bytes], width: int, command_s: float, deadline: float, each: int, total: int
) -> list[bytes]:
    null = os.open("/dev/null", os.O_RDONLY)
    wake, woken = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # noted, and obeyed between two steps: an exit amid a start would leave that command behind
    told_to_end: list[int] = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: told_to_end.append(number))
    answers, started = [b""] * len(texts), 0
    running: dict[int, Command] = {}
    try:
        while started < len(texts) or running:
            if told_to_end:
                sys.exit(1)
            while started < len(texts) and len(running) < width and not told_to_end:
                now = time.monotonic()
                if now >= deadline or total <= 0:
                    answers[started] = NOT_RUN % (b"deadline" if now >= deadline else b"truncated")
                else:
                    running[started] = Command(texts[started], null, now + command_s, deadline)
                started += 1
            poll = select.poll()
            owner = {end: command for command in running.values() for end in command.open}
            for end in (wake, *owner):
                poll.register(end, select.POLLIN)
            until = min((command.until for command in running.values()), default=0)
            for end, _ in poll.poll(max(0, until - time.monotonic()) * 1000 + 1):
                if end == wake:
                    os.read(wake, 4096)
                elif end in owner[end].open:
                    total -= owner[end].take(end, min(each - len(owner[end].gave[end]), total))
            now = time.monotonic()
            for index, command in list(running.items()):
                if command.flaw == "-" and now >= command.until:
                    command.stop(command.late)
                if command.ended():
                    answers[index] = running.pop(index).answer()
    finally:
        for command in running.values():
            command.kill()
    return answers


def main() -> None:
    began = time.monotonic()
    words = sys.stdin.buffer.readline().split()
    if words[:2] != [b"kitsurvie-request", b"1"]:
        sys.exit("kitsurvie: this is not a request")
    width, command_ms, deadline_ms, each, total, size = map(int, words[3:])
    body = sys.stdin.buffer.read(size)
    if len(body) < size:
        sys.exit("kitsurvie: the request was cut short")  # half a command is another command
    os.chdir("/")
    command_s, deadline = command_ms / 1000, began + deadline_ms / 1000
    answers = observe(body.split(b"\0"), width, command_s, deadline, each, total)
    body = zlib.compress(b"".join(answers), 6)
    sys.stdout.buffer.write(b"\nkitsurvie-answers 1 %s %d\n" % (words[2], len(body)) + body)


if __name__ == "__main__":
    main()
