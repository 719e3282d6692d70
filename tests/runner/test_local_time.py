"""The local time of a script: that of its job's zone, and of no other run."""

from dataclasses import replace

import pytest

from nightmail_runner.sandbox.client import Sandbox
from nightmail_runner.sandbox.memory import MemoryFile
from nightmail_runner.sandbox.result import Succeeded
from runner.test_sandbox import DATA, TASK

#: The hours between UTC and the clocks of a script, and its zone by name.
CLOCKS = """
import time
from datetime import UTC, date, datetime

utc = datetime.now(UTC).replace(tzinfo=None)
local = [datetime.now(), pd.Timestamp.now(), pd.Timestamp("now"), datetime(*time.localtime()[:6])]
hours = {round((one - utc).total_seconds() / 3600) for one in local}
day = date.today() == datetime.now().date()
return pd.DataFrame({"hours": sorted(hours), "day": [day], "zone": [time.strftime("%Z")]})
"""


async def clocks(sandbox: Sandbox, timezone: str) -> str:
    task = replace(TASK, script=CLOCKS, timezone=timezone)
    with MemoryFile.of(DATA) as source, MemoryFile("csv") as csv:
        result = await sandbox.run(task, source, csv)
        assert isinstance(result, Succeeded), result
        return csv.read().decode().splitlines()[1]


@pytest.mark.parametrize("protected", [True, False])
async def test_now_and_today_in_a_script_are_those_of_its_zone(*, protected: bool) -> None:
    async with Sandbox(protected=protected) as sandbox:
        assert await clocks(sandbox, "Asia/Tokyo") == "9,True,JST"
        assert await clocks(sandbox, "Pacific/Honolulu") == "-10,True,HST"
        assert await clocks(sandbox, "UTC") == "0,True,UTC"
