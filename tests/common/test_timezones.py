"""What somebody reads who writes an offset from UTC in place of a time zone: never a zone with the other sign."""

import pytest

from nightmail_common.contract.timezones import TimezoneError, check_timezone


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("GMT+1", "UTC+1 without DST is Etc/GMT-1"),
        ("UTC-5", "UTC-5 without DST is Etc/GMT+5"),
        ("utc+01:00", "UTC+1 without DST is Etc/GMT-1"),
        ("+0200", "UTC+2 without DST is Etc/GMT-2"),
        ("\N{MINUS SIGN}3", "UTC-3 without DST is Etc/GMT+3"),
        ("UTC1", "UTC+1 without DST is Etc/GMT-1"),
        ("UTC+14", "UTC+14 without DST is Etc/GMT-14"),
        ("UTC+0", "UTC+0 without DST is UTC"),
        ("GMT+5:30", ""),
        ("GMT-13", ""),
        ("Etc/GMT+15", ""),
    ],
)
def test_an_offset_is_refused_with_a_place_and_the_zone_of_that_sign(name: str, zone: str) -> None:
    with pytest.raises(TimezoneError) as refused:
        check_timezone(name)
    way = "write a place such as Europe/Paris, whose clocks it follows"
    assert f"{refused.value}" == f"{name!r} is not an IANA time zone; {way}" + (f"; {zone}" if zone else "")
    assert refused.value.nearest is None


@pytest.mark.parametrize("name", ["GMT+1x", "Etc/GTM+1", "EtcGMT+1"])
def test_no_zone_with_the_sign_of_posix_is_offered_for_its_likeness(name: str) -> None:
    with pytest.raises(TimezoneError) as refused:
        check_timezone(name)
    assert refused.value.nearest in {None, "Etc/GMT"}
    assert "+1?" not in f"{refused.value}"


def test_the_name_of_such_a_zone_in_another_case_is_that_zone() -> None:
    with pytest.raises(TimezoneError, match=r"did you mean Etc/GMT\+1\?"):
        check_timezone("etc/gmt+1")
