"""May the night's key look at the machine, and do nothing else?"""

# what kitsurvie brings; tests/contract holds these equal to files/
PROGRAMS = {
    "/usr/lib/kitsurvie/observer/observe": (
        "92e762ee15b38c106cf85ddf801aa7d3e4cfdb1bd0ee0a012fb7bb84298ec987"
    ),
    "/usr/lib/kitsurvie/observer/runner.py": (
        "53a92ec2b62ea5e19804247a0aab03740b3e71003d7f2f72162ec5003f0fd748"
    ),
}
HOME = "/var/lib/kitsurvie/observer"
ACCOUNT = (
    "passwd -S kitsurvie-observer | cut -d ' ' -f 2; id -nG kitsurvie-observer; "
    "getent passwd kitsurvie-observer | cut -d: -f6,7"
)
KEYS = f"LC_ALL=C ls -A {HOME}/.ssh && cat {HOME}/.ssh/authorized_keys"
OWNERS = (
    "stat -c '%n %U %a' /usr/lib /usr/lib/kitsurvie /usr/lib/kitsurvie/observer "
    f"/usr/lib/kitsurvie/observer/* /var/lib/kitsurvie {HOME} {HOME}/commands {HOME}/.ssh "
    f"{HOME}/.ssh/authorized_keys /etc/sudoers.d/10-kitsurvie-observer"
)
DIGESTS = f"sha256sum {' '.join(PROGRAMS)}"
# all that sudo gives it, in whichever file that is written
RIGHTS = "LC_ALL=C sudo -n -l -U kitsurvie-observer | sed -n '/may run the following/,$p'"
# kitsurvie reads the answer to know whether the list is still the right one
LIST = f"sha256sum {HOME}/commands"
DOOR = (
    "/usr/sbin/sshd -T "
    "-C user=kitsurvie-observer,host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22 "
    "| grep -E '^(allow|deny)users |^pubkeyauthentication '"
)


def test_the_account_has_no_password_and_no_group(host):
    """Le compte de la vérification de nuit n’a ni mot de passe ni autre pouvoir."""
    found = host.run(ACCOUNT).stdout.splitlines()
    expected = ["L", "kitsurvie-observer", f"{HOME}:/bin/sh"]
    assert found == expected


def test_its_keys_may_only_look(host, params):
    """La clé de la nuit ne permet que de regarder, et aucune autre clé n’ouvre ce compte."""
    limits = ["restrict"]
    if params["observer__jump_to"]:
        limits += ["port-forwarding"]
        limits += [f'permitopen="{place}"' for place in params["observer__jump_to"]]
    if params["observer__from"]:
        limits += [f'from="{",".join(params["observer__from"])}"']
    limits += ['command="sudo -n /usr/lib/kitsurvie/observer/observe"']
    lines = host.run(KEYS).stdout.splitlines()
    found = [line for line in lines if line.strip() and not line.startswith("#")]
    keys = [f"{','.join(limits)} {key.strip()}" for key in params["observer__keys"]]
    expected = ["authorized_keys", *keys]
    assert found == expected


def test_nobody_but_root_can_change_what_limits_it(host):
    """Personne ne peut modifier ce qui limite la clé de la nuit."""
    answer = host.run(OWNERS)
    lines = [line.rsplit(" ", 2) for line in answer.stdout.splitlines()]
    others = [
        f"{path}: {owner} {mode}"
        for path, owner, mode in lines
        if owner != "root" or int(mode, 8) & 0o022
    ]
    found = {"could be read": answer.rc == 0, "others": others}
    expected = {"could be read": True, "others": []}
    assert found == expected


def test_sudo_gives_it_one_program_without_arguments(host):
    """Le compte de la nuit ne peut lancer qu’un seul programme : celui qui regarde."""
    found = [line.strip() for line in host.run(RIGHTS).stdout.splitlines()[1:]]
    expected = ['(root) NOPASSWD: /usr/lib/kitsurvie/observer/observe ""']
    assert found == expected


def test_the_program_is_the_one_of_the_kit(host):
    """Le programme qui regarde est bien celui qui a été installé."""
    lines = [line.split() for line in host.run(DIGESTS).stdout.splitlines()]
    found = {path: digest for digest, path in lines}
    expected = PROGRAMS
    assert found == expected


def test_the_list_of_what_may_be_asked_is_there(host):
    """La liste des questions permises est en place."""
    found = "there" if host.run(LIST).rc == 0 else "not there"
    expected = "there"
    assert found == expected


def test_the_night_may_come_in(host):
    """La porte de l’ordinateur n’est pas fermée à la vérification de nuit."""
    lines = [line.split() for line in host.run(DOOR).stdout.splitlines()]
    allowed = [name for line in lines if line[0] == "allowusers" for name in line[1:]]
    denied = [name for line in lines if line[0] == "denyusers" for name in line[1:]]
    found = {
        "keys are taken": ["pubkeyauthentication", "yes"] in lines,
        "let in": not allowed or "kitsurvie-observer" in allowed,
        "sent away": "kitsurvie-observer" in denied,
    }
    expected = {"keys are taken": True, "let in": True, "sent away": False}
    assert found == expected
