"""What users send is written under our names, within the limit, or not at all."""

from __future__ import annotations

import io
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import uploads
from core.errors import InvalidInput
from core.settings import settings
from geodata.files import read_table


@pytest.fixture
def small_limit(monkeypatch):
    monkeypatch.setenv("GRIDKEEPER_UPLOAD_MAX_MIB", "1")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


def kept() -> list[str]:
    return sorted(path.name for path in (settings().state_dir / "uploads").glob("*"))


@pytest.mark.parametrize("name", ["a.osm.pbf", "A.OSM.PBF", "b.osm", "c.osm.gz", "../../etc/d.osm.bz2", "..\\x.osm"])
def test_an_extract_is_kept_under_a_name_of_ours(name):
    path = uploads.save(io.BytesIO(b"data"), name)
    assert path.parent == settings().state_dir / "uploads"
    assert path.read_bytes() == b"data"
    assert path.name.split(".")[0] != name.split(".")[0].lower()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a.pbf", "a.csv", "", "osm.pbf.exe", "a.osm.pbf/..", "/etc/passwd"])
def test_other_files_are_refused(name):
    before = kept()
    with pytest.raises(InvalidInput, match=r"not an OpenStreetMap extract.*ends in \.osm\.pbf"):
        uploads.save(io.BytesIO(b"data"), name)
    assert kept() == before


def test_an_empty_file_is_refused_and_leaves_nothing():
    before = kept()
    with pytest.raises(InvalidInput, match=r"a\.osm is empty"):
        uploads.save(io.BytesIO(b""), "a.osm")
    assert kept() == before


def test_the_limit_is_kept_and_leaves_nothing(small_limit):
    before = kept()
    with pytest.raises(InvalidInput, match="larger than 1 MB"):
        uploads.save(io.BytesIO(b"x" * ((1 << 20) + 1)), "a.osm.pbf")
    assert kept() == before
    assert uploads.save(io.BytesIO(b"x" * (1 << 20)), "a.osm.pbf").stat().st_size == 1 << 20


def test_a_broken_transfer_leaves_nothing():
    class Broken(io.BytesIO):
        def read(self, *_size):
            raise OSError("cable pulled")

    before = kept()
    with pytest.raises(OSError, match="cable"):
        uploads.save(Broken(), "a.osm")
    assert kept() == before


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("isle-of-wight-latest.osm.pbf", "Isle Of Wight"),
        ("C:\\maps\\Monaco_gh.OSM.gz", "Monaco Gh"),
        ("上海.osm.pbf", "上海"),
        ("", ""),
    ],
)
def test_titles_from_file_names(name, title):
    assert uploads.title_of(name) == title


@given(st.text(max_size=60))
def test_no_folder_survives_in_a_name(name):
    assert "/" not in uploads.base_name(name)
    assert "\\" not in uploads.base_name(name)


def test_what_is_wrong_with_a_file_is_said_by_the_name_its_sender_knows(tmp_path):
    path = tmp_path / "0f3a.npz"
    with pytest.raises(InvalidInput) as caught, uploads.called(path, "C:\\plans\\by bus.npz"):
        raise InvalidInput("0f3a.npz is empty.", hint="Look at 0f3a.npz.", zh="0f3a.npz 是空的。")
    assert str(caught.value) == "by bus.npz is empty. Look at by bus.npz."
    assert caught.value.zh == "by bus.npz 是空的。"


def test_what_is_wrong_with_a_file_names_it_as_its_sender_and_leaves_nothing():
    before = kept()
    with (
        pytest.raises(InvalidInput, match=r"staff list\.csv has no rows"),
        uploads.taken(b"a,b\n", "C:\\staff list.csv", (".csv",)) as path,
    ):
        read_table(path)
    assert kept() == before
