"""Does every file have an owner, and only those rights that it needs?

The machine looks by itself and leaves a report: walking through its files at each observation
would cost minutes on a server. The report names what is the system's own, and counts the rest.
"""

import json

import pytest

TIMER = "kitsurvie-filesystem-hygiene.timer"
FOLDER = "/var/lib/kitsurvie/filesystem_hygiene"
REPORT = f"cat {FOLDER}/report.json"
# what is mounted, and what will be at the next start
SHARED_MEMORY = "findmnt -nro OPTIONS --mountpoint /dev/shm"
AT_THE_NEXT_START = "findmnt --fstab -nro OPTIONS --mountpoint /dev/shm"
NO_REPORT = "the machine has not looked"
# What packages of Debian 12 and 13 bring as setuid or setgid, or make so: the file, the package.
KNOWN = frozenset(
    """
/usr/bin/at at
/usr/bin/chage passwd
/usr/bin/chfn passwd
/usr/bin/chsh passwd
/usr/bin/crontab cron
/usr/bin/dotlock.mailutils mailutils
/usr/bin/dotlockfile liblockfile-bin
/usr/bin/expiry passwd
/usr/bin/fusermount fuse
/usr/bin/fusermount3 fuse3
/usr/bin/gpasswd passwd
/usr/bin/lockfile procmail
/usr/bin/mailq nullmailer
/usr/bin/mount mount
/usr/bin/msmtp msmtp
/usr/bin/mutt_dotlock mutt
/usr/bin/newgidmap uidmap
/usr/bin/newgrp login
/usr/bin/newgrp passwd
/usr/bin/newuidmap uidmap
/usr/bin/ntfs-3g ntfs-3g
/usr/bin/passwd passwd
/usr/bin/ping inetutils-ping
/usr/bin/ping6 inetutils-ping
/usr/bin/pkexec pkexec
/usr/bin/plocate plocate
/usr/bin/procmail procmail
/usr/bin/screen screen
/usr/bin/ssh-agent openssh-client
/usr/bin/su util-linux
/usr/bin/sudo sudo
/usr/bin/umount mount
/usr/bin/wall bsdutils
/usr/bin/write bsdextrautils
/usr/lib/apache2/suexec-custom apache2-suexec-custom
/usr/lib/apache2/suexec-pristine apache2-suexec-pristine
/usr/lib/chromium/chrome-sandbox chromium-sandbox
/usr/lib/cockpit/cockpit-session cockpit-ws
/usr/lib/dbus-1.0/dbus-daemon-launch-helper dbus
/usr/lib/dma/dma-mbox-create dma
/usr/lib/openssh/ssh-keysign openssh-client
/usr/lib/polkit-1/polkit-agent-helper-1 polkitd
/usr/lib/snapd/snap-confine snapd
/usr/lib/squid/basic_pam_auth squid
/usr/lib/squid/pinger squid
/usr/lib/x86_64-linux-gnu/utempter/utempter libutempter0
/usr/lib/xorg/Xorg.wrap xserver-xorg-legacy
/usr/libexec/camel-lock-helper-1.2 evolution-data-server
/usr/libexec/lxc/lxc-user-nic liblxc-common
/usr/libexec/opensmtpd/mail.local opensmtpd
/usr/libexec/spice-client-glib-usb-acl-helper spice-client-glib-usb-acl-helper
/usr/libexec/sssd/krb5_child sssd-krb5-common
/usr/libexec/sssd/ldap_child sssd-krb5-common
/usr/libexec/xscreensaver/xscreensaver-auth xscreensaver
/usr/sbin/dma dma
/usr/sbin/exim4 exim4-daemon-heavy
/usr/sbin/exim4 exim4-daemon-light
/usr/sbin/mount.cifs cifs-utils
/usr/sbin/mount.nfs nfs-common
/usr/sbin/nullmailer-queue nullmailer
/usr/sbin/postdrop postfix
/usr/sbin/postqueue postfix
/usr/sbin/pppd ppp
/usr/sbin/smtpctl opensmtpd
/usr/sbin/unix_chkpwd libpam-modules-bin
""".strip().splitlines()
)


def said(host, kind):
    """What the report says of one kind of finding."""
    answer = host.run(REPORT)
    if answer.rc != 0:
        return NO_REPORT
    return json.loads(answer.stdout)[kind]


def test_the_machine_looks_after_its_files(host):
    """L’ordinateur passe lui-même ses fichiers en revue, régulièrement."""
    found = host.run(f"systemctl is-enabled {TIMER}; systemctl is-active {TIMER}").stdout.split()
    expected = ["enabled", "active"]
    assert found == expected


def test_the_last_look_is_recent_and_whole(host, params):
    """La dernière revue des fichiers est récente et complète."""
    days = int(params["filesystem_hygiene__max_report_age_days"])
    complete = said(host, "complete")
    recent = host.run(f"find {FOLDER}/report.json -mtime -{days} | grep -c .").stdout.strip()
    found = {"complete": complete, "recent": recent == "1"}
    expected = {"complete": True, "recent": True}
    assert found == expected


def test_every_file_has_a_known_owner(host):
    """Aucun fichier n’appartient à un compte ou à un groupe disparu."""
    found = said(host, "ownerless")
    expected = {}
    assert found == expected


def test_folders_open_to_everybody_are_protected(host):
    """Dans un dossier ouvert à tous, personne ne peut effacer les fichiers d’un autre."""
    found = {kind: said(host, kind) for kind in ("open_folders", "foreign_shared_folders")}
    expected = {"open_folders": {}, "foreign_shared_folders": {}}
    assert found == expected


def test_no_file_can_be_changed_by_everybody(host):
    """Aucun fichier ne peut être modifié par n’importe quel compte de la machine."""
    found = said(host, "open_files")
    expected = {}
    assert found == expected


def test_programs_with_special_rights_are_known(host, params):
    """Les programmes qui s’exécutent avec les droits d’un autre compte sont connus et justifiés."""
    there = said(host, "setid")
    accepted = {one["path"] for one in params["filesystem_hygiene__setid_accepted"]}
    removed = {one["path"] for one in params["filesystem_hygiene__setid_removed"]}
    found = there if there == NO_REPORT else sorted(
        line
        for line in there
        if line.rpartition(" ")[0] in removed
        or (line not in KNOWN and line.rpartition(" ")[0] not in accepted)
    )  # fmt: skip
    expected = []
    assert found == expected


def test_sensitive_files_are_closed(host):
    """Les fichiers qui gardent des secrets (mots de passe, clés) sont fermés aux autres comptes."""
    found = said(host, "sensitive")
    expected = {}
    assert found == expected


def test_no_program_runs_from_the_shared_memory(host, params):
    """Aucun programme ne démarre depuis la mémoire partagée, où tous peuvent écrire."""
    if params["filesystem_hygiene__shared_memory_programs"]:
        pytest.skip("programs may run from it here: filesystem_hygiene__shared_memory_programs")
    found = {
        "now": "noexec" in host.run(SHARED_MEMORY).stdout.strip().split(","),
        "at the next start": "noexec" in host.run(AT_THE_NEXT_START).stdout.strip().split(","),
    }
    expected = {"now": True, "at the next start": True}
    assert found == expected
