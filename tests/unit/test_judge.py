"""Checks replayed over evidence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from kitsurvie.errors import KitError
from kitsurvie.judge import Memory, judge, load
from kitsurvie.model import Answer, Evidence, Measure, Profile, Status, Step, Text, Verdict


def measure(folder: Path, code: str) -> Measure:
    (folder / "checks").mkdir(parents=True, exist_ok=True)
    (folder / "checks" / "test_demo.py").write_text(dedent(code), encoding="utf-8")
    text = Text("fr", "en")
    return Measure(
        id="demo",
        step=Step.SECURE,
        title=text,
        why=text,
        changes=text,
        on_failure=text,
        absent=text,
        fallback=text,
        profiles=frozenset(Profile),
        norms=(),
        lockout_risk=False,
        reboot=False,
        undo=False,
        path=folder,
        defaults={},
    )


def verdicts(
    folder: Path, code: str, answers: dict[str, bytes], params: dict[str, object] | None = None
) -> dict[str, Verdict]:
    evidence = Evidence("srv", {c: Answer(0, out, b"") for c, out in answers.items()})
    judged = judge(load(measure(folder, code)), {"demo": params or {}}, evidence)
    assert not judged.missing
    return {v.check: v for v in judged.verdicts}


def test_a_check_that_holds_is_compliant_and_names_the_command_it_read(tmp_path: Path) -> None:
    code = """
        def test_kernel(host):
            found = host.check_output("uname -s")
            expected = "Linux"
            assert found == expected
    """
    verdict = verdicts(tmp_path, code, {"uname -s": b"Linux\n"})["test_kernel"]
    assert verdict.status is Status.COMPLIANT
    assert verdict.commands == ("uname -s",)


def test_a_drift_shows_what_was_found_and_what_was_expected(tmp_path: Path) -> None:
    code = """
        def test_port(host, params):
            found = host.run("port").stdout.strip()
            expected = str(params["demo__port"])
            assert found == expected
    """
    verdict = verdicts(tmp_path, code, {"port": b"23\n"}, {"demo__port": 22})["test_port"]
    assert (verdict.status, verdict.found, verdict.expected) == (Status.DRIFT, "23", "22")


def test_a_command_nobody_asked_is_missing_and_gives_no_verdict(tmp_path: Path) -> None:
    code = """
        def test_two_steps(host):
            try:
                first = host.run("first")
            except Exception:
                first = None
            found = first.stdout + host.run("second %s", "a b").stdout
            expected = ""
            assert found == expected
    """
    checks = load(measure(tmp_path, code))
    assert judge(checks, {}, Evidence("srv", {})).missing == ("first",)
    once = Evidence("srv", {"first": Answer(0, b"", b"")})
    judged = judge(checks, {}, once)
    assert judged.missing == ("second 'a b'",)
    assert judged.verdicts == ()


def test_a_skip_is_not_applicable_with_its_reason(tmp_path: Path) -> None:
    code = """
        import pytest

        def test_printer(host):
            pytest.skip("no printer here")
    """
    verdict = verdicts(tmp_path, code, {})["test_printer"]
    assert (verdict.status, verdict.message) == (Status.NOT_APPLICABLE, "no printer here")


def test_a_check_that_raises_is_an_error_not_a_drift(tmp_path: Path) -> None:
    code = """
        def test_broken(host):
            found = 1 / 0
            expected = 1
            assert found == expected

        def test_unexpected_exit_code(host):
            found = host.run_expect([7], "status").rc
            expected = 7
            assert found == expected
    """
    seen = verdicts(tmp_path, code, {"status": b""})
    assert seen["test_broken"].status is Status.ERROR
    assert "ZeroDivisionError" in seen["test_broken"].message
    assert seen["test_unexpected_exit_code"].status is Status.ERROR


@pytest.mark.parametrize("end", ["sys.exit(0)", "pytest.fail('no')", "pytest.exit('no', 0)"])
def test_a_check_that_ends_the_program_is_an_error_and_ends_nothing(
    tmp_path: Path, end: str
) -> None:
    code = f"""
        import sys
        import pytest

        def test_it(host):
            {end}
    """
    assert verdicts(tmp_path, code, {})["test_it"].status is Status.ERROR


def test_an_optimised_python_does_not_make_everything_compliant(tmp_path: Path) -> None:
    measure(
        tmp_path, "def test_x(host):\n    found, expected = 1, 2\n    assert found == expected\n"
    )
    program = f"""
import dataclasses, pathlib, sys
from kitsurvie import judge, kit, workspace
from kitsurvie.model import Evidence
(some, *_) = kit.load([workspace.shipped("roles")]).values()
demo = dataclasses.replace(some, id="demo", path=pathlib.Path({str(tmp_path)!r}))
(verdict,) = judge.judge(judge.load(demo), {{}}, Evidence("srv", {{}})).verdicts
print(verdict.status.value, __debug__)
"""
    command = [sys.executable, "-O", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "drift False\n"


def test_an_answer_cut_short_is_unknown_even_to_a_check_that_tolerates_errors(
    tmp_path: Path,
) -> None:
    code = """
        def test_slow(host):
            try:
                found = host.run("slow").stdout
            except Exception:
                found = ""
            expected = ""
            assert found == expected
    """
    evidence = Evidence("srv", {"slow": Answer(-9, b"", b"", "timeout")})
    (verdict,) = judge(load(measure(tmp_path, code)), {}, evidence).verdicts
    assert verdict.status is Status.UNKNOWN
    assert "time limit" in verdict.message


def test_bytes_that_are_no_text_are_shown_and_never_fatal(tmp_path: Path) -> None:
    code = """
        def test_text(host):
            found = host.run("name").stdout
            expected = "x"
            assert found == expected
    """
    verdict = verdicts(tmp_path, code, {"name": b"\xffa"})["test_text"]
    assert (verdict.status, verdict.found) == (Status.DRIFT, "\\xffa")


def test_parametrized_checks_have_the_names_pytest_gives_them(tmp_path: Path) -> None:
    code = '''
        import pytest

        @pytest.mark.parametrize("unit", ["a.timer", "b.timer"])
        def test_unit(host, unit):
            """The timer runs."""
            found = host.run("systemctl is-enabled %s", unit).rc
            expected = 0
            assert found == expected

        @pytest.mark.parametrize(("key", "value"), [("x", 1), ("y", True)])
        @pytest.mark.parametrize("mode", [["list"], None])
        def test_pair(host, key, value, mode):
            """Pairs."""
            found = host.run("true").rc
            expected = 0
            assert found == expected
    '''
    demo = measure(tmp_path, code)
    mine = [check.name for check in load(demo)]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "--hosts=local://",
         "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path / "checks")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    ).stdout  # fmt: skip
    theirs = [
        line.split("::")[1].replace("[local-", "[").replace("local://-", "")
        for line in collected.splitlines()
        if "::" in line
    ]
    assert sorted(mine) == sorted(theirs)


def test_sets_are_shown_in_one_order_whatever_the_hash_seed(tmp_path: Path) -> None:
    code = """
        def test_set(host):
            found = {"b", "a", "c"}
            expected = {"z", "y"}
            assert found == expected
    """
    verdict = verdicts(tmp_path, code, {})["test_set"]
    assert (verdict.found, verdict.expected) == ("['a', 'b', 'c']", "['y', 'z']")


def test_of_two_dictionaries_only_what_differs_is_shown(tmp_path: Path) -> None:
    code = """
        def test_settings(host):
            found = {"a": 1, "b": 2, "c": 3}
            expected = {"a": 1, "b": 4}
            assert found == expected
    """
    verdict = verdicts(tmp_path, code, {})["test_settings"]
    assert (verdict.found, verdict.expected) == ("{'b': 2, 'c': 3}", "{'b': 4}")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def test_x(host, tmp_path):\n    pass\n", "asks for tmp_path"),
        ("x = 1\n", "has no check"),
        ("import nowhere_to_be_found\n", "cannot be loaded"),
        ("import sys\nsys.exit(3)\n", "cannot be loaded"),
        ("class TestIt:\n    def test_x(self, host):\n        pass\n", "TestIt is a class"),
        (
            "import pytest\n@pytest.mark.parametrize('v', [1, '1'])\n"
            "def test_x(host, v):\n    pass\n",
            r"named test_x\[1\]",
        ),
        (
            "import pytest\n@pytest.mark.parametrize('v', [pytest.param(1)])\n"
            "def test_x(host, v):\n    pass\n",
            "holds a pytest.param",
        ),
        (
            "import pytest\n@pytest.mark.parametrize('v', [1], ids=str)\n"
            "def test_x(host, v):\n    pass\n",
            "not read here",
        ),
        (
            "import pytest\n@pytest.mark.slow\ndef test_x(host):\n    pass\n",
            "mark slow",
        ),
    ],
)
def test_a_check_file_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, code: str, said: str
) -> None:
    with pytest.raises(KitError, match=said):
        load(measure(tmp_path, code))


COUNTED = """
    ran = []

    def test_two_steps(host, params):
        ran.append(host.backend.hostname)
        first = host.run("first").stdout
        found = host.run("second %s", first).stdout
        expected = params["demo__word"]
        assert found == expected
"""


def judged_with_a_memory(
    folder: Path, *hosts: tuple[dict[str, bytes], str]
) -> tuple[list[Verdict], int]:
    """The verdict on each of these hosts (answers, parameter), and how often the check ran."""
    checks = load(measure(folder, COUNTED))
    memory = Memory()
    said = []
    for number, (answers, word) in enumerate(hosts):
        evidence = Evidence(str(number), {c: Answer(0, out, b"") for c, out in answers.items()})
        said += judge(checks, {"demo": {"demo__word": word}}, evidence, memory).verdicts
    return said, len(checks[0].function.__globals__["ran"])


def test_the_same_answers_are_judged_once_whatever_the_host(tmp_path: Path) -> None:
    same = {"first": b"a", "second a": b"good"}
    said, ran = judged_with_a_memory(tmp_path, (same, "good"), (dict(same), "good"))
    assert said[0] == said[1]
    assert (said[0].status, ran) == (Status.COMPLIANT, 1)


def test_another_answer_or_another_parameter_is_judged_anew(tmp_path: Path) -> None:
    same = {"first": b"a", "second a": b"good"}
    said, ran = judged_with_a_memory(
        tmp_path,
        (same, "good"),
        (same, "better"),
        ({**same, "second a": b"bad"}, "good"),
        ({"first": b"b", "second a": b"good", "second b": b"bad"}, "good"),
    )
    assert [v.status for v in said] == [Status.COMPLIANT, *[Status.DRIFT] * 3]
    assert ran == 4


def test_an_answer_that_has_not_come_is_not_made_up_from_memory(tmp_path: Path) -> None:
    checks = load(measure(tmp_path, COUNTED))
    memory, given = Memory(), {"demo": {"demo__word": "good"}}
    whole = {"first": Answer(0, b"a", b""), "second a": Answer(0, b"good", b"")}
    assert judge(checks, given, Evidence("x", whole), memory).verdicts
    part = judge(checks, given, Evidence("y", {"first": whole["first"]}), memory)
    assert (part.verdicts, part.missing) == ((), ("second a",))
