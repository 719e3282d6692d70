"""One hostile script and its expected ends."""

from dataclasses import dataclass

#: Prepended to every hostile script: an attempt that succeeds is a hole in the isolation and is printed as one.
PRELUDE = """
def attempt(action, *arguments):
    try:
        print("HOLE", repr(action(*arguments))[:200])
    except BaseException as error:
        print("stopped by", type(error).__name__)
result = data
"""


@dataclass(frozen=True)
class Hostile:
    """A script that attempts something, and its expected ends: `succeeded`, or a kind of failure.

    `says`: a part of the failure's message.
    """

    script: str
    ends: tuple[str, ...] = ("succeeded",)
    says: str = ""

    @property
    def text(self) -> str:
        return PRELUDE + self.script

    @property
    def timeout_seconds(self) -> float:
        """Short only for scripts that end by the timeout: the machine may be busy."""
        return 0.7 if "timeout" in self.ends else 20.0
