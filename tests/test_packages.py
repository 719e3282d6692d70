"""The packages of the workspace have one version, and one set of bounds for each dependency."""

import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
WORKSPACE = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]["workspace"]
FOLDERS = sorted(folder for member in WORKSPACE["members"] for folder in ROOT.glob(member))
PROJECTS: dict[str, dict[str, Any]] = {
    folder.name: tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in FOLDERS
}


def test_every_package_has_the_version_of_the_newest_release_in_the_changelog() -> None:
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert {project["version"] for project in PROJECTS.values()} == {releases[0]}


def test_every_package_asks_for_the_same_python() -> None:
    assert len({project["requires-python"] for project in PROJECTS.values()}) == 1


def test_a_dependency_of_several_packages_has_the_same_bounds_in_each() -> None:
    bounds = defaultdict(set)
    for project in PROJECTS.values():
        optional = project.get("optional-dependencies", {}).values()
        for text in (*project["dependencies"], *(one for extra in optional for one in extra)):
            requirement = Requirement(text)
            bounds[requirement.name].add(str(requirement.specifier))
    assert {name: found for name, found in bounds.items() if len(found) > 1} == {}
