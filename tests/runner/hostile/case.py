"""One hostile script and how it has to end."""

from dataclasses import dataclass

#: In front of every hostile script: an attempt that works is a hole in the wall, and is told as one.
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
    """A script that attempts something, and the ends that are right: `succeeded`, or a kind of failure.

    `says`: what the message of the failure has in it.
    """

    script: str
    ends: tuple[str, ...] = ("succeeded",)
    says: str = ""

    @property
    def text(self) -> str:
        return PRELUDE + self.script

    @property
    def timeout_seconds(self) -> float:
        """Short only where that is how it ends: this machine may be busy."""
        return 0.7 if "timeout" in self.ends else 20.0
