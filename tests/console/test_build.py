"""The build of the console: its checked-in files are those of its source, which compiles against the API's own document."""

import filecmp
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from console.node import SOURCE, Npm
from nightmail_api.http.application import build_application
from nightmail_api.http.routes.console import FILES
from nightmail_cli.commands.gallery import EXAMPLES, document
from support.deadlines import scaled


@pytest.fixture(scope="module", autouse=True)
def generated(npm: Npm) -> None:
    """Write what `make console` makes of our own code: the API's document, and the gallery."""
    folder = SOURCE / "build"
    folder.mkdir(exist_ok=True)
    (folder / "openapi.json").write_text(json.dumps(build_application(None).openapi()))  # type: ignore[arg-type]
    (folder / "gallery.json").write_text(json.dumps(document()))
    npm("npm", "run", "--silent", "types")


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_files_in_the_package_are_those_of_the_source(npm: Npm, tmp_path: Path) -> None:
    npm("node", "build.mjs", f"{tmp_path}/")
    assert names(tmp_path) == names(FILES)
    _, differing, failed = filecmp.cmpfiles(tmp_path, FILES, sorted(names(FILES)), shallow=False)
    assert (differing, failed) == ([], []), "the console's files are stale: make console"


def test_the_source_compiles_against_the_apis_document_and_is_formatted(npm: Npm) -> None:
    npm("npm", "run", "--silent", "check")


def test_the_source_passes_its_own_tests(npm: Npm) -> None:
    assert re.search(r"^# fail 0$", npm("npm", "run", "--silent", "test"), re.MULTILINE)


def test_the_lock_of_its_packages_names_no_registry() -> None:
    packages = json.loads((SOURCE / "package-lock.json").read_text())["packages"]
    assert len(packages) > 10
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in packages.items() if name)


def test_the_package_lists_the_licences_of_what_it_contains() -> None:
    licences = (FILES / "THIRD-PARTY.txt").read_text()
    for package in ("preact", "@preact/signals", "preact-iso", "openapi-fetch"):
        assert re.search(rf"^{package} \d", licences, re.MULTILINE), package
    assert "Permission is hereby granted" in licences


def wheel_of(package: Path, folder: Path) -> set[str]:
    """Build a package's wheel in a folder, and return the names of its files."""
    program = f"from flit_core.buildapi import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=package, capture_output=True, text=True, timeout=scaled(60), check=True
    )
    return set(zipfile.ZipFile(folder / built.stdout.strip().splitlines()[-1]).namelist())


def test_the_built_files_are_part_of_the_wheel(tmp_path: Path) -> None:
    packed = {name.removeprefix("nightmail_api/console/") for name in wheel_of(FILES.parents[1], tmp_path)}
    assert names(FILES) <= packed


def test_the_examples_are_part_of_the_wheel_of_the_command(tmp_path: Path) -> None:
    examples = {f"nightmail_cli/gallery/{name}" for name in names(EXAMPLES)}
    assert len(examples) > 15
    assert examples <= wheel_of(EXAMPLES.parents[1], tmp_path)
