"""What the measure kernel_hardening asks, and how its checks read what a machine says of it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import jinja2
import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"
ROLE = ROLES / "kernel_hardening"


def checks(measure: str) -> ModuleType:
    path = ROLES / measure / "checks" / f"test_{measure}.py"
    spec = importlib.util.spec_from_file_location(f"checks_of_{measure}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))
KERNEL = checks("kernel_hardening")


def written(**changed: Any) -> dict[str, str]:
    """The settings of the file the role writes; those of every interface are left out."""
    template = (ROLE / "templates/zzz-kitsurvie.conf.j2").read_text(encoding="utf-8")
    made = jinja2.Environment(trim_blocks=True, autoescape=False)
    made.filters["zip"] = zip
    made.globals["dict"] = dict
    text = made.from_string(template).render({**DEFAULTS, **changed})
    pairs = re.findall(r"^([a-z][^* ]*) = (.*)$", text, re.MULTILINE)
    return dict(pairs)


@pytest.mark.parametrize("router", [False, True])
@pytest.mark.parametrize("ipv6", ["automatic", "static", "unused"])
def test_the_role_writes_what_the_checks_expect(router: bool, ipv6: str) -> None:
    exceptions = [{"key": "net.ipv4.conf.all.rp_filter", "value": 2, "reason": "two lines"}]
    changed = {
        "kernel_hardening__router": router,
        "kernel_hardening__ipv6": ipv6,
        "kernel_hardening__exceptions": exceptions,
    }
    assert written(**changed) == KERNEL.everything({**DEFAULTS, **changed})


def test_routing_is_said_before_the_redirects_that_it_puts_back() -> None:
    keys = list(written())
    assert keys.index("net.ipv4.ip_forward") < keys.index("net.ipv4.conf.all.accept_redirects")


class Machine:
    """A machine that answers what it is told to, by the beginning of the command."""

    def __init__(self, **said: str) -> None:
        self.said = {"CONTAINER": "none\n", **said}

    def run(self, command: str) -> Any:
        for name, text in self.said.items():
            if command.startswith(getattr(KERNEL, name).partition("{")[0]):
                return SimpleNamespace(rc=0, stdout=text, stderr="")
        return SimpleNamespace(rc=1, stdout="", stderr="")


def found_by(check: Callable[..., None], *given: Any) -> Any:
    """What a check that ends in drift had found."""
    with pytest.raises(AssertionError) as caught:
        check(*given)
    return caught.traceback[-1].frame.f_locals["found"]


def listing(*extra: str) -> str:
    ours = [f"{key} = {value}" for key, value in written().items()]
    return "\n".join(["# /etc/sysctl.d/zzz-kitsurvie.conf", *ours, *extra])


def test_the_file_that_has_the_last_word_is_named() -> None:
    at_start = listing("# /etc/sysctl.d/zzzz.conf", "-net/ipv4/ip_forward=1", "vm.swappiness=10")
    check = KERNEL.test_the_protections_come_back_at_every_start
    found = found_by(check, Machine(AT_START=at_start), DEFAULTS)
    assert found["net.ipv4.ip_forward"] == "1 /etc/sysctl.d/zzzz.conf"
    check(Machine(AT_START=listing()), DEFAULTS)


def test_an_interface_with_a_dot_in_its_name_is_one_key() -> None:
    assert KERNEL.key_of("net/ipv4/conf/eth0.10/rp_filter") == "net.ipv4.conf.eth0/10.rp_filter"
    assert KERNEL.key_of(" -kernel.sysrq ") == "kernel.sysrq"


def test_a_file_that_says_the_same_is_no_contradiction() -> None:
    by_hand = "/etc/sysctl.conf:net.ipv4.tcp_syncookies=1\n/etc/sysctl.d/a.conf:vm.swappiness=1\n"
    machine = Machine(WRITTEN_BY_HAND=by_hand + "looked\n")
    KERNEL.test_no_other_file_says_otherwise(machine, DEFAULTS)
    machine = Machine(WRITTEN_BY_HAND="/etc/sysctl.conf:net.ipv4.ip_forward = 1\nlooked\n")
    found = found_by(KERNEL.test_no_other_file_says_otherwise, machine, DEFAULTS)
    assert found["otherwise"] == ["/etc/sysctl.conf: net.ipv4.ip_forward = 1"]
    router = {**DEFAULTS, "kernel_hardening__router": True}
    KERNEL.test_no_other_file_says_otherwise(machine, router)


def test_one_kernel_of_the_menu_without_the_options_is_seen() -> None:
    options = " ".join(DEFAULTS["kernel_hardening__boot_options"])
    menu = f" root=UUID=1 ro {options} quiet\n root=UUID=1 ro single {options}\n"
    machine = Machine(GRUB="grub\n", NEXT_START=menu)
    KERNEL.test_the_next_start_protects_the_memory(machine, DEFAULTS)
    machine = Machine(GRUB="grub\n", NEXT_START=menu + " root=UUID=1 ro quiet\n")
    found = found_by(KERNEL.test_the_next_start_protects_the_memory, machine, DEFAULTS)
    assert found["missing"] == DEFAULTS["kernel_hardening__boot_options"]


def test_a_container_does_not_answer_for_the_kernel_that_holds_it() -> None:
    with pytest.raises(pytest.skip.Exception, match="systemd-nspawn"):
        KERNEL.test_the_kernel_keeps_its_secrets(Machine(CONTAINER="systemd-nspawn\n"), DEFAULTS)


def test_the_servers_of_the_clock_are_those_said_after_the_last_empty_line() -> None:
    said, named = checks("time_sync").listed(
        "# /etc/systemd/timesyncd.conf\n[Time]\n#NTP=x\nNTP=a b\nFallbackNTP=f\n\n"
        "# /etc/systemd/timesyncd.conf.d/zzz.conf\nNTP=\nNTP=c\nNTP=d\nFallbackNTP=\n"
    )
    assert said == {"NTP": ["c", "d"], "FallbackNTP": []}
    assert named["NTP"] == "/etc/systemd/timesyncd.conf.d/zzz.conf"
