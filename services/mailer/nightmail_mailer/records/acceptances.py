"""Whether a refusal for a reason of policy (5.7.x) is about its recipient: only if the server accepts mail to others."""

from datetime import UTC, datetime


class Acceptances:
    """What the server accepted and refused for a reason of policy lately, as this mailer saw it."""

    def __init__(self) -> None:
        #: The last two recipients whose mail was accepted, and when: one of them is another than any recipient.
        self._accepted: dict[str, datetime] = {}
        self._refused: set[str] = set()

    def accepted(self, recipient: str) -> None:
        self._accepted.pop(recipient, None)
        self._accepted[recipient] = datetime.now(UTC)
        if len(self._accepted) > 2:
            del self._accepted[next(iter(self._accepted))]
        self._refused.clear()

    def refused(self, recipient: str) -> None:
        self._refused.add(recipient)

    def is_about(self, recipient: str, since: datetime, *, others_have_it: bool) -> bool:
        """Return whether a refusal is about the recipient and not about the sender.

        Args:
            since: when the recipient was first refused.
            others_have_it: another recipient of the same mail has it.
        """
        if any(at > since for other, at in self._accepted.items() if other != recipient):
            return True
        return others_have_it and self._refused <= {recipient}
