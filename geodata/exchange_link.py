"""Rows that say in words or by a code where they lie: placed by address, by the code of a grid or of a component."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
import shapely

from geodata.crs import project
from geodata.exchange import PLACED_BY, Chunk, FieldSpec, Geometries, Guess, Role, Spec, Type, Violation, plain
from geodata.exchange_cells import trimmed
from geodata.gazetteer import Gazetteer, Match

ADDRESSES: Final = (
    "address", "fulladdress", "streetaddress", "incidentaddress", "addr", "locationaddress", "street", "streetname",
    "addrstreet", "road", "roadname", "location", "地址", "详细地址", "案发地址", "地点", "位置", "位置描述", "路名",
    "街道名称", "道路名称", "道路", "endereco", "logradouro", "rua", "direccion", "calle", "address_string",
)  # fmt: skip
NUMBERS: Final = ("housenumber", "addrhousenumber", "streetnumber", "houseno", "门牌号", "门牌", "numero", "num")
AROUND: Final = (
    "community", "village", "neighbourhood", "neighborhood", "district", "suburb", "town", "社区", "所属社区", "村居",
    "bairro", "barrio",
)  # fmt: skip
GRIDS: Final = (
    "gridcode", "unitgrid", "unitgridcode", "gridid", "cellcode", "grid", "网格编码", "单元网格编码", "网格编号",
    "单元网格", "网格代码", "所属网格", "网格号",
)  # fmt: skip
COMPONENTS: Final = (
    "componentid", "componentcode", "component", "部件编码", "部件编号", "部件标识码", "部件代码", "部件id",
)  # fmt: skip
LINKED: Final = {"address": Role.ADDRESS, "grid": Role.GRID, "component": Role.COMPONENT}
"""Where rows get their place by linking: what a mapping says of its places, and the role of the column."""
ANY: Final = "*"
"""In place of a heading: no column at all."""
ENOUGH: Final = 0.5
"""Share of the first cells that have to be known for a column to place rows by itself."""
PROBED: Final = 200
COMPARED: Final = 20_000
"""Of so many rows that say both, the place is compared with the address."""
APART_M: Final = 1_000.0
"""A place this much farther from its address than the address is uncertain disagrees strongly."""
SHOWN: Final = 20
_HOW: Final = {
    "number": ("by their house number", "按门牌号"),
    "between": ("between two known numbers", "按相邻门牌号推算"),
    "crossing": ("at a crossing", "按路口"),
    "facility": ("by the name of a facility", "按设施名称"),
    "road": ("along their road, without a known number", "按道路（门牌号未知）"),
    "code": ("by their code", "按编码"),
}


@dataclass(frozen=True, slots=True)
class Coded:
    """What a code of a grid or component means today: a point in degrees, or why none can be said."""

    lon: float = np.nan
    lat: float = np.nan
    why: str = ""
    why_zh: str = ""
    repair: str = ""


Codes = Callable[[str, Sequence[str]], Mapping[str, Coded]]
"""From ``grid`` or ``component`` and codes to what they mean."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a territory knows of places in words, read when it is first asked, and of the meaning of codes."""

    gazetteer: Callable[[], Gazetteer]
    codes: Codes


def guess_link(spec: Spec, chunk: Chunk, known: Known, given: Mapping[str, Role]) -> tuple[Spec, list[Guess]]:
    """Return the mapping with the columns that place a row by words or by code, and why.

    A column is taken when its heading says so and at least half of its first cells are known here, or when a person
    says so. Where the file has coordinates they place; an address column is then only compared with them.
    """
    if given.get(ANY) is Role.FIELD:
        return spec, []
    asked = {heading: role for heading, role in given.items() if role in LINKED.values()}
    for places, role, words in (("grid", Role.GRID, GRIDS), ("component", Role.COMPONENT, COMPONENTS)):
        heading = _asked(asked, role) or ("" if spec.places else _heading(spec, words, given))
        if not heading:
            continue
        cells = _first(chunk, heading)
        meant = known.codes(places, cells)
        hits = sum(np.isfinite(meant[each].lon) for each in cells)
        if heading in asked or (cells and hits >= ENOUGH * len(cells)):
            said = f"{hits} of its first {len(cells)} codes are known here"
            zh = f"前 {len(cells)} 个编码中 {hits} 个可识别"
            guess = Guess("place by code", heading, said, zh, given=heading in asked)
            return _linked(spec, {heading: role}, places if not spec.places else spec.places), [guess]
    heading = _asked(asked, Role.ADDRESS) or _heading(spec, ADDRESSES, given)
    if not heading:
        return spec, []
    roles = {heading: Role.ADDRESS} | {each: role for each, role in asked.items() if role is Role.ADDRESS}
    for others in (NUMBERS, AROUND):
        more = _heading(spec, others, given)
        if more and more not in roles:
            roles[more] = Role.ADDRESS
    made = _linked(spec, roles, spec.places or "address")
    texts = list(dict.fromkeys(each for each in addresses(made, chunk) if each))[:PROBED]
    matches = [known.gazetteer().match(each) for each in texts]
    hits = sum(each.state == "matched" for each in matches)
    named = sum(each.state in {"matched", "ambiguous", "coarse"} for each in matches)
    if heading not in asked and (not texts or named < ENOUGH * len(texts)):
        return spec, []
    columns = " + ".join(roles)
    if spec.places:
        said = "compared with the coordinates, and used where they are missing"
        return made, [Guess("address", columns, said, "与坐标核对；缺坐标时按地址落位", given=heading in asked)]
    why = f"of its first {len(texts)} addresses {hits} are found here, {named - hits} could mean several places"
    zh = f"前 {len(texts)} 个地址中 {hits} 个可匹配，{named - hits} 个有歧义"
    return replace(made, crs="EPSG:4326"), [Guess("place by address", columns, why, zh, given=heading in asked)]


def addresses(spec: Spec, chunk: Chunk) -> list[str]:
    """Return what each row says of its place in words: street, number, community; empty where nothing."""
    columns = [
        (plain(each.heading), trimmed(chunk.columns[each.heading]).to_pylist())
        for each in spec.fields
        if each.role is Role.ADDRESS and each.heading in chunk.columns
    ]
    order = {**dict.fromkeys(NUMBERS, 1), **dict.fromkeys(AROUND, 2)}
    columns.sort(key=lambda each: order.get(each[0], 0))
    if len(columns) == 1:
        return [each or "" for each in columns[0][1]]
    made = []
    for row in zip(*(cells for _, cells in columns), strict=True):
        text = ""
        for (word, _), cell in zip(columns, row, strict=True):
            if cell:
                chinese = word in NUMBERS and not text.isascii()
                text += f"{cell.removesuffix('号')}号" if chinese else f", {cell}" if text else cell
        made.append(text)
    return made


class Linker:
    """Places the rows of one file, chunk by chunk, and remembers how and what disagreed."""

    def __init__(self, spec: Spec, srid: int, known: Known) -> None:
        self._spec, self._srid, self._gazetteer, self._codes = spec, srid, known.gazetteer, known.codes
        self._by = next((each for each in LINKED if spec.places == each), "")
        self._words = any(each.role is Role.ADDRESS for each in spec.fields)
        self._tells = any(each.role is Role.MADE for each in spec.fields)
        self._how: Counter[str] = Counter()
        self._widest = 0.0
        self._compared = 0
        self._apart: list[tuple[int, str, float, str]] = []

    def link(self, chunk: Chunk, shapes: Geometries | None) -> Chunk:
        """Return the chunk with the places found; ``shapes`` are the rows' own in degrees, where the file has them."""
        if self._by in {"grid", "component"}:
            return self._coded(chunk)
        if not self._words:
            return chunk
        own = np.zeros(len(chunk), dtype=bool) if shapes is None else _there(shapes)
        texts = addresses(self._spec, chunk)
        if shapes is not None and self._compared < COMPARED:
            self._compare(chunk, texts, shapes, own)
        found = np.full(len(chunk), None, dtype=object)
        told: list[str | None] = [None] * len(chunk)
        wrong: list[Violation] = []
        places: list[tuple[int, float, float]] = []
        for row in np.flatnonzero(~own).tolist():
            match = self._gazetteer().match(texts[row])
            best = match.best
            if best is None:
                if texts[row] or self._by:
                    wrong.append(self._unplaced(row, texts[row], match))
                continue
            places.append((row, best.x, best.y))
            self._how[best.how] += 1
            self._widest = max(self._widest, best.within_m) if best.how == "road" else self._widest
            told[row] = f"{best.how}: {best.text} ({best.score:.2f}, ±{best.within_m:.0f} m)"
        if places:
            rows, x, y = zip(*places, strict=True)
            found[list(rows)] = project(np.asarray(shapely.points(x, y), dtype=object), 4326, self._srid)
        return self._with(chunk, found, told, wrong)

    @property
    def placed(self) -> int:
        """How many rows were placed by what they say."""
        return sum(self._how.values())

    def guesses(self) -> list[Guess]:
        """Return how the rows were placed and what disagreed, for the batch."""
        made = []
        if self._how:
            told = "; ".join(f"{count:,} {_HOW[how][0]}" for how, count in self._how.most_common())
            zh = "；".join(f"{_HOW[how][1]} {count:,} 行" for how, count in self._how.most_common())
            if self._widest:
                told += f" (at worst {self._widest:,.0f} m off)"
                zh += f"（最大偏差 {self._widest:,.0f} 米）"
            made.append(Guess("placed by", f"{self.placed:,}", told, zh))
        if self._apart:
            first = "; ".join(
                f"row {row}: {text} is {far:,.0f} m away ({name})" for row, text, far, name in self._apart[:3]
            )
            zh = "；".join(f"第 {row} 行：{text}相距 {far:,.0f} 米" for row, text, far, _ in self._apart[:3])
            why = f"the coordinates were taken, though the address lies far from them: {first}"
            made.append(Guess("disagree", f"{len(self._apart):,}", why, f"以坐标为准，但地址与坐标相距较远：{zh}"))
        return made

    def _compare(self, chunk: Chunk, texts: Sequence[str], shapes: Geometries, own: np.ndarray) -> None:
        rows = [row for row in np.flatnonzero(own).tolist() if texts[row]][: COMPARED - self._compared]
        self._compared += len(rows)
        pairs = [
            (row, best) for row in rows if (best := self._gazetteer().match(texts[row]).best) and best.score >= 0.95
        ]
        if not pairs:
            return
        points = np.asarray(shapely.points([best.x for _, best in pairs], [best.y for _, best in pairs]), dtype=object)
        theirs = project(points, 4326, self._srid)
        here = shapely.centroid(shapes[[row for row, _ in pairs]])
        lat = np.radians(shapely.get_y(here))
        far = 111_320 * np.hypot(
            (shapely.get_x(here) - shapely.get_x(theirs)) * np.cos(lat), shapely.get_y(here) - shapely.get_y(theirs)
        )
        numbers = chunk.row_numbers
        for (row, best), away in zip(pairs, far.tolist(), strict=True):
            if away > APART_M + best.within_m:
                self._apart.append((int(numbers[row]), texts[row][:80], away, best.text))

    def _coded(self, chunk: Chunk) -> Chunk:
        field = next(each for each in self._spec.fields if each.role is LINKED[self._by])
        cells = trimmed(chunk.columns[field.heading]) if field.heading in chunk.columns else pa.nulls(len(chunk))
        texts = [each or "" for each in cells.to_pylist()]
        known = self._codes(self._by, list(dict.fromkeys(each for each in texts if each)))
        found = np.full(len(chunk), None, dtype=object)
        told: list[str | None] = [None] * len(chunk)
        wrong = []
        for row, text in enumerate(texts):
            said = known.get(text) or Coded(why="The row has no code.", why_zh="该行没有编码。")
            if np.isfinite(said.lon):
                found[row] = shapely.Point(said.lon, said.lat)
                told[row] = said.why or f"code: {text}"
                self._how["code"] += 1
            else:
                wrong.append(Violation(row, field.heading, text[:120], "code", said.why, said.why_zh, said.repair))
        return self._with(chunk, found, told, wrong)

    def _unplaced(self, row: int, text: str, match: Match) -> Violation:
        field = " + ".join(each.heading for each in self._spec.fields if each.role is Role.ADDRESS)
        en = {
            "none": "Nothing of the kind is known here.",
            "weak": f"No name is alike enough: {match.why}.",
            "ambiguous": f"It could mean several places: {match.why}.",
            "coarse": f"It says the place too roughly: {match.why}.",
        }[match.state]
        zh = {
            "none": "本地没有此地址。",
            "weak": f"没有足够相近的名称：{match.why_zh}。",
            "ambiguous": f"有多处可能：{match.why_zh}。",
            "coarse": f"位置过于笼统：{match.why_zh}。",
        }[match.state]
        repair = "; ".join(dict.fromkeys(each.text for each in match.candidates[:4]))
        return Violation(row, field, text[:120], "address", en, zh, repair)

    def _with(self, chunk: Chunk, found: Geometries, told: list[str | None], wrong: Sequence[Violation]) -> Chunk:
        columns = dict(chunk.columns)
        if self._tells:
            columns[PLACED_BY] = pa.array(told, pa.string())
        return replace(chunk, columns=columns, linked=found, unlinked=tuple(wrong))


def _linked(spec: Spec, roles: Mapping[str, Role], places: str) -> Spec:
    fields = tuple(
        replace(each, role=roles[each.heading], type=Type.TEXT, style="") if each.heading in roles else each
        for each in spec.fields
    )
    linked = places in LINKED or Role.ADDRESS in roles.values()
    if linked and not any(each.role is Role.MADE or each.name == PLACED_BY for each in fields):
        fields = (*fields, FieldSpec(PLACED_BY, PLACED_BY, Type.TEXT, Role.MADE))
    return replace(spec, fields=fields, places=places, crs=spec.crs or "EPSG:4326")


def _asked(asked: Mapping[str, Role], role: Role) -> str:
    return next((heading for heading, each in asked.items() if each is role), "")


def _heading(spec: Spec, words: Sequence[str], given: Mapping[str, Role]) -> str:
    free = [each for each in spec.fields if each.role is Role.FIELD and each.heading not in given]
    ranked = [(words.index(plain(each.heading)), each.heading) for each in free if plain(each.heading) in words]
    return min(ranked)[1] if ranked else ""


def _first(chunk: Chunk, heading: str) -> list[str]:
    cells = trimmed(chunk.columns[heading]).drop_null().to_pylist()
    return list(dict.fromkeys(each for each in cells if each))[:PROBED]


def _there(shapes: Geometries) -> np.ndarray:
    made: np.ndarray = shapely.is_geometry(shapes) & ~shapely.is_empty(shapes)
    return made
