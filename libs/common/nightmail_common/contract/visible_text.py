"""Text of others as a terminal may print it: what would steer the terminal is shown as an escape sequence in ASCII."""

import json
import re

#: The controls (C0, C1, DEL), lone surrogates, and what changes the direction of text or has no width (Unicode's
#: bidirectional controls, TR 9; line separators; zero-width space and its relatives; tags). Line ends, tabs and the
#: joiners within words and emoji stay.
STEERING = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\\ud800-\\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""Return a text with each steering character as `\x1b` or `\u202e`; line ends and tabs stay."""
    return STEERING.sub(lambda match: _escape(match[0]), text.replace("\r\n", "\n"))


def visible_json(document: str) -> str:
    """Return a JSON text with each steering character in its strings as JSON escapes it; its value is the same."""
    return STEERING.sub(lambda match: json.dumps(match[0])[1:-1], document)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
