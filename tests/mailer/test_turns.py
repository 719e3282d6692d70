"""Whose turn it is to send, when many hang."""

import asyncio

import pytest

from nightmail_mailer.smtp import turns
from nightmail_mailer.smtp.turns import Turns
from support.deadlines import scaled


async def hold(all_turns: Turns, began: asyncio.Event, ended: asyncio.Event) -> None:
    async with all_turns.turn() as turn:
        all_turns.begin(turn, ended.set)
        began.set()
        await ended.wait()


async def test_the_one_that_has_hung_the_longest_is_cut_off_once_no_more_may_be_set_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.02)
    monkeypatch.setattr(turns, "CUT_AFTER_SECONDS", 0.05)
    all_turns = Turns(working=1, aside=2)
    began = [asyncio.Event() for _ in range(4)]
    ended = [asyncio.Event() for _ in range(4)]
    tasks = [asyncio.create_task(hold(all_turns, *events)) for events in zip(began, ended, strict=True)]
    async with asyncio.timeout(scaled(10)):
        await began[3].wait()
    assert [event.is_set() for event in ended] == [True, False, False, False]
    assert all_turns.hanging == 2
    for event in ended:
        event.set()
    await asyncio.gather(*tasks)
    assert all_turns.hanging == 0


async def test_a_mail_that_is_handed_over_is_not_cut_off_soon() -> None:
    turn = turns.Turn()
    assert turn.may_be_cut()  # it began long ago
    turn.handed_over_at = asyncio.get_running_loop().time()
    assert not turn.may_be_cut()
