"""What outside judges say of a server before the kit and after it, on both Debian releases.

    make judges            writes docs/reference/judges.md; ends in 1 when the kit promises more

As root. The judges are OpenSCAP with the SCAP Security Guide (ANSSI BP-028 and CIS profiles) and
Lynis. They are Debian's packages; the guide comes from Debian's newest suite, as that of a release
is older than the profiles. They run inside lab machines, on a disk that is thrown away.

Lynis also asks for settings of the kernel, and in a container it reads those of whatever machine
holds the lab, which no measure can set. `--virtual` has it look at virtual machines too, and its
index is then promised of those. They need qemu-system-x86 and KVM: without, count in hours.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.footprint import sh
from benchmarks.machines import fleet_up, network, prefix_for
from benchmarks.playbook import play
from kitsurvie import lab
from kitsurvie.lab.roster import Kind

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "judges.md"
PROFILES = {
    "anssi_bp28_minimal": "ANSSI BP-028 minimal",
    "anssi_bp28_intermediary": "ANSSI BP-028 intermediary",
    "anssi_bp28_enhanced": "ANSSI BP-028 enhanced",
    "cis_level1_server": "CIS level 1, server",
}
# profiles of which nothing but EXCUSED may fail
PROMISED = ("anssi_bp28_minimal", "anssi_bp28_intermediary")
LYNIS_AT_LEAST = 80
# rules that fail and are left so, each with the reason
PARTITIONS = "partitions are made at installation (BP-028 R28, attested), and a container has none"
EXCUSED = {
    **dict.fromkeys(
        (
            "mount_option_nodev_nonroot_local_partitions",
            "partition_for_boot",
            "partition_for_home",
            "partition_for_opt",
            "partition_for_srv",
            "partition_for_usr",
            "partition_for_var",
            "partition_for_var_log",
            "partition_for_var_log_audit",
            "partition_for_var_tmp",
        ),
        PARTITIONS,
    ),
    "mount_option_tmp_noexec": "a container's /tmp is mounted by what starts it",
    "file_permission_user_init_files": (
        "only their owner may change Debian's .profile and .bashrc, which is what the rule is "
        "after; whether others may read them is up to the home they are in"
    ),
}
_RULE = re.compile(r"^Rule\s+xccdf_org\.ssgproject\.content_rule_(\S+)", re.MULTILINE)
NEWEST = """
set -e
folder=/var/tmp/newest
mkdir -p $folder/lists/partial $folder/parts
set -- /etc/apt/sources.list.d/*.sources
sed 's/^Suites:.*/Suites: sid/;/^$/q' "$1" > $folder/parts/newest.sources
set -- -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts=$folder/parts \
    -o Dir::State::Lists=$folder/lists
apt-get "$@" -qq update
cd $folder && apt-get "$@" -qq download ssg-debian
dpkg --fsys-tarfile ssg-debian_*.deb
"""
INSTALL = (
    "apt-get -qq update; DEBIAN_FRONTEND=noninteractive apt-get -y -qq install "
    "--no-install-recommends "
)


@dataclass(frozen=True)
class Seen:
    """What the judges said of one machine: results of rules by profile, and Lynis' index.

    A machine with a kernel of its own was shown to Lynis alone, and has no rules.
    """

    rules: Mapping[str, Mapping[str, str]]
    lynis: int
    own_kernel: bool = False

    def failed(self, profile: str) -> list[str]:
        """The rules of a profile that failed, sorted."""
        rules = self.rules.get(profile, {})
        return sorted(rule for rule, result in rules.items() if result == "fail")

    def count(self, profile: str, result: str) -> int:
        """How many rules of a profile ended so."""
        return sum(one == result for one in self.rules[profile].values())


def main() -> int:
    """Judge, apply the kit, judge again, write the page; 1 when a promise is not kept."""
    parser = argparse.ArgumentParser(description="What outside judges say of the kit.")
    parser.add_argument("--print", action="store_true", help="Print the page, write nothing.")
    parser.add_argument("--virtual", action="store_true", help="Show Lynis virtual machines too.")
    asked = parser.parse_args()
    wanted = lab.Request(
        machines=2,
        vms=("bookworm", "trixie") if asked.virtual else (),
        prefix=prefix_for("j"),
        network=network(),
        enrolled=True,
    )
    with fleet_up(wanted) as fleet, ThreadPoolExecutor() as workers:
        prepare(fleet)
        before = dict(zip(names(fleet), workers.map(judged, fleet.machines), strict=True))
        # the guide's profiles are for servers
        settings = ["-e", "kit__profile=server"]
        if asked.virtual:  # an emulated processor needs minutes for what must come back in two
            settings += ["-e", "kit__guard_delay_s=1500"]
        done = play(fleet, *settings, pipelining=True)
        if done.returncode:
            print(done.stdout[-4000:], file=sys.stderr)
            return 1
        after = dict(zip(names(fleet), workers.map(judged, fleet.machines), strict=True))
        versions = tools(one_container(fleet, "trixie"))
    text = page(before, after, versions)
    if asked.print:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
    wrong = broken(after)
    print("\n".join(wrong) or "Every promise is kept.", file=sys.stderr)
    return 1 if wrong else 0


def names(fleet: lab.Lab) -> list[str]:
    """The release of each machine, in its order; of a virtual machine, that it is one."""
    return [
        f"{one.release}, virtual machine" if one.kind is Kind.VM else one.release
        for one in fleet.machines
    ]


def one_container(fleet: lab.Lab, release: str) -> lab.Machine:
    """The container of a release."""
    return next(
        one for one in fleet.machines if one.release == release and one.kind is Kind.CONTAINER
    )


def prepare(fleet: lab.Lab) -> None:
    """Put the judges on every machine."""
    guide = one_container(fleet, "trixie").run(["/bin/sh", "-c", NEWEST], timeout_s=600)
    if guide.returncode:
        raise RuntimeError(f"no ssg-debian of the newest suite: {guide.stderr.decode()}")
    for machine in fleet.machines:
        if machine.kind is Kind.VM:
            sh(machine, INSTALL + "lynis")
            continue
        sh(machine, INSTALL + "openscap-scanner openscap-common lynis")
        folder = ["tar", "-x", "-C", "/", "./usr/share/xml/scap/ssg/content"]
        machine.run(folder, guide.stdout)


def judged(machine: lab.Machine) -> Seen:
    """What the judges say of a machine now."""
    number = {"bookworm": 12, "trixie": 13}[machine.release]
    content = f"/usr/share/xml/scap/ssg/content/ssg-debian{number}-ds.xml"
    rules = {}
    for profile in () if machine.kind is Kind.VM else PROFILES:
        said = sh(
            machine,
            "oscap xccdf eval --profile "
            f"xccdf_org.ssgproject.content_profile_{profile} {content} 2>/dev/null",
        )
        rules[profile] = results(said)
        if not rules[profile]:
            raise RuntimeError(f"oscap said nothing of {profile} on {machine.name}")
    report = sh(machine, "lynis audit system --quick --quiet --no-colors >/dev/null 2>&1; "
                         "sed -n 's/^hardening_index=//p' /var/log/lynis-report.dat")  # fmt: skip
    return Seen(rules, int(report), own_kernel=machine.kind is Kind.VM)


def results(said: str) -> dict[str, str]:
    """Rule to result, from what `oscap xccdf eval` prints."""
    found = {}
    for block in said.split("\n\n"):
        rule = _RULE.search(block)
        result = re.search(r"^Result\s+(\w+)", block, re.MULTILINE)
        if rule and result:
            found[rule[1]] = result[1]
    return found


def tools(machine: lab.Machine) -> str:
    """The judges' versions, for the page."""
    oscap = sh(machine, "oscap --version | head -n 1").rpartition(" ")[2].strip()
    guide = sh(machine, "ls /var/tmp/newest/*.deb").rpartition("/")[2].split("_")[1]
    lynis = sh(machine, "lynis --version").strip()
    return f"OpenSCAP {oscap}, SCAP Security Guide {guide}, Lynis {lynis}"


def broken(after: Mapping[str, Seen]) -> list[str]:
    """The promises that are not kept, each as a sentence."""
    wrong = []
    virtual = any(seen.own_kernel for seen in after.values())
    for release, seen in after.items():
        for profile in PROMISED:
            rest = [rule for rule in seen.failed(profile) if rule not in EXCUSED]
            if rest:
                wrong.append(f"{release}, {PROFILES[profile]}: {', '.join(rest)} fail.")
        if seen.own_kernel is virtual and seen.lynis < LYNIS_AT_LEAST:
            wrong.append(f"{release}: Lynis gives {seen.lynis}, less than {LYNIS_AT_LEAST}.")
    return wrong


def page(before: Mapping[str, Seen], after: Mapping[str, Seen], versions: str) -> str:
    """The page of the reference, in Markdown."""
    lines = [
        "# What outside judges say",
        "",
        "Written by `make judges`: a lab server of each release before the kit and after the whole",
        f"kit in mode `enforce`. {versions} (of the newer release).",
        "OpenSCAP looks at containers, where what needs a kernel or partitions of its own is not",
        "applicable. Lynis counts the settings of the kernel there, which are those of the machine",
        "that holds the lab; with `--virtual` it looks at virtual machines too, and it is their",
        "index that is promised.",
        "",
        "| judge | release | before: pass, fail | after: pass, fail |",
        "|---|---|---|---|",
    ]
    for profile, title in PROFILES.items():
        lines += [
            f"| {title} | {release} | {_counts(before[release], profile)} "
            f"| {_counts(after[release], profile)} |"
            for release, seen in after.items()
            if seen.rules
        ]
    lines += [
        f"| Lynis, hardening index | {release} | {before[release].lynis} | {after[release].lynis} |"
        for release in after
    ]
    lines += ["", "## What still fails", ""]
    for profile, title in PROFILES.items():
        for release, seen in after.items():
            if not seen.rules:
                continue
            lines += _failing(f"{title}, {release}", seen.failed(profile))
    return "\n".join(lines) + "\n"


def _counts(seen: Seen, profile: str) -> str:
    return f"{seen.count(profile, 'pass')}, {seen.count(profile, 'fail')}"


def _failing(title: str, rules: Sequence[str]) -> list[str]:
    if not rules:
        return [f"- {title}: nothing."]
    return [f"- {title}:"] + [
        f"  - `{rule}`{': ' + EXCUSED[rule] if rule in EXCUSED else ''}" for rule in rules
    ]


if __name__ == "__main__":
    sys.exit(main())
