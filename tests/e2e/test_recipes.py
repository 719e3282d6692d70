"""The recipes of docs/api.md work as printed, in each of the three languages."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.conftest import NIGHTMAIL, Nightmail
from support.deadlines import scaled

RECIPES = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
LANGUAGES = ("sh", "python", "cli")


def sections() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each title and its blocks by language; the part above the first title has an empty one."""
    for section in RECIPES.split("\n## "):
        title = section.partition("\n")[0]
        yield title, dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, nightmail: Nightmail) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "data").symlink_to(nightmail.data_dir)
    return folder


def executed(nightmail: Nightmail, folder: Path, command: list[str]) -> str:
    environment = nightmail.environment | {"PATH": f"{Path(NIGHTMAIL).parent}:/usr/local/bin:/usr/bin:/bin"}
    ended = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=scaled(120), check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_there_are_ten_recipes_each_in_three_languages() -> None:
    recipes = list(sections())[1:]
    assert [int(title.partition(".")[0]) for title, _ in recipes] == list(range(1, 11))
    assert [title for title, blocks in recipes if tuple(blocks) != LANGUAGES] == []


def test_the_recipes_work_in_each_language(nightmail: Nightmail, folder: Path) -> None:
    said = {}
    for language, shell in (("sh", ["bash", "-euo", "pipefail", "-c"]), ("cli", ["bash", "-euo", "pipefail", "-c"])):
        blocks = "\n".join(blocks[language] for _, blocks in sections() if language in blocks)
        said[language] = executed(nightmail, folder, [*shell, blocks.replace("http://127.0.0.1:8080", nightmail.url)])
    program = "\n".join(blocks["python"] for _, blocks in sections() if "python" in blocks)
    program = program.replace("http://127.0.0.1:8080", nightmail.url)
    said["python"] = executed(nightmail, folder, [sys.executable, "-c", program])

    assert "region,amount\nnorth,17\nsouth,5\n" in said["sh"]
    assert '"status":412' in said["sh"]
    assert "nothing was fetched" in said["sh"]
    assert '"unchanged":2' in said["sh"]
    assert "data: {" in said["sh"]
    assert "2 [['north', '17'], ['south', '5']]\nnothing was fetched" in said["python"]
    assert "delivered region,amount\nnorth,17\nsouth,5\n" in said["python"]
    assert "its ETag is now" in said["python"]
    assert "accepted 250" in said["python"]
    assert "delivered, 2 rows" in said["cli"]
    assert "unchanged" in said["cli"]
    assert nightmail.call("GET", "/jobs/sales").json()["schedule_time"] == "30 8 * * 1-5"
