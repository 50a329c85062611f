"""Archives within archives, and relations of OpenStreetMap as areas."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import shapely

from core.errors import InvalidInput
from geodata import exchange_unpack
from geodata.exchange_open import opened

TABLE = b"id,name\n1,a\n2,b\n"


def packed(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "."), content)
    return made.getvalue()


def test_an_archive_within_an_archive_is_opened_once(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(packed(read__txt=b"see inside", lamps__ZIP=packed(lamps__csv=TABLE)))
    with opened(path) as source:
        assert source.layout.headings == ("id", "name")
        assert [len(each) for each in source.chunks()] == [2]
    path.write_bytes(packed(one__zip=packed(two__zip=packed(lamps__csv=TABLE))))
    with pytest.raises(InvalidInput, match="holds no data set"), opened(path):
        pass


def test_what_lies_packed_within_is_bounded_with_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_unpack, "_CHUNK", 1 << 12)
    path = tmp_path / "a.zip"
    path.write_bytes(packed(one__zip=packed(lamps__csv=TABLE + b"3,c\n" * 2_000_000)))
    with pytest.raises(InvalidInput, match="unpacks to far more than it is"), opened(path):
        pass
    path.write_bytes(packed(one__zip=packed(**{"../x__csv": TABLE})))
    with pytest.raises(InvalidInput, match="outside its folder"), opened(path):
        pass
    path.write_bytes(packed(one__zip=b"PK no archive"))
    with pytest.raises(InvalidInput, match=r"a\.zip/one\.zip is no readable zip"), opened(path):
        pass


def test_a_relation_is_an_area_with_its_hole(tmp_path: Path) -> None:
    corners = {1: (0, 0), 2: (0, 4), 3: (4, 4), 4: (4, 0), 5: (1, 1), 6: (1, 2), 7: (2, 2), 8: (2, 1)}
    nodes = "".join(f'<node id="{n}" lat="{50 + y / 1e3}" lon="{x / 1e3}"/>' for n, (x, y) in corners.items())
    refs = {
        way: "".join(f'<nd ref="{n}"/>' for n in (*of, of[0])) for way, of in ((1, (1, 2, 3, 4)), (2, (5, 6, 7, 8)))
    }
    ways = "".join(f'<way id="{way}">{nodes_}</way>' for way, nodes_ in refs.items())
    members = '<member type="way" ref="1" role="outer"/><member type="way" ref="2" role="inner"/>'
    tags = '<tag k="type" v="multipolygon"/><tag k="leisure" v="park"/><tag k="name" v="Green"/>'
    path = tmp_path / "a.osm"
    path.write_text(f'<osm version="0.6">{nodes}{ways}<relation id="9">{members}{tags}</relation></osm>')
    with opened(path) as source:
        (chunk,) = list(source.chunks())
    assert chunk.columns["osm_id"].to_pylist() == ["r9"]
    assert chunk.columns["class"].to_pylist() == ["leisure=park"]
    assert shapely.area(chunk.shapes[0]) == pytest.approx(15e-6, rel=1e-6)
