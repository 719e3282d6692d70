"""The examples of docs/schedules.md."""

from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from nightmail_common.contract.schedule import Schedule, check_schedule_time

PAGE = Path(__file__).parents[2] / "docs" / "schedules.md"
EXAMPLES = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().partition("## Examples")[2].splitlines()
    if line.startswith("| `")
]


def test_the_page_has_at_least_twenty_examples() -> None:
    assert len(EXAMPLES) >= 20


@pytest.mark.parametrize(("schedule", "description", "after", "expected"), EXAMPLES)
def test_an_example_has_the_description_and_the_due_times_that_the_page_says(
    schedule: str, description: str, after: str, expected: str
) -> None:
    parsed = Schedule.parse(check_schedule_time(schedule.strip("`")), "Europe/Paris")
    noon = datetime.fromisoformat(after).replace(hour=12, tzinfo=UTC)
    due_times = [f"{due:%a %Y-%m-%d %H:%M}" for due in islice(parsed.due_times(noon), 3)]
    assert (parsed.description, ", ".join(due_times)) == (description, expected)
