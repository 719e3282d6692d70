"""The examples of docs/schedules.md."""

import json
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from nightmail_common.contract.timetable import Timetable
from nightmail_common.contract.timetable_definition import TimetableDefinition

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
    schedules, _, calendar = schedule.strip("`").partition("` with `")
    fields = {"schedules": schedules.split("` and `"), "calendar": json.loads(calendar or "null")}
    timetable = Timetable.of(TimetableDefinition.model_validate(fields | {"timezone": "Europe/Paris"}))
    noon = datetime.fromisoformat(after).replace(hour=12, tzinfo=UTC)
    due_times = [f"{due:%a %Y-%m-%d %H:%M}" for due in islice(timetable.runs(noon), 3)]
    assert (timetable.description, ", ".join(due_times)) == (description, expected)
