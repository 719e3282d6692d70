"""What keeps the services apart, read from the code and the packages themselves."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SERVICES = ("api", "ticker", "runner", "mailer")


def imported_packages(folder: Path) -> set[str]:
    packages = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                packages |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                assert node.level == 0, f"{path}: imports are absolute"
                packages.add(node.module.partition(".")[0])
    return packages


def dependencies(folder: Path) -> set[str]:
    """Return the names of the packages that a package's pyproject.toml asks for."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    ends = str.maketrans(dict.fromkeys("[<>=~!;", " "))
    return {requirement.translate(ends).split()[0] for requirement in project["dependencies"]}


def all_dependencies(service: str) -> set[str]:
    """Return what a service installs, by way of the library that it shares with the others too."""
    return dependencies(ROOT / "services" / service) | dependencies(ROOT / "libs" / "common")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_imports_the_common_library_and_never_another_service(service: str) -> None:
    ours = {package for package in imported_packages(ROOT / "services" / service) if package.startswith("nightmail_")}
    assert ours <= {f"nightmail_{service}", "nightmail_common"}
    assert "nightmail_common" in ours


def test_the_common_library_imports_no_service() -> None:
    ours = {package for package in imported_packages(ROOT / "libs" / "common") if package.startswith("nightmail_")}
    assert ours == {"nightmail_common"}


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
