"""Why SMTP does not work, in the words of whoever has to mend it; and without anybody's address."""

import re
import socket
import ssl

import aiosmtplib

_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")


def why(error: BaseException) -> str:
    """Return what an error of a connection means, with what the server said."""
    match _cause(error):
        case ssl.SSLCertVerificationError() as cause:
            return f"the server's certificate is not trusted: {cause.verify_message}"
        case ssl.SSLError() as cause:
            return f"no TLS with this server: {cause.reason or cause}"
        case socket.gaierror() as cause:
            return f"the name is not known: {cause.strerror}"
        case ConnectionRefusedError():
            return "nobody listens there (connection refused)"
        case aiosmtplib.SMTPAuthenticationError() as cause:
            return f"the server refuses the user name or the password: {answer(cause.code, cause.message)}"
        case aiosmtplib.SMTPResponseException() as cause:
            return f"the server says {answer(cause.code, cause.message)}"
        case TimeoutError():
            return "no answer in time"
        case aiosmtplib.SMTPServerDisconnected() | ConnectionError():
            return "the server ended the connection"
    return without_addresses(str(error)) or type(error).__name__


def answer(code: int, message: str) -> str:
    """Return a server's answer as one line without addresses."""
    return without_addresses(" ".join(f"{code} {message}".split()))


def without_addresses(text: str) -> str:
    """Return a text with every e-mail address replaced: it goes into logs and records that outlive their erasure."""
    return _ADDRESS.sub("(address)", text)


def _cause(error: BaseException) -> BaseException:
    """Return the error of TLS or the socket that another was made of, if there is one."""
    cause = error.__cause__ or error.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException) or cause is None:
        return error
    deeper = _cause(cause)
    return deeper if isinstance(deeper, OSError | aiosmtplib.SMTPResponseException) else error
