"""The policy of mails writes what `email.policy.SMTP` writes, and no recipient can guess a boundary of a later mail."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from nightmail_mailer.compose.mime_headers import MAIL_POLICY, new_boundary


def mail(policy: Any, name: str) -> bytes:
    message = EmailMessage(policy=policy)
    message["Subject"] = name
    message["From"] = Address(display_name=name, addr_spec="reports@example.com")
    message["To"] = "someone@example.com"
    message.set_content(f"{name}\n")
    message.make_alternative("=_a")
    message.add_alternative(f"<p>{name}</p>", subtype="html", cte="quoted-printable")
    message.make_mixed("=_b")
    message.add_attachment(b"1,2\n", "text", "csv", filename=f"{name}.csv", params={"charset": "utf-8"})
    return message.as_bytes()


@pytest.mark.parametrize("name", ["plain", "Größe, “täglich”", "long " * 40 + "end", "日本語の報告書" * 12])
def test_writes_what_the_policy_of_the_library_writes_each_time(name: str) -> None:
    expected = mail(SMTP, name)
    assert [mail(MAIL_POLICY, name) for _ in range(3)] == [expected] * 3


def test_header_that_is_kept_keeps_the_spelling_of_its_name() -> None:
    upper, lower = EmailMessage(policy=MAIL_POLICY), EmailMessage(policy=MAIL_POLICY)
    upper["SUBJECT"] = lower["subject"] = "daily"
    assert (upper.as_bytes().split(b":")[0], lower.as_bytes().split(b":")[0]) == (b"SUBJECT", b"subject")


def test_refuses_a_line_break_in_a_header_each_time() -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="linefeed"):
            EmailMessage(policy=MAIL_POLICY)["Subject"] = "daily\r\nBcc: all@example.com"


def test_boundary_is_another_one_for_each_mail() -> None:
    assert len({new_boundary() for _ in range(100)}) == 100
