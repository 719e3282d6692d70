"""The build of the console: its checked-in files are those of its source, which compiles against the API's own document."""

import filecmp
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from console.node import SOURCE, Npm
from nightmail_api.http.application import build_application
from nightmail_api.http.routes.console import FILES
from support.deadlines import scaled


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_files_in_the_package_are_those_of_the_source(npm: Npm, tmp_path: Path) -> None:
    npm("node", "build.mjs", f"{tmp_path}/")
    assert names(tmp_path) == names(FILES)
    _, differing, failed = filecmp.cmpfiles(tmp_path, FILES, sorted(names(FILES)), shallow=False)
    assert (differing, failed) == ([], []), "the console's files are stale: make console"


def test_the_source_compiles_against_the_apis_document_and_is_formatted(npm: Npm) -> None:
    document = SOURCE / "build" / "openapi.json"
    document.parent.mkdir(exist_ok=True)
    document.write_text(json.dumps(build_application(None).openapi()))  # type: ignore[arg-type]
    npm("npm", "run", "--silent", "types")
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


def test_the_built_files_are_part_of_the_wheel(tmp_path: Path) -> None:
    api = FILES.parents[1]
    program = f"from flit_core.buildapi import build_wheel; print(build_wheel({str(tmp_path)!r}))"
    built = subprocess.run(
        [sys.executable, "-c", program], cwd=api, capture_output=True, text=True, timeout=scaled(60), check=True
    )
    wheel = zipfile.ZipFile(tmp_path / built.stdout.strip().splitlines()[-1])
    packed = {name.removeprefix("nightmail_api/console/") for name in wheel.namelist()}
    assert names(FILES) <= packed
