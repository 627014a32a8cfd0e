"""Keys, names, addresses and jump hosts: what is taken, and what is refused by name."""

from __future__ import annotations

import base64

import paramiko
import pytest

from kitsurvie.enroll import address, administrators
from kitsurvie.enroll.host_key import fingerprint, parse
from kitsurvie.errors import EnrolError

GOOD = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6Dq7pMtDRBBLCRhu7VZT9JyR0B8Vqrd+EJ9Qfh2dKs desk"
ADMIN = {"name": "admin1", "keys": [GOOD]}


def test_a_fingerprint_is_the_one_ssh_keygen_prints(tmp_path):
    import subprocess

    key = paramiko.ECDSAKey.generate()
    public = tmp_path / "k.pub"
    public.write_text(f"{key.get_name()} {key.get_base64()}\n")
    said = subprocess.run(
        ["ssh-keygen", "-lf", str(public)], capture_output=True, text=True, check=True
    ).stdout
    assert parse(public.read_text()).fingerprint == said.split()[1]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "one line"),
        ("ssh-ed25519", "one line"),
        ("ssh-dss AAAAB3NzaC1kc3M=", "not a key type"),
        ('command="id" ' + GOOD, "not a key type"),
        ("ssh-ed25519 AAAA*AAA", "damaged"),
        (GOOD.split()[0] + " " + GOOD.split()[1][:40], "damaged"),
        ("ssh-rsa " + GOOD.split()[1], "another type"),
        (GOOD + "\n" + GOOD, "one line"),
    ],
)
def test_a_line_that_is_no_key_is_refused_with_a_reason(line, reason):
    with pytest.raises(ValueError, match=reason):
        parse(line)


def test_a_short_rsa_key_is_refused():
    short = paramiko.RSAKey.generate(1024)
    with pytest.raises(ValueError, match="1024 bits is too short"):
        parse(f"ssh-rsa {short.get_base64()}")


def test_a_body_with_bytes_after_its_key_is_refused():
    body = base64.b64decode(GOOD.split()[1]) + b"\x00\x00\x00\x01x"
    with pytest.raises(ValueError, match="32 bytes"):
        parse("ssh-ed25519 " + base64.b64encode(body).decode())


@pytest.mark.parametrize("text", ["", "SHA256:abc", "MD5:00:11", "SHA256:" + "A" * 44])
def test_what_is_no_fingerprint_is_refused(text):
    with pytest.raises(EnrolError, match="not a SHA-256 fingerprint"):
        fingerprint(text)


@pytest.mark.parametrize(
    "name", ["pc1;reboot", "pc 1", "$(id)", "-oProxyCommand=x", "", "a/b", "pc1\n", "*", "a,b", "é"]
)
def test_a_machine_name_with_shell_characters_is_refused(name):
    with pytest.raises(EnrolError):
        address.host_name(name)


@pytest.mark.parametrize("where", ["-oProxyCommand=id", "1.2.3.4;id", "a b", "", "$(id)", "a\nb"])
def test_an_address_that_ssh_could_take_for_an_option_is_refused(where):
    with pytest.raises(EnrolError):
        address.endpoint(where, 22)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_out_of_range_is_refused(port):
    with pytest.raises(EnrolError):
        address.endpoint("198.18.0.1", port)


@pytest.mark.parametrize(
    ("text", "user", "where", "port"),
    [
        ("relay@198.18.0.1", "relay", "198.18.0.1", 22),
        ("relay@198.18.0.1:2222", "relay", "198.18.0.1", 2222),
        ("a.b@jump.example.org:22", "a.b", "jump.example.org", 22),
        ("relay@[2001:db8::1]:2222", "relay", "2001:db8::1", 2222),
    ],
)
def test_a_jump_host_is_read(text, user, where, port):
    read = address.jump(text)
    assert (read.user, read.at.address, read.at.port) == (user, where, port)
    assert read.pinned_as == f"jump:{where}:{port}"


@pytest.mark.parametrize(
    "text", ["198.18.0.1", "-x@1.2.3.4", "a@-x", "a@b:c", "a@b:70000", "a b@c", "a@b;id"]
)
def test_what_is_no_jump_host_is_refused(text):
    with pytest.raises(EnrolError):
        address.jump(text)


@pytest.mark.parametrize(
    "entries",
    [
        None,
        [],
        "admin1",
        [{"keys": [GOOD]}],
        [{"name": "admin1"}],
        [{"name": "admin1", "keys": []}],
        [{"name": "admin1", "keys": ["nonsense"]}],
        [{"name": "root", "keys": [GOOD]}],
        [{"name": "a;b", "keys": [GOOD]}],
        [{"name": "Admin", "keys": [GOOD]}],
        [{"name": "a" * 33, "keys": [GOOD]}],
        [{"name": "admin1\n", "keys": [GOOD]}],
        [ADMIN, ADMIN],
    ],
)
def test_administrators_that_cannot_be_are_refused(entries):
    with pytest.raises(EnrolError):
        administrators.from_variables({"accounts__administrators": entries}, where="pc1")


def test_several_administrators_ask_which_one_you_are():
    two = administrators.from_variables(
        {"accounts__administrators": [ADMIN, {"name": "admin2", "keys": [GOOD]}]}, where="pc1"
    )
    assert administrators.acting(two, "admin2") == "admin2"
    assert administrators.acting(two[:1], "") == "admin1"
    with pytest.raises(EnrolError, match="admin1, admin2"):
        administrators.acting(two, "")
    with pytest.raises(EnrolError, match="not one of the administrators"):
        administrators.acting(two, "deploy")
