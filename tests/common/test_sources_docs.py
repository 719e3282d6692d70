"""docs/sources.md: every whole source of the page is a valid one."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nightmail_common.contract.source_definition import DataSourceDefinition

PAGE = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
EXAMPLES = [
    yaml.safe_load(block)["data_source"]
    for block in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    if block.startswith("data_source:")
]


def test_the_page_has_an_example_of_each_source_type() -> None:
    assert {example["source_type"] for example in EXAMPLES} == {"api", "file", "sql"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["source_type"])
def test_an_example_is_a_valid_source(example: dict[str, Any]) -> None:
    source = DataSourceDefinition.model_validate(example)
    assert source.model_dump(mode="json", exclude_unset=True) == example
