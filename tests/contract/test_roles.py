"""What DESIGN section 5 promises of every measure, read from its folder."""

from __future__ import annotations

import ast
import re
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kitsurvie.cli import survey

ROOT = Path(__file__).parents[2]
MEASURES = sorted(path.parent.name for path in ROOT.glob("roles/*/measure.yml"))
FILES = (
    "measure.yml",
    "tasks/main.yml",
    "defaults/main.yml",
    "handlers/main.yml",
    "meta/main.yml",
    "meta/argument_specs.yml",
    "checks/test_{measure}.py",
)
KEYS = {
    "id", "step", "title", "why", "changes", "on_failure", "absent", "profiles", "norms",
    "lockout_risk", "reboot", "undo", "footprint", "budget", "fallback",
}  # fmt: skip
TEXTS = ("title", "why", "changes", "on_failure", "fallback", "absent")
NORM = re.compile(r"BP-028/v2\.0/R([1-9]|[1-7]\d|80)|GH-42/2017/([1-9]|[1-3]\d|4[0-2])")
MAY_IMPORT = {"pytest", "json", "re", "hashlib", "shlex", "ipaddress", "html"}
BASHISM = re.compile(r"\[\[ |<\(|>\(|<<<|\bfunction \w+|&>|\bsource /|\bpipefail\b")
WRITES = re.compile(r"(?<![0-9&])>(?!&)\s*(?!/dev/null)\S|\btee\b|\bsed -i|\brm\b|\bmv\b|\btouch\b")
VOLATILE = re.compile(
    r"\buptime\b|\bps\b|\bss\b|\bdate\b|/proc/loadavg|/etc/shadow|\blast\b|\bwho\b"
)


def test_kitsurvie_and_plain_pytest_know_the_same_releases() -> None:
    plain = runpy.run_path(str(ROOT / "roles" / "conftest.py"))
    assert (plain["RELEASE"], plain["SUPPORTED"]) == (survey.RELEASE, survey.SUPPORTED)


def read(measure: str, name: str) -> Any:
    return yaml.safe_load((ROOT / "roles" / measure / name).read_text(encoding="utf-8"))


def source(measure: str) -> str:
    return (ROOT / f"roles/{measure}/checks/test_{measure}.py").read_text(encoding="utf-8")


def checks(measure: str) -> list[ast.FunctionDef]:
    return [
        node
        for node in ast.parse(source(measure)).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def commands(measure: str) -> list[str]:
    """The strings that reach the host: the module's constants and the arguments of `host.run`."""
    tree = ast.parse(source(measure))
    asked: list[ast.AST] = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "host.run":
            asked += node.args
    return [
        part.value
        for one in asked
        for part in ast.walk(one)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    ]


def test_the_five_measures_are_there() -> None:
    assert {"updates", "ssh_hardening", "accounts", "firewall", "support_contact"} <= set(MEASURES)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_has_every_file(measure: str) -> None:
    folder = ROOT / "roles" / measure
    missing = [name for name in FILES if not (folder / name.format(measure=measure)).is_file()]
    assert missing == []


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_explains_itself_in_both_languages(measure: str) -> None:
    said = read(measure, "measure.yml")
    # applies: false is said where it is so, and nowhere else
    assert set(said) - {"applies", "reads"} == KEYS
    assert said.get("applies", False) is False
    assert said["id"] == measure
    assert said["step"] in {"secure", "tools", "support", "sobriety"}
    assert said["profiles"]
    assert set(said["profiles"]) <= {"server", "desktop", "laptop", "public_access"}
    assert isinstance(said["lockout_risk"], bool)
    assert isinstance(said["reboot"], bool)
    for name in TEXTS:
        assert set(said[name]) == {"fr", "en"}, name
        assert all(len(text.strip()) >= 15 for text in said[name].values()), name
        french = said[name]["fr"]
        assert "'" not in french, f"{name}: a French text has typographic apostrophes: {french}"
        unbroken = re.search(r"[^\u00a0\u202f:/](?:[;!?»]|:(?!/))|«[^\u00a0\u202f]", french)
        assert not unbroken, f"{name}: no non-breaking space around {unbroken and unbroken[0]!r}"


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_stays_within_its_budget(measure: str) -> None:
    said = read(measure, "measure.yml")
    found, most = said["footprint"], said["budget"]
    over = {name: figure for name, figure in found.items() if figure > most[name]}
    assert over == {}, "make it cheaper, or say why it may cost more"
    assert found.keys() == most.keys(), f"measure it: make footprint (or --measure {measure})"


@pytest.mark.parametrize("measure", MEASURES)
def test_a_measure_names_real_rules(measure: str) -> None:
    said = read(measure, "measure.yml")
    norms = said["norms"]
    # no rule asks to say who to call, to save power or for an office suite: better none than one
    # that is not met
    assert norms or said["step"] != "secure"
    assert [norm for norm in norms if not NORM.fullmatch(norm)] == []


@pytest.mark.parametrize("measure", MEASURES)
def test_every_default_is_named_after_the_measure_and_explained(measure: str) -> None:
    path = ROOT / "roles" / measure / "defaults" / "main.yml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if re.match(r"\w", line):
            assert line.startswith(f"{measure}__"), line
            assert lines[number - 1].startswith("#"), f"no comment above {line}"
    text = "\n".join(lines)
    assert "{{" not in text, "plain data only"
    assert "!vault" not in text


@pytest.mark.parametrize("measure", MEASURES)
def test_the_argument_specs_cover_the_defaults(measure: str) -> None:
    defaults = read(measure, "defaults/main.yml")
    options = read(measure, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert set(options) == set(defaults)
    assert {name: option["default"] for name, option in options.items()} == defaults


@pytest.mark.parametrize("measure", MEASURES)
def test_a_check_says_what_it_means_and_ends_in_found_equals_expected(measure: str) -> None:
    functions = checks(measure)
    assert len(functions) >= 4
    for check in functions:
        sentence = ast.get_docstring(check)
        assert sentence, f"{check.name} has no docstring"
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert ast.unparse(check.body[-1]) == "assert found == expected", check.name
        arguments = [argument.arg for argument in check.args.args]
        assert arguments[0] == "host", check.name


@pytest.mark.parametrize("measure", MEASURES)
def test_a_check_is_a_pure_function_of_the_host_and_the_params(measure: str) -> None:
    tree = ast.parse(source(measure))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            assert set(names) <= MAY_IMPORT, ast.unparse(node)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "host":
            assert node.attr == "run", f"{measure}: host.{node.attr}"
        if isinstance(node, ast.Name):
            assert node.id not in {"open", "exec", "eval", "__import__", "print", "id", "hash"}
        # what is gone through may come from one command; what is done at each turn may not
        turns: list[ast.AST] = []
        if isinstance(node, ast.For | ast.While):
            turns = list(node.body)
        elif isinstance(node, ast.DictComp):
            turns = [node.key, node.value, *node.generators[0].ifs]
        elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            turns = [node.elt, *node.generators[0].ifs]
        for turn in turns:
            assert "host.run" not in ast.unparse(turn), f"{measure}: one command per turn"


@pytest.mark.parametrize("measure", MEASURES)
def test_the_commands_of_a_check_are_plain_sh_read_only_and_stable(measure: str) -> None:
    for command in commands(measure):
        assert not BASHISM.search(command), command
        assert not WRITES.search(command.replace("2>/dev/null", "").replace("2>&1", "")), command
        assert not VOLATILE.search(command), command


@pytest.mark.parametrize("measure", MEASURES)
def test_a_number_alone_comes_of_the_prints_of_passwords_and_of_the_list_of_people(
    measure: str,
) -> None:
    """`getent shadow` gives every print and `passwd -S -a` every name: the last word is a count."""
    tree = ast.parse(source(measure))
    asked = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    asked += [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "host.run"
    ]
    for text in map(ast.unparse, asked):
        if "getent shadow" in text or "passwd -S -a" in text:
            assert " | " not in re.split(r" \| grep -[a-zA-Z]*c", text)[-1], text
            assert re.search(r" \| grep -[a-zA-Z]*c", text), text


@pytest.mark.parametrize("measure", MEASURES)
def test_at_least_two_scenarios_break_a_measure_each_seen_by_a_check(measure: str) -> None:
    scripts = sorted(ROOT.glob(f"roles/{measure}/scenarios/drift_*.sh"))
    assert len(scripts) >= 2
    known = {check.name for check in checks(measure)}
    for script in scripts:
        text = script.read_text(encoding="utf-8")
        named = re.findall(r"^# breaks: (\w+)$", text, re.MULTILINE)
        assert named, f"{script.name} does not say which check must notice"
        assert set(named) <= known, script.name
        assert text.startswith("#!/bin/sh\n# "), script.name
        assert subprocess.run(["sh", "-n", script], check=False).returncode == 0, script.name


@pytest.mark.parametrize("measure", MEASURES)
def test_what_is_verified_only_says_in_a_script_what_a_person_does(measure: str) -> None:
    script = ROOT / f"roles/{measure}/scenarios/mend.sh"
    # some of what is applied needs the world outside too: a list of threats, say
    assert script.is_file() or read(measure, "measure.yml").get("applies", True)
    if script.is_file():
        assert script.read_text(encoding="utf-8").startswith("#!/bin/sh\n# ")
        assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


@pytest.mark.parametrize("measure", MEASURES)
def test_nothing_else_stands_among_the_scenarios(measure: str) -> None:
    folder = ROOT / f"roles/{measure}/scenarios"
    others = {x.name for x in folder.iterdir() if not x.match("drift_*.sh")}
    assert others <= {"mend.sh", "before.sh", "after.sh", "variables.yml"}
    for name in others - {"variables.yml"}:
        assert subprocess.run(["sh", "-n", folder / name], check=False).returncode == 0
    if "variables.yml" in others:
        known = read(measure, "defaults/main.yml")
        assert set(read(measure, "scenarios/variables.yml")) <= set(known)


@pytest.mark.parametrize("measure", MEASURES)
def test_only_ansible_builtin_modules_are_used(measure: str) -> None:
    for path in [*ROOT.glob(f"roles/{measure}/tasks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml")]:
        text = path.read_text(encoding="utf-8")
        for module in re.findall(r"^\s+([a-z_]+\.[a-z_]+\.[a-z_]+):", text, re.MULTILINE):
            assert module.startswith("ansible.builtin."), f"{path.name}: {module}"


@pytest.mark.parametrize("measure", MEASURES)
def test_what_can_lock_out_is_guarded(measure: str) -> None:
    tasks = (ROOT / f"roles/{measure}/tasks/main.yml").read_text(encoding="utf-8")
    guarded = [name for name in ("arm", "disarm", "failed") if f"guard_{name}.yml" in tasks]
    risk = read(measure, "measure.yml")["lockout_risk"]
    assert guarded == (["arm", "disarm", "failed"] if risk else [])


@pytest.mark.parametrize("measure", MEASURES)
def test_what_can_lock_out_is_undone_under_the_guard_too(measure: str) -> None:
    path = ROOT / f"roles/{measure}/tasks/absent.yml"
    risk = read(measure, "measure.yml")["lockout_risk"]
    if not path.exists() or not risk:
        return
    tasks = path.read_text(encoding="utf-8")
    assert all(f"guard_{name}.yml" in tasks for name in ("arm", "disarm", "failed"))
    # or a measure that the guard put back would pass for undone
    assert f"/var/lib/kitsurvie/stamps/{measure}" in tasks


def test_every_measure_is_taken_away_in_the_order_it_is_put_backwards() -> None:
    kit, absent = (
        yaml.safe_load((ROOT / "playbooks" / name).read_text(encoding="utf-8"))
        for name in ("kit.yml", "absent.yml")
    )
    assert [play["vars"]["absent_measure"] for play in absent] == [
        play["roles"][0] for play in reversed(kit)
    ]
    for play in absent:
        measure = play["vars"]["absent_measure"]
        assert play["tags"] == [measure]
        assert f"'absent_{measure}'" in play["hosts"]
        risk = read(measure, "measure.yml")["lockout_risk"]
        assert play.get("strategy") == ("host_pinned" if risk else None), measure


def test_the_playbook_has_a_play_for_every_measure() -> None:
    plays = {play["roles"][0]: play for play in yaml.safe_load(
        (ROOT / "playbooks" / "kit.yml").read_text(encoding="utf-8")
    )}  # fmt: skip
    assert set(plays) == set(MEASURES)
    for measure, play in plays.items():
        assert play["tags"] == [measure]
        assert f"'due_{measure}'" in play["hosts"]
        named = {task["vars"][key] for task in play["pre_tasks"] + play["post_tasks"]
                 for key in task["vars"]}  # fmt: skip
        assert named == {"{{ ansible_play_role_names[0] }}"}
        assert play["roles"] == [measure]
        risk = read(measure, "measure.yml")["lockout_risk"]
        assert play.get("strategy") == ("host_pinned" if risk else None), measure
