from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUN = PROJECT["project"]["dependencies"]
DEV = PROJECT["project"]["optional-dependencies"]["dev"]
BUILD = PROJECT["build-system"]["requires"]
NODE = PROJECT["dependency-groups"]["node"]
LOCKS = {
    "requirements.lock": [*RUN, *BUILD],
    "requirements-dev.lock": [*RUN, *BUILD, *DEV],
    "requirements-node.lock": NODE,
}
# conda-forge's names where they differ, and what has two packages there
CONDA_NAMES = {
    "h3": ["h3-py"],
    "osmium": ["pyosmium"],
    "psycopg": ["psycopg", "psycopg-pool"],
    "tzdata": ["python-tzdata"],
}
CONDA_ONLY = {"python", "pip", "nodejs", "postgresql", "postgis"}


def locked(name: str) -> dict[str, Version]:
    """Versions by canonical name; the one for the newest Python where a lock holds several."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): Version(version) for package, version in lines}


def conda_requirements() -> dict[str, str]:
    """Specifiers of environment.yml by name, those of its pip section among them."""
    lines = re.findall(r"^ +- ([a-z0-9_-]+)([<>=~!][^#\s]*)?$", (ROOT / "environment.yml").read_text(), re.MULTILINE)
    return {name: specifier for name, specifier in lines if name != "conda-forge"}


@pytest.mark.parametrize("name", LOCKS)
def test_lock_satisfies_project(name: str) -> None:
    versions = locked(name)
    for text in LOCKS[name]:
        requirement = Requirement(text)
        version = versions.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in {name}: run make lock"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} but {name} has {version}"


def test_development_lock_holds_the_running_one() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev.get(name) for name in run} == run


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert {entry.split("==")[0] for entry in entries} == set(locked(name))
    unmarked = [entry.split("==")[0] for entry in entries if " ; " not in entry.splitlines()[0]]
    assert len(unmarked) == len(set(unmarked)) > 0, "the same package twice without saying for whom"
    without = [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry]
    assert without == []
    assert "://" not in text
    assert not re.search(r"^--?[a-z]", text, re.MULTILINE), "options such as an index address stand in the lock"


def test_front_end_lock_has_hashes_and_no_addresses() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text())
    project = json.loads((ROOT / "package.json").read_text())
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert [path for path, entry in packages.items() if "resolved" in entry] == []
    assert [path for path, entry in packages.items() if "integrity" not in entry] == []
    for section in ("dependencies", "devDependencies"):
        assert lock["packages"][""].get(section, {}) == project.get(section, {})
        for name, version in project.get(section, {}).items():
            assert packages[f"node_modules/{name}"]["version"] == version, f"{name} is not pinned exactly"


def test_conda_environment_agrees_with_project() -> None:
    conda = conda_requirements()
    wanted: dict[str, str] = {}
    for text in [*RUN, *DEV, *BUILD]:
        requirement = Requirement(text)
        for name in CONDA_NAMES.get(requirement.name, [requirement.name]):
            wanted[name] = str(requirement.specifier)
    assert {name: conda.get(name) for name in wanted} == wanted
    assert set(conda) - set(wanted) == CONDA_ONLY
    assert conda["python"] == PROJECT["project"]["requires-python"]


def test_set_up_says_how_it_is_called() -> None:
    answer = subprocess.run(["./setup.sh", "all"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "run | test" in answer.stderr


def test_set_up_does_nothing_when_all_is_there() -> None:
    if not (ROOT / ".venv/stamps/packages").exists():
        pytest.skip("this environment was not made by setup.sh")
    answer = subprocess.run(["./setup.sh", "run"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_the_merge_check_runs_check_and_test() -> None:
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert {"make check", "make test"} <= {line.partition(" ||")[0] for line in script.read_text().splitlines()}


def test_make_names_its_targets() -> None:
    answer = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    named = set(re.findall(r"make ([a-z-]+)", answer.stdout))
    assert named >= {"run", "test", "test-slow", "check", "bench", "docs", "clean"}
