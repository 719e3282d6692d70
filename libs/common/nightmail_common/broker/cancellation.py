"""Cancellations that got lost."""

import asyncio


def end_if_cancelled() -> None:
    """Raise a cancellation that was lost on its way: a loop that talks to NATS would go on for ever.

    `asyncio.wait_for` loses one that comes together with the answer (before Python 3.12: gh-86296), and nats-py
    raises ConnectionClosedError in its place where the connection is closed.

    Raises:
        asyncio.CancelledError: the task that calls has been cancelled.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
