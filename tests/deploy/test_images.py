"""Each service's image contains the packages that the service needs, and no others."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
SERVICES = ("api", "ticker", "runner", "mailer")
TARGETS = (*SERVICES, "cli")


def locked(path: Path) -> dict[str, str]:
    """Return a lock's requirements, each with its version, marker and hashes, by name."""
    entries = re.split(r"\n(?=\S)", path.read_text().strip())
    return {canonicalize_name(entry.partition("==")[0].partition("[")[0]): entry for entry in entries}


def pinned(entry: str) -> tuple[list[str], set[str]]:
    return re.findall(r"==[\w.+!-]+", entry.partition(";")[0]), set(re.findall(r"sha256:\w+", entry))


def declared(folder: Path, extras: set[str]) -> list[Requirement]:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    optional = project.get("optional-dependencies", {})
    return [Requirement(text) for text in chain(project["dependencies"], *(optional[extra] for extra in extras))]


def needed(target: str) -> set[str]:
    """Return a service's packages with their dependencies, as installed here."""
    own = {
        f"nightmail-{folder.name}": folder
        for folder in chain(ROOT.glob("libs/*"), ROOT.glob("services/*"), [ROOT / "cli"])
    }
    waiting = declared(own[f"nightmail-{target}"], set()) + declared(own["nightmail-common"], {"traces"})
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in own:
            asked = (name, ",".join(sorted(requirement.extras)))
            waiting.extend([] if asked in seen else declared(own[name], requirement.extras))
            seen.add(asked)
            continue
        for extra in {"", *requirement.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            further = [Requirement(text) for text in distribution(name).requires or ()]
            waiting.extend(one for one in further if one.marker is None or one.marker.evaluate({"extra": extra}))
    return {name for name, _ in seen} - set(own)


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_the_packages_of_its_service_in_the_tested_versions(target: str) -> None:
    lock, tested = locked(ROOT / f"deploy/locks/{target}.lock"), locked(ROOT / "requirements.lock")
    assert needed(target) <= set(lock), "make lock"
    assert all("--hash=sha256:" in entry for entry in lock.values())
    for name, entry in lock.items():
        version, hashes = pinned(entry)
        tested_version, tested_hashes = pinned(tested[name])
        assert version == tested_version, f"{name}: make lock"
        assert hashes >= tested_hashes, f"{name}: make lock"


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_no_other_packages(service: str) -> None:
    lock = locked(ROOT / f"deploy/locks/{service}.lock")
    # Packages for another platform or Python have a marker in the lock.
    surplus = {name for name in set(lock) - needed(service) if ";" not in lock[name]}
    assert not surplus, "make lock"


@pytest.mark.parametrize("heavy", ["pandas", "numpy", "pyarrow"])
def test_only_the_runners_image_holds_pandas(heavy: str) -> None:
    assert {service for service in SERVICES if heavy in locked(ROOT / f"deploy/locks/{service}.lock")} == {"runner"}


@pytest.mark.skipif(not (Path(sys.executable).parent / "hadolint").exists(), reason="no hadolint for this platform")
def test_the_dockerfile_passes_hadolint() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    ended = subprocess.run([hadolint, ROOT / "deploy/Dockerfile"], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_every_path_that_the_dockerfile_copies_exists_and_is_not_ignored() -> None:
    sources = re.findall(r"^COPY (?!--from)(\S+) ", DOCKERFILE, flags=re.MULTILINE)
    assert sources
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for source in sources:
        assert (ROOT / source).exists(), source
        assert source.startswith(tuple(let_through)), source


@pytest.mark.parametrize("target", TARGETS)
def test_every_image_runs_as_a_numbered_user_that_is_not_root(target: str) -> None:
    stage = DOCKERFILE.partition(f" AS {target}\n")[2].partition("\nFROM ")[0]
    assert "USER root" not in stage
    assert re.search(r"^ENTRYPOINT \[", stage, flags=re.MULTILINE)
    assert f"FROM base AS {target}\n" in DOCKERFILE
    base = DOCKERFILE.partition(" AS base\n")[2].partition("\nFROM ")[0]
    assert "\nUSER 10001:10001\n" in base
    assert "HEALTHCHECK" in base


def test_the_files_for_images_name_no_index_and_no_machine() -> None:
    for path in (ROOT / "deploy/Dockerfile", *ROOT.glob("deploy/locks/*.lock")):
        assert "://" not in path.read_text().replace("http://127.0.0.1:", ""), path
        assert "--index" not in path.read_text(), path


def test_the_folder_on_which_a_tmpfs_is_mounted_has_its_mode_in_the_image() -> None:
    """Before 1.1.8 runc takes the mode of a tmpfs from the image's folder, and ignores the option."""
    base = DOCKERFILE.partition(" AS base\n")[2].partition("\nFROM ")[0]
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    mounts = {mount for service in services.values() for mount in service.get("tmpfs", ())}
    data = [mount for mount in mounts if mount.startswith("/data:")]
    assert data
    assert all(mount.endswith(",mode=1777") for mount in data)
    assert "install -d -m 1777 -o 10001 -g 10001 /data " in base
