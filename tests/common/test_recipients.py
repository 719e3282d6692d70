"""Which addresses a job may mail to."""

import pytest

from nightmail_common.job_definition import normalise_email


@pytest.mark.parametrize("address", ["root@localhost", "ops@mail.local", "team@corp", "name@example.com"])
def test_people_on_this_machine_and_network_get_mail_too(address: str) -> None:
    assert normalise_email(address) == address


@pytest.mark.parametrize(
    "address", ["", "nobody", "a b@example.com", "a@b@c", "a@example.com\nBcc: b@example.com", "a@"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not an e-mail address"):
        normalise_email(address)
