"""The text of an SMTP error, for the person who can fix it, without e-mail addresses."""

import re
import socket
import ssl

import aiosmtplib

from nightmail_common.contract.errors import describe_error

_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


def describe_smtp_error(error: BaseException) -> str:
    """Return the cause of a failed connection or command, with the server's reply."""
    match _cause(error):
        case ssl.SSLCertVerificationError() as cause:
            return f"the server's certificate is not trusted: {cause.verify_message}"
        case ssl.SSLError() as cause:
            return f"TLS with this server fails: {cause.reason or cause}"
        case socket.gaierror() as cause:
            return f"the host name cannot be resolved: {cause.strerror}"
        case ConnectionRefusedError():
            return "connection refused"
        case aiosmtplib.SMTPAuthenticationError() as cause:
            return f"the server refuses the user name or the password: {format_reply(cause.code, cause.message)}"
        case aiosmtplib.SMTPResponseException() as cause:
            return f"the server replies {format_reply(cause.code, cause.message)}"
        case TimeoutError():
            return "no reply in time"
        case aiosmtplib.SMTPServerDisconnected() | ConnectionError():
            return "the server closed the connection"
    return redact_addresses(describe_error(error))


def format_reply(code: int, message: str) -> str:
    """Return a server's reply as one line without addresses."""
    return redact_addresses(" ".join(f"{code} {message}".split()))


def redact_addresses(text: str) -> str:
    """Return a text with every e-mail address replaced: logs and records outlive the erasure of addresses."""
    return _ADDRESS.sub("(address)", text)


def _cause(error: BaseException) -> BaseException:
    """Return the error of TLS or the socket that caused another; the error itself if there is none."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException) or cause is None:
        return error
    deeper = _cause(cause)
    return deeper if isinstance(deeper, OSError | aiosmtplib.SMTPResponseException) else error
