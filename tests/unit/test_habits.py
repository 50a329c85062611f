"""What a reviewer would otherwise have to remember."""

from __future__ import annotations

import importlib.machinery
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 400
MAX_README_LINES = 80
# joined here, so that this file does not hold them itself
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "debian" + ".org"]
TEXT = {".css", ".html", ".js", ".json", ".lock", ".md", ".po", ".py", ".sh", ".sql", ".toml", ".yml", ""}


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    answer = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if answer.returncode:
        pytest.skip(f"git does not list the files: {answer.stderr.strip()}")
    return [path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_of_the_pages_hides_a_library() -> None:
    """Streamlit puts the folder of main.py first on the path: app/coverage.py was taken for the library coverage."""
    elsewhere = [each for each in sys.path if each and Path(each).resolve() not in {ROOT, ROOT / "app"}]
    packages = {path.parent.name for path in (ROOT / "app").glob("*/__init__.py")}
    names = {path.stem for path in (ROOT / "app").glob("*.py")} - {"__init__"} | packages
    found = {name for name in names if importlib.machinery.PathFinder.find_spec(name, elsewhere)}
    assert not found | (names & sys.stdlib_module_names)


def test_no_source_file_is_too_long() -> None:
    sources = [path for path in tracked() if path.suffix in {".py", ".js", ".css", ".sql", ".sh"}]
    sources = [path for path in sources if "migrations/versions" not in path.as_posix()]  # written by Alembic
    assert sources
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources}
    assert {name: lines for name, lines in lengths.items() if lines > MAX_LINES} == {}


def test_no_file_names_a_registry_host() -> None:
    pattern = re.compile("|".join(re.escape(host) for host in HOSTS))
    found = []
    for path in tracked():
        if path.suffix in TEXT:
            lines = path.read_text(errors="replace").splitlines()
            found += [f"{path.relative_to(ROOT)}:{n}" for n, line in enumerate(lines, 1) if pattern.search(line)]
    assert found == []


def test_errors_are_caught_by_name() -> None:
    """Only the outermost guards of pages, commands, jobs and the planner catch whatever comes."""
    guards = {"app/guard.py", "app/cli/__init__.py", "app/dispatching.py", "geodata/jobs.py"}
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in tracked() if path.suffix == ".py"}
    broad = {
        name for name, text in sources.items() if re.search(r"^\s*except( \(?Exception\b.*)?:", text, re.MULTILINE)
    }
    assert broad - guards == set()


def test_there_is_no_sql_in_app() -> None:
    """Pages, commands and routes pass sessions on; of SQLAlchemy they need the session's type only."""
    pattern = re.compile(r"^\s*(from sqlalchemy(?!\.orm import Session$)|import sqlalchemy)", re.MULTILINE)
    sources = {path.relative_to(ROOT).as_posix(): path.read_text() for path in tracked() if path.suffix == ".py"}
    assert sorted(name for name, source in sources.items() if name.startswith("app/") and pattern.search(source)) == []


def test_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= MAX_README_LINES
    targets = re.findall(r"\]\(([^)#]+)\)", readme)
    assert [target for target in targets if "://" not in target and not (ROOT / target).exists()] == []


def test_coverage_table_is_one_clean_table() -> None:
    rows = [line for line in (ROOT / "docs/coverage.md").read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells[0] == ["#", "Capability", "能力", "State", "Note", "说明", "Page", "Test"]
    assert {len(row) for row in cells} == {len(cells[0])}
    for row in cells[2:]:
        assert all(row), row
        state, note, test_cell = row[3], row[4], row[7]
        assert state in {"works", "partly", "not yet", "declined"}, state
        for test in re.findall(r"tests/[\w/.]+", test_cell):
            assert (ROOT / test).exists(), f"row {row[0]} names {test}, which is not there"
        if state in {"works", "partly"}:
            assert "tests/" in test_cell, f"row {row[0]} says {state} without a test"
        if state in {"partly", "declined"}:
            assert note != "–", f"row {row[0]} says {state} and not why"


def test_glossary_names_each_term_once_in_both_languages() -> None:
    rows = [line for line in (ROOT / "docs/glossary.md").read_text().splitlines() if line.startswith("| ")]
    terms = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    english = [row[0] for row in terms if row[0] != "English"]
    assert len(english) == len(set(english))
    assert [row for row in terms if row[0] != "English" and not re.search(r"[\u4e00-\u9fff]", row[1])] == []


def test_lifecycle_page_is_current() -> None:
    """The page of the transitions must be remade (make docs) when the table changes."""
    current = runpy.run_path(str(ROOT / "docs/lifecycle.py"))["lifecycle"]()
    assert (ROOT / "docs/lifecycle.md").read_text() == current


def test_accountability_page_is_current() -> None:
    """The page of the rules must be remade (make docs) when a rule changes."""
    current = runpy.run_path(str(ROOT / "docs/accountability.py"))["accountability"]()
    assert (ROOT / "docs/accountability.md").read_text() == current


def test_data_dictionary_is_current() -> None:
    written = (ROOT / "docs/data-dictionary.md").read_text()
    current = runpy.run_path(str(ROOT / "docs/data_dictionary.py"))["data_dictionary"]()
    assert written == current, "the tables changed: run make docs"


@pytest.mark.parametrize("path", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda path: path.name)
def test_a_decision_fits_half_a_page(path: Path) -> None:
    text = path.read_text()
    assert re.match(r"# \d{4} ", text)
    for heading in ("## Context", "## Decision", "## Consequences"):
        assert heading in text
    assert len(text.splitlines()) <= 40
