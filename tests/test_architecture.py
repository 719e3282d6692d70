"""What keeps the parts of the code base apart, read from the imports and the packages themselves."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from support.deadlines import scaled

ROOT = Path(__file__).parents[1]
SERVICES = ("api", "ticker", "runner", "mailer")


COMMON = "libs/common/nightmail_common"
#: Folder -> which of our own modules its code may import.
ARROWS = {
    f"{COMMON}/contract": {"nightmail_common.contract"},
    f"{COMMON}/broker": {"nightmail_common.contract", "nightmail_common.broker"},
    f"{COMMON}/service": {"nightmail_common.contract", "nightmail_common.broker", "nightmail_common.service"},
    "services/api": {"nightmail_common", "nightmail_api"},
    "services/ticker": {"nightmail_common", "nightmail_ticker"},
    "services/runner": {"nightmail_common", "nightmail_runner"},
    "services/mailer": {"nightmail_common", "nightmail_mailer"},
    "libs/client": {"nightmail_client"},
    "cli": {"nightmail_client", "nightmail_common", "nightmail_cli", *(f"nightmail_{service}" for service in SERVICES)},
}


def sources() -> Iterator[Path]:
    """Yield the modules that are installed."""
    for folder in ARROWS:
        yield from (ROOT / folder).rglob("*.py")


def imported_modules(folder: Path) -> set[str]:
    """Return the full names of the modules that a folder's code imports, wherever in a file the import stands."""
    modules = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                assert node.level == 0, f"{path}: imports are absolute"
                modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def imported_packages(folder: Path) -> set[str]:
    return {module.partition(".")[0] for module in imported_modules(folder)}


def dependencies(folder: Path, extras: Iterable[str] = ()) -> set[str]:
    """Return the names of the packages that a package's pyproject.toml asks for, with those of its extras."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    optional = [requirement for extra in extras for requirement in project["optional-dependencies"][extra]]
    return {Requirement(requirement).name for requirement in (*project["dependencies"], *optional)}


def all_dependencies(service: str) -> set[str]:
    """Return what a service installs, by way of the library that it shares with the others too."""
    folder = ROOT / "services" / service
    requirements = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
    [common] = [one for one in map(Requirement, requirements) if one.name == "nightmail-common"]
    return dependencies(folder) | dependencies(ROOT / "libs" / "common", common.extras)


@pytest.mark.parametrize(("folder", "allowed"), ARROWS.items())
def test_a_folder_imports_only_what_is_below_it(folder: str, allowed: set[str]) -> None:
    ours = {module for module in imported_modules(ROOT / folder) if module.startswith("nightmail_")}
    assert ours, folder
    wrong = {module for module in ours if not any(f"{module}.".startswith(f"{prefix}.") for prefix in allowed)}
    assert not wrong, f"{folder} may import {sorted(allowed)}"


def test_every_folder_of_ours_has_its_arrows() -> None:
    packages = {path.parent for path in ROOT.glob("*/**/__init__.py") if path.parent.name.startswith("nightmail_")}
    packages = {path for path in packages if ".venv" not in path.parts and path != ROOT / COMMON}
    folders = packages | {path for path in (ROOT / COMMON).iterdir() if (path / "__init__.py").exists()}
    ruled = [ROOT / folder for folder in ARROWS]
    assert {folder for folder in folders if not any(folder.is_relative_to(rule) for rule in ruled)} == set()


def test_two_classes_never_share_a_name() -> None:
    places: dict[str, list[Path]] = {}
    for path in sources():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(ROOT))
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_no_module_has_more_than_400_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources()}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


@pytest.mark.parametrize("package", ["jinja2", "email-validator"])
def test_the_ticker_installs_nothing_that_only_a_job_definition_needs(package: str) -> None:
    assert package not in all_dependencies("ticker")
    assert f"\n{package}==" not in (ROOT / "deploy/locks/ticker.lock").read_text()


def test_the_ticker_runs_without_the_packages_that_only_a_job_definition_needs() -> None:
    code = """
import pkgutil, sys, importlib
sys.modules["jinja2"] = sys.modules["email_validator"] = sys.modules["faststream"] = None
import nightmail_ticker
for module in pkgutil.walk_packages(nightmail_ticker.__path__, "nightmail_ticker."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=scaled(60))


@pytest.mark.parametrize("heavy", ["pandas", "numpy", "pyarrow"])
def test_only_the_runner_depends_on_pandas(heavy: str) -> None:
    assert {service for service in SERVICES if heavy in all_dependencies(service)} == {"runner"}
    assert {service for service in SERVICES if heavy in imported_packages(ROOT / "services" / service)} <= {"runner"}


def test_only_the_ticker_depends_on_apscheduler() -> None:
    assert {service for service in SERVICES if "apscheduler" in all_dependencies(service)} == {"ticker"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_declares_what_it_imports(service: str) -> None:
    """An import that only works because another service is installed in the same environment fails on its own."""
    distributions = packages_distributions()
    declared = {name.lower().replace("_", "-") for name in all_dependencies(service)} | {f"nightmail-{service}"}
    # FastAPI is Starlette, and pydantic its core: they come in one version with what is declared.
    declared |= {"starlette", "pydantic-core"} if service == "api" else set()
    # An import of an extra fails with the command that installs it.
    folder = ROOT / "services" / service
    extras = tomllib.loads((folder / "pyproject.toml").read_text())["project"].get("optional-dependencies", {})
    declared |= dependencies(folder, set(extras))
    for package in imported_packages(ROOT / "services" / service) - set(sys.stdlib_module_names):
        names = {name.lower().replace("_", "-") for name in distributions.get(package, [package])}
        assert names & declared, f"{package} is imported and not declared"


def test_the_lock_has_hashes_and_no_urls() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "index" not in lock
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert requirements
    assert all(re.match(r"[\w.-]+==\S+", requirement) for requirement in requirements)
    assert lock.count("--hash=sha256:") >= len(requirements)
