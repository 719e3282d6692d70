"""Links that prove where they come from."""

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightmail_common.contract.signing import RESULT, UNSUBSCRIBE, LinkNotValid, pseudonym, read, sign

KEY = "k" * 32
PAYLOAD = {"run_id": "0190aaaa", "who": "café"}


@given(st.dictionaries(st.text(max_size=20).filter(lambda name: name != "exp"), st.text(max_size=50), max_size=5))
def test_a_signed_payload_is_read_back_and_fits_a_url(payload: dict[str, str]) -> None:
    token = sign(KEY, RESULT, payload)
    assert read(KEY, RESULT, token) == payload
    assert all(char.isascii() and (char.isalnum() or char in "-_.") for char in token)


def test_a_link_is_valid_until_it_expires() -> None:
    now = datetime.now(UTC)
    assert read(KEY, RESULT, sign(KEY, RESULT, PAYLOAD, now + timedelta(minutes=1))) == PAYLOAD
    with pytest.raises(LinkNotValid, match="time is over"):
        read(KEY, RESULT, sign(KEY, RESULT, PAYLOAD, now - timedelta(seconds=2)))


def test_a_link_of_another_purpose_or_key_is_not_valid() -> None:
    token = sign(KEY, RESULT, PAYLOAD)
    for key, purpose in ((KEY, UNSUBSCRIBE), ("other" * 8, RESULT), ("", RESULT)):
        with pytest.raises(LinkNotValid):
            read(key, purpose, token)


@given(st.data())
def test_a_link_with_any_change_is_not_valid(data: st.DataObject) -> None:
    token = sign(KEY, RESULT, PAYLOAD, datetime.now(UTC) + timedelta(hours=1))
    body, _, _ = token.partition(".")
    # The last character of base64 has bits that mean nothing.
    at = data.draw(st.integers(0, len(token) - 1).filter(lambda at: at not in {len(body) - 1, len(token) - 1}))
    other = data.draw(st.characters(max_codepoint=0x2FF).filter(lambda char: char != token[at]))
    # `+` and `/` are the same bits as `-` and `_` in base64's other alphabet.
    if {token[at], other} in ({"-", "+"}, {"_", "/"}):
        return
    with pytest.raises(LinkNotValid):
        read(KEY, RESULT, token[:at] + other + token[at + 1 :])


@given(st.text(max_size=60))
def test_any_unsigned_text_is_not_valid(token: str) -> None:
    with pytest.raises(LinkNotValid):
        read(KEY, RESULT, token)


def test_a_payload_with_the_signature_of_another_is_not_valid() -> None:
    body = base64.urlsafe_b64encode(json.dumps(PAYLOAD).encode()).rstrip(b"=").decode()
    _, _, mac = sign(KEY, RESULT, {"run_id": "another"}).partition(".")
    with pytest.raises(LinkNotValid):
        read(KEY, RESULT, f"{body}.{mac}")


def test_the_pseudonym_of_a_recipient_needs_the_key_and_differs_per_job() -> None:
    job, address = uuid4(), "reports@example.com"
    name = pseudonym(KEY, job, address)
    assert name == pseudonym(KEY, job, address)
    assert "reports" not in name
    assert len({name, pseudonym("other" * 8, job, address), pseudonym(KEY, uuid4(), address)}) == 3
