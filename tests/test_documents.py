"""The documents: their links, what the README lists, and the index of decisions."""

import re
from pathlib import Path

import pytest

from nightmail_common.contract.job_definition import JobDefinition
from support.commands import every_command

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)
_LINK = re.compile(r"\]\(([^)#\s]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = [
        link for link in _LINK.findall(document.read_text()) if "://" not in link and not link.startswith("mailto:")
    ]
    assert [link for link in links if not (document.parent / link).exists()] == []


def first_cells(heading: str) -> str:
    """Return the first cells of the tables of a section of the README, one a line."""
    section = (ROOT / "README.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return "\n".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE))


def test_the_readme_lists_every_command() -> None:
    listed = set()
    for cell in first_cells("The command").splitlines():
        group = ""
        for name in re.findall(r"`([^`]+)`", cell):
            words = name.removeprefix("nightmail ").split()
            whole = name.startswith("nightmail ")
            group = words[0] if whole else group
            listed.add(" ".join(words[:2] if whole and len(words) > 1 else words if whole else [group, *words]))
    with_commands = {" ".join(words[:-1]) for words in every_command()}
    names = {" ".join(words) for words in every_command()} - with_commands
    assert {name for name in names if not any(f"{one} ".startswith(f"{name} ") for one in listed)} == set()


def test_the_readme_lists_every_field_of_a_job() -> None:
    listed = set(re.findall(r"`([a-z_]+)`", first_cells("The fields of a job")))
    assert listed == set(JobDefinition.model_fields)


def test_the_index_of_decisions_links_every_record() -> None:
    folder = ROOT / "docs" / "decisions"
    linked = re.findall(r"^- \[(\d{4})\]\((\S+\.md)\) \S", (folder / "README.md").read_text(), re.MULTILINE)
    assert linked == [(path.name[:4], path.name) for path in sorted(folder.glob("[0-9]*.md"))]


def test_a_record_of_a_decision_has_its_number_in_the_heading() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [path.name for path in records if not path.read_text().startswith(f"# {path.name[:4]}: ")] == []
