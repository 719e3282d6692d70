"""The documents: their links, and the index of decisions."""

import re
from pathlib import Path

import pytest

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


def test_the_index_of_decisions_links_every_record() -> None:
    folder = ROOT / "docs" / "decisions"
    linked = re.findall(r"^- \[(\d{4})\]\((\S+\.md)\) \S", (folder / "README.md").read_text(), re.MULTILINE)
    assert linked == [(path.name[:4], path.name) for path in sorted(folder.glob("[0-9]*.md"))]


def test_a_record_of_a_decision_has_its_number_in_the_heading() -> None:
    records = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [path.name for path in records if not path.read_text().startswith(f"# {path.name[:4]}: ")] == []
