"""What the columns of a file are: every guess with its reason, from the headings and the first rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geodata.exchange import FieldSpec, Guess, Role, Type, plain
from geodata.exchange_cells import has_clock, narrow, parse_moments, trimmed, typed

LON: Final = (
    "lon", "lng", "long", "longitude", "经度", "lonwgs84", "stoplon", "x", "pointx", "xcoordinate", "coordx", "east",
    "easting", "coordinatesx", "横坐标", "东坐标", "x坐标", "坐标x", "xcoord",
)  # fmt: skip
LAT: Final = (
    "lat", "latitude", "纬度", "latwgs84", "stoplat", "y", "pointy", "ycoordinate", "coordy", "north", "northing",
    "coordinatesy", "纵坐标", "北坐标", "y坐标", "坐标y", "ycoord",
)  # fmt: skip
SHAPE: Final = ("wkt", "geom", "geometry", "thegeom", "shape", "wktgeom", "几何", "空间信息")
PERSONAL: Final = (
    "phone", "telephone", "mobile", "mobilephone", "email", "mail", "idcard", "idnumber", "passport", "firstname",
    "lastname", "surname", "fullname", "caller", "reporter", "contact", "contactname", "contactphone",
    "姓名", "联系人", "电话", "联系电话", "手机", "手机号", "手机号码", "身份证", "身份证号", "身份证号码",
    "邮箱", "电子邮箱", "报告人", "上报人", "举报人", "法人电话", "负责人电话",
)  # fmt: skip
KEYS: Final = (
    "id", "code", "no", "number", "uuid", "key", "编号", "编码", "代码", "序号", "标识码",
    "objectid", "stopid", "osmid",
)  # fmt: skip
MOST: Final = 0.95
"""Share of filled cells that have to fit a type for a column to be of it; the others go to quarantine."""
_DATED = re.compile(r"date|time|day|日期|时间|年月|_at$|_on$", re.IGNORECASE)
_PHONE = re.compile(r"^(\+?86[- ]?)?1[3-9]\d{9}$|^\+\d{8,15}$")
_IDENTITY = re.compile(r"^\d{17}[\dXx]$")
_MAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$", re.IGNORECASE)


def guess_fields(
    columns: Mapping[str, pa.Array], *, has_shapes: bool, zone: str, known: Sequence[Mapping[str, str]] = ()
) -> tuple[list[FieldSpec], list[Guess]]:
    """Return how each column is to be read, and why.

    Parameters
    ----------
    columns
        Heading to the cells of the first rows.
    known
        Fields that the data set has from earlier files; their types hold.
    """
    types = {each["name"]: each for each in known}
    made, said = [], []
    for heading, cells in columns.items():
        cut = trimmed(cells)
        role, why, why_zh = _role(heading, cut)
        if role is Role.PERSONAL:
            said.append(Guess(f"column {heading}", "left out", why, why_zh))
            made.append(FieldSpec(heading, heading, Type.TEXT, role))
            continue
        if heading in types and types[heading].get("type"):
            kind, style, why, why_zh = _as_known(cut, Type(types[heading]["type"]), zone)
        else:
            kind, style, why, why_zh = guess_type(heading, cut, zone)
        if why:
            said.append(Guess(f"column {heading}", f"{kind.value}{f' ({style})' if style else ''}", why, why_zh))
        made.append(FieldSpec(heading, heading, kind, Role.FIELD, style))
    return _with_places(made, columns, said, has_shapes=has_shapes)


def guess_key(fields: Sequence[FieldSpec], columns: Mapping[str, pa.Array]) -> tuple[tuple[str, ...], Guess | None]:
    """Return the field that names a row, where one does in the first rows: always there and never twice."""
    ranked = sorted(
        (each for each in fields if each.role is Role.FIELD and _names_rows(each.heading)),
        key=lambda each: min(
            (place for place, word in enumerate(KEYS) if plain(each.heading).endswith(word)), default=99
        ),
    )
    for each in ranked:
        cells = trimmed(columns[each.heading])
        if len(cells) and not cells.null_count and len(pc.unique(cells)) == len(cells):
            reason = f"it is filled and different in each of the first {len(cells):,} rows"
            zh = f"前 {len(cells):,} 行均有值且互不相同"
            return (each.name,), Guess("key", each.name, reason, zh)
    return (), Guess(
        "key", "the whole row", "no column is always there and never twice", "没有始终唯一的列，以整行内容为准"
    )


def styled(field: FieldSpec, cells: pa.Array, kind: Type, zone: str) -> FieldSpec:
    """Return a column with another type than it was taken for, in the style in which its cells are written."""
    if kind is field.type:
        return field
    return replace(field, type=kind, style=_as_known(trimmed(cells), kind, zone)[1])


def guess_type(heading: str, cells: pa.Array, zone: str) -> tuple[Type, str, str, str]:
    """Return the type of a column, the style it is written in, and why in both languages."""
    filled = cells.drop_null()
    if not len(filled):
        return Type.TEXT, "", "", ""
    flat = narrow(filled)
    if _is_code(flat):
        return (
            Type.TEXT,
            "",
            "its digits begin with 0 or are too many for a number: a code",
            "数字以 0 开头或过长，按编码处理",
        )
    dated = bool(_DATED.search(heading))
    if not dated or not _share(flat, Type.INTEGER, "excel", zone) >= MOST:
        # of equal shares the first: whole numbers with decimals among them are numbers
        ways = ((Type.INTEGER, ""), (Type.NUMBER, ""), (Type.NUMBER, "comma"))
        shares = {way: _share(flat, way[0], way[1], zone) for way in ways}
        kind, style = max(shares, key=lambda way: shares[way])
        if shares[kind, style] >= MOST:
            return kind, style, *_because(shares[kind, style], flat, f"read as {kind.value}", "可读为数值")
    style, share = _date_style(flat, zone, dated=dated)
    if share >= MOST:
        kind = Type.DATETIME if has_clock(pd.Series(flat.to_pylist()[:500])) else Type.DATE
        why, zh = _because(share, flat, f"read as {kind.value}", "可读为日期时间")
        if style in {"dmy", "mdy"}:
            why += f"; the {'day' if style == 'dmy' else 'month'} comes first"
        return kind, style, why, zh
    low = set(pc.unique(pc.utf8_lower(flat)).to_pylist())
    if low <= {"true", "false"} or low <= {"yes", "no"} or low <= {"是", "否"} or low <= {"y", "n"}:
        return Type.BOOLEAN, "", *_because(1.0, flat, "read as yes or no", "可读为是否")
    return Type.TEXT, "", "", ""


def _as_known(cells: pa.Array, kind: Type, zone: str) -> tuple[Type, str, str, str]:
    """Return the style in which a column of a known type is written this time."""
    why, zh = "the data set has it so", "数据集已有此定义"
    flat = narrow(cells.drop_null())
    if kind in {Type.DATE, Type.DATETIME}:
        return kind, _date_style(flat, zone, dated=True)[0], why, zh
    if kind in {Type.NUMBER, Type.INTEGER} and len(flat):
        comma = _share(flat, kind, "comma", zone) > _share(flat, kind, "", zone)
        return kind, "comma" if comma else "", why, zh
    return kind, "", why, zh


def _because(share: float, cells: pa.Array, what: str, zh: str) -> tuple[str, str]:
    count = len(cells)
    return (
        f"{round(share * count):,} of {count:,} filled cells {what}",
        f"{count:,} 个非空值中 {round(share * count):,} 个{zh}",
    )


def _share(cells: pa.Array, kind: Type, style: str, zone: str) -> float:
    if kind is Type.INTEGER and style == "excel":
        made, _ = typed(cells, Type.DATE, "excel", zone)
    else:
        made, _ = typed(cells, kind, style, zone)
    return 1 - made.null_count / len(cells) if len(cells) else 0.0


def _date_style(cells: pa.Array, zone: str, *, dated: bool) -> tuple[str, float]:
    words = pd.Series(pc.unique(cells).to_pylist()[:2000], dtype=object)
    if not len(words):
        return "iso", 0.0
    if not dated and not words.str.contains(r"\d[-/.年:]\d", regex=True).mean() >= MOST:
        return "iso", 0.0
    styles = ["iso", "ymd", "dmy", "mdy"] + (["excel", "epoch"] if dated else [])
    american = zone.startswith("America/")
    shares = {style: float(parse_moments(words, style, zone).notna().mean()) for style in styles}
    order = sorted(
        styles, key=lambda each: (-shares[each], styles.index(each) if not (american and each == "mdy") else 1.5)
    )
    return order[0], shares[order[0]]


def _is_code(cells: pa.Array) -> bool:
    digits = pc.match_substring_regex(cells, r"^\d+$")
    if pc.sum(digits).as_py() < 0.9 * len(cells):
        return False
    leading = pc.match_substring_regex(cells, r"^0\d")
    return bool(pc.any(leading).as_py()) or (pc.max(pc.utf8_length(cells)).as_py() or 0) > 15


def _role(heading: str, cells: pa.Array) -> tuple[Role, str, str]:
    word = plain(heading)
    if word in PERSONAL:
        return Role.PERSONAL, "the heading is about a person", "表头涉及个人信息"
    some = cells.drop_null().to_pylist()[:300]
    for pattern, what, zh in (
        (_IDENTITY, "identity numbers", "身份证号"),
        (_PHONE, "phone numbers", "电话号码"),
        (_MAIL, "mail addresses", "电子邮箱"),
    ):  # fmt: skip
        hits = sum(bool(pattern.match(each)) for each in some)
        if len(some) >= 3 and hits > 0.8 * len(some):
            return Role.PERSONAL, f"{hits} of {len(some)} cells look like {what}", f"{len(some)} 个值中 {hits} 个像{zh}"
    return Role.FIELD, "", ""


def _names_rows(heading: str) -> bool:
    word = plain(heading)
    return any(word == each or (len(each) > 1 and word.endswith(each)) for each in KEYS)


def _with_places(
    fields: list[FieldSpec], columns: Mapping[str, pa.Array], said: list[Guess], *, has_shapes: bool
) -> tuple[list[FieldSpec], list[Guess]]:
    """Return the fields with the columns that say where a row lies."""
    if has_shapes:
        return fields, said
    shape = next((each for each in fields if plain(each.heading) in SHAPE and _is_wkt(columns[each.heading])), None)
    if shape is not None:
        said.append(Guess("place", shape.heading, "its cells are shapes written as text (WKT)", "单元格为 WKT 文本"))
        return [_role_of(each, Role.SHAPE) if each is shape else each for each in fields], said
    numeric = [each for each in fields if each.role is Role.FIELD and each.type in {Type.NUMBER, Type.INTEGER}]
    lon, lat = (_best(numeric, words) for words in (LON, LAT))
    if lon is None or lat is None:
        return fields, said
    why = "their headings say longitude and latitude, or east and north"
    said.append(Guess("place", f"{lon.heading}, {lat.heading}", why, "表头为经纬度或东、北坐标"))
    roles = {lon.heading: Role.LON, lat.heading: Role.LAT}
    taken = {lon.heading, lat.heading}
    said = [each for each in said if each.what.removeprefix("column ") not in taken]
    return [
        FieldSpec(each.heading, each.name, Type.NUMBER, roles[each.heading], each.style)
        if each.heading in roles
        else each
        for each in fields
    ], said


def _role_of(spec: FieldSpec, role: Role) -> FieldSpec:
    return FieldSpec(spec.heading, spec.name, spec.type, role, spec.style)


def _best(fields: Sequence[FieldSpec], words: Sequence[str]) -> FieldSpec | None:
    ranked = [(words.index(plain(each.heading)), each) for each in fields if plain(each.heading) in words]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _is_wkt(cells: pa.Array) -> bool:
    filled = cells.drop_null()
    hits = pc.match_substring_regex(
        filled, r"(?i)^\s*(SRID=\d+;)?(MULTI)?(POINT|LINESTRING|POLYGON|GEOMETRYCOLLECTION)"
    )
    return bool(len(filled)) and float(np.mean(hits.to_numpy(zero_copy_only=False))) >= 0.9
