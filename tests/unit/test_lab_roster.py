"""Which machines a lab has."""

from __future__ import annotations

import pytest

from kitsurvie.errors import LabError
from kitsurvie.lab.roster import Request, gateway, inventory_names, places
from kitsurvie.lab.territory import ASSIGNMENT, epcis, members
from kitsurvie.model import Profile


def test_four_machines_have_every_profile_both_releases_and_two_epci() -> None:
    four = places(Request(machines=4))
    # a PC that anybody may sit down at is a desktop that a test makes one of
    assert {place.profile for place in four} == set(Profile) - {Profile.PUBLIC_ACCESS}
    assert [place.release for place in four] == ["bookworm", "trixie"] * 2
    assert len({members()[place.member].epci for place in four}) == 2
    lent = [place.member for place in four]
    assert len(set(lent)) == 3, "one member has two machines"


def test_a_machine_keeps_its_address_whatever_the_number_of_addresses() -> None:
    one = places(Request(machines=24))
    many = places(Request(machines=24, addresses_per_machine=50))
    assert [x.addresses[0] for x in one] == [x.addresses[0] for x in many]
    assert one[0].addresses == ("198.18.0.11",)


def test_no_two_hosts_share_an_address_or_a_name() -> None:
    request = Request(machines=24, addresses_per_machine=50)
    hosts = [host for place in places(request) for host in inventory_names(place)]
    assert len(hosts) == 1200
    assert len({name for name, _ in hosts}) == 1200
    assert len({address for _, address in hosts}) == 1200
    assert gateway(request) not in {address for _, address in hosts}


def test_a_machine_with_one_address_keeps_its_plain_name() -> None:
    assert inventory_names(places(Request())[0]) == (("ks-01", "198.18.0.11"),)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(machines=0), "1 to 24 machines"),
        (Request(machines=25), "1 to 24 machines"),
        (Request(prefix="Town_Hall"), "prefix"),
        (Request(prefix="waytoolong"), "prefix"),
        (Request(network="10.0.0.0/20"), "outside"),
        (Request(network="198.18.0.1/20"), "not an IPv4 network"),
        (Request(network="rubbish"), "not an IPv4 network"),
        (Request(network="198.18.0.0/29"), "too small"),
        (Request(network="198.18.0.0/24", addresses_per_machine=2), "too small"),
        (Request(releases=("sarge",)), "sarge"),
        (Request(releases=()), "none given"),
        (Request(addresses_per_machine=0), "at least one address"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(request_: Request, words: str) -> None:
    with pytest.raises(LabError, match=words) as caught:
        places(request_)
    assert caught.value.remedy


def test_every_machine_is_lent_to_a_member_of_an_epci_we_know() -> None:
    assert set(ASSIGNMENT) <= set(members())
    assert {member.epci for member in members().values()} == set(epcis())
    for siren, member in members().items():
        assert siren == member.siren
        assert len(siren) == 9
        assert len(member.insee) == 5
