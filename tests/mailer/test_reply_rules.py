"""What a reply is about: a case for each line of the table, and the table in the documentation."""

import re
from pathlib import Path

import pytest

from nightmail_mailer.smtp.reply_rules import RULES, Phase, Reply, rule_for

#: Phase, reply, what it is about, the consequence; in the order of the table.
CASES = [
    ("auth", "535 5.7.8 Username and Password not accepted", "sender", "hold_all"),
    ("auth", "454 4.7.0 Temporary authentication failure", "server", "hold_all"),
    ("connect", "554 No SMTP service here", "server", "hold_all"),
    ("rcpt", "421 4.7.0 Closing", "session", "reconnect"),
    ("end", "421 Closing", "session", "reconnect"),
    ("mail", "454 4.7.0 Temporary authentication failure", "session", "reconnect"),
    ("mail", "535 5.7.8 Sign in again", "sender", "hold_all"),
    ("mail", "421 4.7.0 Too many messages, closing", "session", "reconnect"),
    ("mail", "503 5.5.1 EHLO first", "session", "reconnect"),
    ("rcpt", "452 4.3.1 Insufficient system storage", "server", "reconnect"),
    ("mail", "452 4.4.5 Too many messages in this session", "session", "reconnect"),
    ("rcpt", "452 4.4.5 Congestion", "session", "reconnect"),
    ("rcpt", "452 4.5.3 Too many recipients", "session", "reconnect"),
    ("mail", "451 Try again", "session", "reconnect"),
    ("data", "451 Try again", "session", "reconnect"),
    ("end", "450 4.7.1 Try again", "session", "reconnect"),
    ("rcpt", "450 4.2.0 Greylisted", "recipient", "retry"),
    ("rcpt", "452 4.2.2 Mailbox full", "recipient", "retry"),
    ("mail", "530 5.7.0 Must issue a STARTTLS command first", "sender", "hold_all"),
    ("rcpt", "530 5.7.1 Authentication required", "sender", "hold_all"),
    ("end", "554 5.3.4 Message too big for system", "message", "smaller"),
    ("mail", "552 5.3.4 Message size exceeds fixed limit", "message", "smaller"),
    ("end", "550 5.2.3 Message too large", "message", "smaller"),
    ("end", "552 5.7.0 Blocked because its content presents a potential security issue", "message", "refuse"),
    ("rcpt", "552 5.2.2 Mailbox full", "recipient", "hold_hours"),
    ("end", "552 5.3.1 Mail system full", "server", "hold_hours"),
    ("rcpt", "552 Requested mail action aborted", "recipient", "hold_hours"),
    ("end", "552 Message exceeds maximum", "message", "smaller"),
    ("end", "554 Message size exceeds limit", "message", "smaller"),
    ("rcpt", "550 5.4.5 Daily user sending quota exceeded", "sender", "hold_hours"),
    ("mail", "550 5.4.5 Daily sending limit", "sender", "hold_hours"),
    ("end", "554 5.2.0 Submission not possible", "sender", "hold_hours"),
    ("rcpt", "550 5.7.1 Rate limit exceeded", "sender", "hold_hours"),
    ("rcpt", "550 5.2.1 The user receives mail at a rate that prevents delivery", "sender", "hold_hours"),
    ("end", "554 5.0.0 Too many messages today", "sender", "hold_hours"),
    ("rcpt", "550 Too many messages, try again later", "sender", "hold_hours"),
    ("mail", "553 5.6.7 Non-ASCII addresses not permitted", "message", "refuse"),
    ("mail", "555 Unsupported parameter", "message", "refuse"),
    ("mail", "550 5.7.1 Not allowed to send as this address", "sender", "hold_all"),
    ("mail", "553 5.7.1 Sender address rejected", "sender", "hold_all"),
    ("mail", "550 no", "sender", "hold_all"),
    ("rcpt", "550 5.1.8 Sender address rejected: domain not found", "sender", "hold_hours"),
    ("end", "550 5.7.26 This mail is unauthenticated", "sender", "hold_hours"),
    ("rcpt", "550 5.7.2 Mailing list expansion prohibited", "recipient", "refuse"),
    ("rcpt", "550 5.7.17 Mailbox owner has changed", "recipient", "refuse"),
    ("end", "550 5.7.18 Domain owner has changed", "recipient", "refuse"),
    ("rcpt", "550 5.7.1 Access denied", "recipient", "refuse_if_others_accepted"),
    ("rcpt", "550 relay not permitted", "recipient", "refuse_if_others_accepted"),
    ("rcpt", "554 Client host [192.0.2.1] blocked using zen.spamhaus.org", "recipient", "refuse_if_others_accepted"),
    ("rcpt", "550 Sender verify failed", "recipient", "refuse_if_others_accepted"),
    ("end", "550 SPF check failed", "recipient", "refuse_if_others_accepted"),
    ("rcpt", "550 5.0.0 rejected: relaying denied", "recipient", "refuse_if_others_accepted"),
    ("rcpt", "550 5.1.1 No such user", "recipient", "refuse"),
    ("rcpt", "550 no such user", "recipient", "refuse"),
    ("rcpt", "553 5.1.3 Bad address", "recipient", "refuse"),
    ("end", "550 5.1.1 No such user", "recipient", "refuse"),
    ("data", "554 No valid recipients", "message", "refuse"),
    ("end", "554 Transaction failed", "message", "refuse"),
    ("end", "350 what", "server", "retry"),
]


def reply(phase: Phase, text: str) -> Reply:
    return Reply(phase, int(text[:3]), text[4:])


@pytest.mark.parametrize(("phase", "text", "about", "consequence"), CASES, ids=[f"{c[0]} {c[1]}" for c in CASES])
def test_a_reply_is_about(phase: Phase, text: str, about: str, consequence: str) -> None:
    rule = rule_for(reply(phase, text))
    assert (rule.about, rule.consequence) == (about, consequence)


def test_every_line_of_the_table_decides_a_case() -> None:
    decisive = {rule_for(reply(phase, text)) for phase, text, _, _ in CASES}  # type: ignore[arg-type]
    assert [rule for rule in RULES if rule not in decisive] == []


@pytest.mark.parametrize("text", ["5.1.1", "too many 5.1.1", "5.1.1.2 x", ""])
def test_an_enhanced_code_stands_at_the_beginning(text: str) -> None:
    assert Reply("rcpt", 550, text).enhanced == (text if text == "5.1.1" else "")


def test_the_documentation_has_the_same_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "mail.md").read_text()
    lines = [
        f"| {rule.phases} | {rule.code} | {rule.enhanced} | {rule.about} | {rule.consequence} | {rule.source} |".replace(
            "*", r"\*"
        )
        for rule in RULES
    ]
    shown = re.findall(
        r"^\| [\\a-z ]*\*? \| .* \| (?:recipient|message|session|sender|server) \| .*$", page, re.MULTILINE
    )
    assert shown == lines
