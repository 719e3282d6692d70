"""What a reply of the SMTP server is about, and what follows from it. `RULES` is the one table.

RFC 5321 section 4.2 gives the reply codes, RFC 3463 the enhanced status codes, RFC 4954 those of AUTH, RFC 7372 those of
sender authentication. Servers use both loosely: large providers announce a rate limit as 550 5.7.1, so the text counts too.
"""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

#: The command that a reply answers; `end` is the end of the mail's data.
Phase = Literal["connect", "auth", "mail", "rcpt", "data", "end"]
About = Literal["recipient", "message", "session", "sender", "server"]
#: `refuse`: final for this recipient. `retry`: with backoff. `reconnect`: once on a new connection, then retry with
#: backoff. `hold_all`: no mail is sent until a probe passes. `hold_hours`: this mail waits for hours. `smaller`: in a
#: smaller form. `refuse_if_others_accepted`: `refuse` if the server accepts mail to others, else `hold_hours`.
Consequence = Literal["refuse", "retry", "reconnect", "hold_all", "hold_hours", "smaller", "refuse_if_others_accepted"]

_RATE = re.compile(
    r"\b(rates?|rate[- ]?limit\w*|limit(s|ed)?|quotas?|too (many|much|fast|quick\w*)|exceed\w*|throttl\w*|frequen\w*"
    r"|temporar\w*|again later|try later|per (second|minute|hour|day))\b",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\b(too (big|large)|(message|mail|e-?mail|maximum|max|file|attachment) size|size limit)\b", re.IGNORECASE
)
#: A refusal of the sender in words; many servers (Exim) give no enhanced code.
_POLICY = re.compile(
    r"\b(relay\w*|black[- ]?list\w*|block[- ]?list\w*|blocked|rbl|dnsbl|spamhaus|spam|reputation|spf|dkim|dmarc|sender"
    r"|ptr|reverse dns|policy|authenticat\w*|authori[sz]\w*|access denied|not (allowed|permitted))\b",
    re.IGNORECASE,
)
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")


@dataclass(frozen=True)
class Reply:
    """A reply: its code, and its text with the enhanced status code if the server gives one."""

    phase: Phase
    code: int
    text: str = ""

    @property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), as in `5.7.1`; empty without one."""
        found = _ENHANCED.match(self.text.strip())
        return found[0] if found else ""


@dataclass(frozen=True)
class Rule:
    """A line of the table. `phases` are separated by spaces, `*` is any; `code` and `enhanced` are shell patterns."""

    phases: str
    code: str
    enhanced: str
    about: About
    consequence: Consequence
    source: str
    hint: re.Pattern[str] | None = None

    def matches(self, reply: Reply) -> bool:
        return (
            (self.phases == "*" or reply.phase in self.phases.split())
            and fnmatchcase(str(reply.code), self.code)
            and fnmatchcase(reply.enhanced, self.enhanced)
            and (self.hint is None or self.hint.search(reply.text) is not None)
        )


#: The first line that matches a reply decides. docs/mail.md has the same table.
RULES = (
    # Before a mail: the pool holds everything back, and probes.
    Rule("auth", "5??", "*", "sender", "hold_all", "RFC 4954 section 6: the credentials are refused"),
    Rule("connect auth", "*", "*", "server", "hold_all", "RFC 5321 section 3.1: the server takes no mail now"),
    # The connection.
    Rule("*", "421", "*", "session", "reconnect", "RFC 5321 section 3.8: the server closes the connection"),
    Rule("*", "503", "*", "session", "reconnect", "RFC 5321 section 4.2.2: bad sequence of commands"),
    Rule("*", "4??", "4.3.*", "server", "reconnect", "RFC 3463 X.3: the mail system's status"),
    Rule("*", "4??", "4.4.*", "session", "reconnect", "RFC 3463 X.4: network and routing, congestion"),
    Rule("*", "4??", "4.5.*", "session", "reconnect", "RFC 3463 X.5: protocol, too many in this session"),
    Rule("mail data end", "4??", "*", "session", "reconnect", "RFC 5321 section 4.2.1: the mail is refused for now"),
    Rule("rcpt", "4??", "*", "recipient", "retry", "RFC 5321 section 4.2.1: the recipient is refused for now"),
    # Us: credentials, TLS.
    Rule("*", "53[0458]", "*", "sender", "hold_all", "RFC 4954 section 6, RFC 3207 section 4: AUTH or TLS is required"),
    # The size of the mail.
    Rule("*", "5??", "5.3.4", "message", "smaller", "RFC 3463 X.3.4: the mail is too big for the system"),
    Rule("*", "5??", "5.2.3", "message", "smaller", "RFC 3463 X.2.3: the mail is too big for the mailbox"),
    Rule("*", "552", "5.7.*", "message", "refuse", "RFC 3463 X.7: the content is blocked"),
    Rule("*", "552", "5.2.*", "recipient", "hold_hours", "RFC 3463 X.2.2: the mailbox is full"),
    Rule("*", "552", "5.3.1", "server", "hold_hours", "RFC 3463 X.3.1: the mail system is full"),
    Rule("rcpt", "552", "*", "recipient", "hold_hours", "RFC 5321 section 4.2.3: the mailbox's storage is exceeded"),
    Rule("*", "552", "*", "message", "smaller", "RFC 1870 section 6.2: the mail exceeds the fixed maximum size"),
    Rule("mail data end", "55[04]", "", "message", "smaller", "RFC 1870 in words only", _SIZE),
    # Quotas and rates.
    Rule("*", "5??", "5.4.5", "sender", "hold_hours", "RFC 3463 X.4.5: congestion; providers: the day's quota"),
    Rule("*", "554", "5.2.*", "sender", "hold_hours", "RFC 3463 X.2: providers: the submission quota"),
    Rule("*", "5??", "5.[02457].*", "sender", "hold_hours", "a rate or a quota in words", _RATE),
    Rule("*", "5??", "", "sender", "hold_hours", "a rate or a quota in words, no enhanced code", _RATE),
    # Us: the sender's address and domain.
    Rule("mail", "5??", "5.6.*", "message", "refuse", "RFC 3463 X.6, RFC 6531: the mail needs what the server lacks"),
    Rule("mail", "555", "*", "message", "refuse", "RFC 5321 section 4.1.1.11: a parameter of MAIL is not implemented"),
    Rule("mail", "5??", "*", "sender", "hold_all", "RFC 5321 section 3.3: the sender is not acceptable"),
    Rule("*", "5??", "5.1.[78]", "sender", "hold_hours", "RFC 3463 X.1.7, X.1.8: the sender's address"),
    Rule("*", "5??", "5.7.2?", "sender", "hold_hours", "RFC 7372: SPF, DKIM, DMARC or reverse DNS of the sender"),
    # A policy about this recipient, whatever the server accepts for others.
    Rule("rcpt end", "5??", "5.7.2", "recipient", "refuse", "RFC 3463 X.7.2: the sender may not mail to this list"),
    Rule(
        "rcpt end", "5??", "5.7.1[78]", "recipient", "refuse", "RFC 7293: the mailbox or its domain has another owner"
    ),
    # Any other policy: about the recipient only if the server accepts mail to others.
    Rule("*", "5??", "5.7.*", "recipient", "refuse_if_others_accepted", "RFC 3463 X.7: security or policy"),
    Rule(
        "rcpt data end",
        "5??",
        "",
        "recipient",
        "refuse_if_others_accepted",
        "a policy in words, no enhanced code",
        _POLICY,
    ),
    Rule("rcpt data end", "5??", "5.0.*", "recipient", "refuse_if_others_accepted", "a policy in words", _POLICY),
    # The recipient, or the mail itself.
    Rule("rcpt", "5??", "*", "recipient", "refuse", "RFC 5321 section 4.2.1: the recipient is refused"),
    Rule("data end", "5??", "5.1.*", "recipient", "refuse", "RFC 3463 X.1: addressing"),
    Rule("data end", "5??", "*", "message", "refuse", "RFC 5321 section 4.2.1: the mail is refused"),
    Rule("*", "*", "*", "server", "retry", "RFC 5321 section 4.3.2: an unexpected reply"),
)


def rule_for(reply: Reply) -> Rule:
    """Return the table's line for a reply other than success."""
    return next(rule for rule in RULES if rule.matches(reply))
