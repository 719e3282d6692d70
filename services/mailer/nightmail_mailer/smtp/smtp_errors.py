"""The text of an SMTP error, for the person who can fix it, without e-mail addresses."""

import re
import socket
import ssl

import aiosmtplib

from nightmail_common.contract.errors import describe_error
from nightmail_common.contract.limits import MAX_REPLY_CHARS
from nightmail_common.contract.text import shorten, to_one_line
from nightmail_mailer.smtp.access_tokens import AccessTokenRefused, NoAccessToken
from nightmail_mailer.smtp.reply_rules import Phase, Reply, rule_for

#: OpenSSL's codes for a certificate whose issuer is not known: self-signed, or of a CA that is not trusted (x509_vfy.h).
_UNKNOWN_CA = frozenset({18, 19, 20, 21})
#: Begins at the begin of a word only: to try each letter of a long one takes a time that grows with its square.
_ADDRESS = re.compile(r"<?(?<![^\s<>@])[^\s<>@]+@[^\s<>@]+>?")


def describe_smtp_error(error: BaseException) -> str:
    """Return the cause of a failed connection or command, with the server's reply."""
    match _cause(error):
        case ssl.SSLCertVerificationError() as cause:
            hint = "; NIGHTMAIL_SMTP_CA can name its CA's file" if cause.verify_code in _UNKNOWN_CA else ""
            return f"the server's certificate is not trusted: {cause.verify_message}{hint}"
        case ssl.SSLError() as cause:
            return f"TLS with this server fails: {cause.reason or cause}"
        case socket.gaierror() as cause:
            return f"the host name cannot be resolved: {cause.strerror}"
        case ConnectionRefusedError():
            return "connection refused"
        case NoAccessToken() as cause:
            return str(cause)
        case AccessTokenRefused() as cause if cause.code == 535:
            reply = format_reply(cause.code, cause.message)
            return (
                f"the server refuses the access token: {reply}; is NIGHTMAIL_SMTP_USERNAME the mailbox that sends,"
                " and may the client send as it (scope, permission)?"
            )
        case aiosmtplib.SMTPAuthenticationError() as cause:
            return describe_auth_refusal(cause.code, cause.message)
        case aiosmtplib.SMTPSenderRefused() as cause:
            return describe_sender_refusal(cause.code, cause.message)
        case aiosmtplib.SMTPResponseException() as cause:
            return f"the server replies {format_reply(cause.code, cause.message)}"
        case TimeoutError():
            return "no reply in time"
        case aiosmtplib.SMTPServerDisconnected() | ConnectionError():
            return "the server closed the connection"
    return redact_addresses(describe_error(error))


def describe_auth_refusal(code: int, message: str) -> str:
    """Return why AUTH failed: only some replies are about the password (RFC 4954 section 6)."""
    reply = format_reply(code, message)
    if code < 500:
        return f"the server cannot check the password now: {reply}; the mailer tries again"
    if code in {530, 538}:
        return f"the server demands TLS before AUTH (NIGHTMAIL_SMTP_SECURITY): {reply}"
    if code == 534:
        return f"the server demands another way to sign in than this password: {reply}"
    return f"the server refuses the user name or the password: {reply}"


def describe_sender_refusal(code: int, message: str) -> str:
    """Return why MAIL was refused, with the setting that may be wrong."""
    reply = format_reply(code, message)
    if code < 500:
        return f"the server takes no mail from this sender now: {reply}"
    if code in {530, 538}:
        return (
            "the server demands that the mailer signs in or uses TLS (NIGHTMAIL_SMTP_USERNAME, NIGHTMAIL_SMTP_PASSWORD, "
            f"NIGHTMAIL_SMTP_SECURITY): {reply}"
        )
    if code in {534, 535}:
        return f"the server refuses the user name or the password: {reply}"
    return f"the server refuses the sender (NIGHTMAIL_SMTP_FROM): {reply}"


def is_about_sender(error: BaseException) -> bool:
    """Return whether a failed connect is a reply about the mailer's own credentials."""
    cause = _cause(error)
    if not isinstance(cause, aiosmtplib.SMTPResponseException):
        return False
    phase: Phase = "auth" if isinstance(cause, aiosmtplib.SMTPAuthenticationError) else "connect"
    return rule_for(Reply(phase, cause.code, cause.message)).about == "sender"


def format_reply(code: int, message: str) -> str:
    """Return a server's reply as one line without addresses, as an event can hold it.

    Servers reply in any encoding, and aiosmtplib keeps what is not UTF-8 as lone surrogates, which JSON cannot hold.
    """
    text = f"{code} {message}".encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return shorten(redact_addresses(to_one_line(text)), MAX_REPLY_CHARS)


def redact_addresses(text: str) -> str:
    """Return a text with every e-mail address replaced: logs and records outlive the erasure of addresses."""
    return _ADDRESS.sub("(address)", text)


def _cause(error: BaseException) -> BaseException:
    """Return the error of TLS or the socket that caused another; the error itself if there is none."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException | NoAccessToken) or cause is None:
        return error
    deeper = _cause(cause)
    return deeper if isinstance(deeper, OSError | aiosmtplib.SMTPResponseException) else error
