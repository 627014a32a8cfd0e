"""Does the machine say who to call, wherever somebody in trouble may look?"""

import html

import pytest

PAGE = "/usr/share/kitsurvie/contact.html"
TEXT = "/usr/share/kitsurvie/contact.txt"
NOTICE = ("code pénal, article 323-1", "unauthorised access is punished by law")
# what the machine would write now, beside what stands there
DATES = (
    "for kind in html txt; do /usr/lib/kitsurvie/page show $kind "
    "| cmp -s - /usr/share/kitsurvie/contact.$kind && echo $kind; done"
)


def ways(params):
    """The ways to reach the support desk, by name, without those that are not declared."""
    given = {
        "service": params["support_contact__name"],
        "telephone": params["support_contact__phone"],
        "e-mail": params["support_contact__email"],
    }
    return {name: text for name, text in given.items() if text}


def shown(host, params, path):
    """Which of those ways the file at `path` shows."""
    answer = host.run(f"cat {path}")
    if answer.rc != 0:
        return [f"{path} cannot be read"]
    # as a reader sees it: a page escapes & and ', the screen of a terminal doubles backslashes
    text = html.unescape(answer.stdout) if path == PAGE else answer.stdout
    text = text.replace("\\\\", "\\") if path == "/etc/issue" else text
    return [name for name, way in ways(params).items() if way in text]


def test_somebody_can_be_called(host, params):  # noqa: ARG001 (a check is of a host)
    """Un téléphone ou une adresse de l’assistance a été déclaré."""
    found = bool(params["support_contact__phone"] or params["support_contact__email"])
    expected = True
    assert found == expected


@pytest.mark.parametrize("path", ["/etc/motd", "/etc/issue", "/etc/issue.net"])
def test_the_screens_say_who_to_call(host, params, path):
    """L’écran d’accueil dit qui appeler."""
    found = shown(host, params, path)
    expected = list(ways(params))
    assert found == expected


@pytest.mark.parametrize("path", ["/etc/issue", "/etc/issue.net"])
def test_the_screens_say_that_access_is_reserved(host, params, path):
    """L’écran d’accueil prévient que l’accès est réservé, et ce que dit la loi."""
    if not params["support_contact__legal_notice"]:
        pytest.skip("no notice is wanted here: support_contact__legal_notice")
    text = host.run(f"cat {path}").stdout
    found = [mark for mark in NOTICE if mark in text]
    expected = list(NOTICE)
    assert found == expected


@pytest.mark.parametrize("path", [PAGE, TEXT])
def test_the_page_says_who_to_call(host, params, path):
    """La page d’assistance de la machine donne le bon contact."""
    found = shown(host, params, path)
    expected = list(ways(params))
    assert found == expected


def test_the_page_is_in_french_and_in_english(host):
    """La page d’assistance explique le socle en français et en anglais."""
    text = host.run(f"cat {PAGE}").stdout
    # its own title stands for those of all measures
    marks = ('<html lang="fr">', "Savoir qui appeler", "What is in place", "Knowing who to call")
    found = [mark for mark in marks if mark in text]
    expected = list(marks)
    assert found == expected


def test_anybody_may_read_it(host):
    """Chacun peut lire ces pages, et personne d’autre que l’administrateur ne peut les changer."""
    paths = ("/etc/motd", "/etc/issue", "/etc/issue.net", PAGE, TEXT)
    answer = host.run(f"stat -c '%n %U %a' {' '.join(paths)}")
    found = answer.stdout.splitlines()
    expected = [f"{path} root 644" for path in paths]
    assert found == expected


def test_the_page_tells_the_last_changes(host):
    """La page donne, pour chaque règle, la date de son dernier changement."""
    found = host.run(DATES).stdout.split()
    expected = ["html", "txt"]
    assert found == expected


def test_the_page_follows_what_is_applied(host):
    """La page se met à jour d’elle-même quand une règle vient d’être appliquée."""
    answer = host.run(
        "systemctl is-enabled kitsurvie-page.path; systemctl is-active kitsurvie-page.path"
    )
    found = answer.stdout.split()
    expected = ["enabled", "active"]
    assert found == expected


def test_the_menu_opens_the_page(host):
    """Le menu des applications ouvre la page d’assistance."""
    answer = host.run("grep '^Exec=' /usr/share/applications/kitsurvie-contact.desktop")
    found = answer.stdout.splitlines()
    expected = [f"Exec=xdg-open {PAGE}"]
    assert found == expected
