"""What `make judges` makes of what OpenSCAP and Lynis say."""

from __future__ import annotations

from benchmarks import judges

SAID = """\
Title\tEnsure /tmp Located On Separate Partition
Rule\txccdf_org.ssgproject.content_rule_partition_for_tmp
Ident\tCCE-1
Result\tpass

Title\tSet the password length
Rule\txccdf_org.ssgproject.content_rule_accounts_minlen
Result\tfail

Title\tNot for a container
Rule\txccdf_org.ssgproject.content_rule_grub2
Result\tnotapplicable

"""


def seen(lynis: int = 80, **failing: str) -> judges.Seen:
    rules = {profile: dict.fromkeys(("good",), "pass") for profile in judges.PROFILES}
    for rule, profile in failing.items():
        rules[profile][rule] = "fail"
    return judges.Seen(rules, lynis)


def test_every_rule_is_read_with_its_result() -> None:
    assert judges.results(SAID) == {
        "partition_for_tmp": "pass",
        "accounts_minlen": "fail",
        "grub2": "notapplicable",
    }


def test_what_is_excused_breaks_no_promise() -> None:
    assert judges.broken({"trixie": seen(partition_for_home="anssi_bp28_intermediary")}) == []


def test_a_rule_that_fails_without_an_excuse_breaks_a_promise() -> None:
    wrong = judges.broken({"trixie": seen(sshd_root="anssi_bp28_minimal")})
    assert wrong == ["trixie, ANSSI BP-028 minimal: sshd_root fail."]


def test_what_is_only_reported_breaks_no_promise() -> None:
    assert judges.broken({"trixie": seen(sshd_root="cis_level1_server")}) == []


def test_too_low_an_index_breaks_a_promise() -> None:
    assert judges.broken({"trixie": seen(79)}) == ["trixie: Lynis gives 79, less than 80."]


def test_the_index_of_a_virtual_machine_counts_where_there_is_one() -> None:
    high, low = (judges.Seen({}, index, own_kernel=True) for index in (80, 79))
    assert judges.broken({"trixie": seen(79), "virtual": high}) == []
    said = judges.broken({"trixie": seen(80), "virtual": low})
    assert said == ["virtual: Lynis gives 79, less than 80."]


def test_the_page_names_what_still_fails_and_why() -> None:
    after = {"trixie": seen(partition_for_home="anssi_bp28_intermediary")}
    after["trixie, virtual machine"] = judges.Seen({}, 83, own_kernel=True)
    before = {"trixie": seen(58), "trixie, virtual machine": judges.Seen({}, 61, own_kernel=True)}
    text = judges.page(before, after, "OpenSCAP 1")
    assert "| Lynis, hardening index | trixie, virtual machine | 61 | 83 |" in text
    assert "ANSSI BP-028 minimal, trixie, virtual machine" not in text
    assert "| Lynis, hardening index | trixie | 58 | 80 |" in text
    assert "| ANSSI BP-028 intermediary | trixie | 1, 0 | 1, 1 |" in text
    assert f"`partition_for_home`: {judges.PARTITIONS}" in text
