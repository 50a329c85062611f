"""Maps of the city's own under our layers: which there are, adding one, and a tile of one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound, SourceUnavailable
from core.identity import Actor, May, require
from geodata import basemap_files, basemap_grid, basemap_xml, outward
from geodata.basemap_grid import Level, Picture
from geodata.datum import Datum
from geodata.db import system_rights
from geodata.tables import OwnBasemap

SERVICES = ("xyz", "wmts", "wms")
FILES = ("mbtiles", "pmtiles", "geotiff")
KINDS = (*SERVICES, *FILES)
DATUMS = tuple(each.value for each in Datum)
CAPABILITIES_MOST, TILE_MOST = 6_000_000, 3_000_000
MOST = 12
MARKS = ("{z}", "{x}")
LAST_ZOOM = 19
Keep = Callable[[Hashable, Callable[[], bytes | None]], bytes | None]


@dataclass(frozen=True, slots=True)
class NewBasemap:
    """What the administrator says of a map; ``layer`` and ``grid`` of a service that has several."""

    name: str
    kind: str
    address: str
    attribution: str
    secret: str = field(default="", repr=False)
    datum: str = Datum.WGS84.value
    layer: str = ""
    grid: str = ""


@dataclass(frozen=True, slots=True)
class BasemapInfo:
    """A map under our layers; ``secret`` only where the system reads it for a tile."""

    id: int
    territory_id: int
    name: str
    kind: str
    address: str
    datum: str
    attribution: str
    plan: Mapping[str, Any]
    made_at: dt.datetime
    secret: str = field(default="", repr=False)

    @property
    def zooms(self) -> tuple[int, int]:
        """Return the first and the last zoom at which it has pictures; ours go deeper, enlarged."""
        return int(self.plan.get("first", 0)), int(self.plan.get("last", LAST_ZOOM))

    @property
    def passes_through(self) -> bool:
        """Return whether its tiles are ours as they are."""
        return self.datum == Datum.WGS84 and self.plan.get("system") == "mercator" and self.kind in {"xyz", *FILES[:2]}


def plan_of(new: NewBasemap) -> dict[str, Any]:
    """Return what the service or file says of itself; asks the server, so not within a transaction.

    Raises
    ------
    InvalidInput
        When it cannot be drawn from, with the reason.
    SourceUnavailable
        When it does not answer.
    """
    _check(new)
    if new.kind in FILES:
        return basemap_files.file_plan(new.kind, new.address)
    outward.check_address(_plain(new.address))
    if new.kind == "xyz":
        return {"kind": "xyz", "system": "mercator", "first": 0, "last": LAST_ZOOM, "template": new.address}
    ask = {"wmts": {"SERVICE": "WMTS"}, "wms": {"SERVICE": "WMS"}}[new.kind] | {"REQUEST": "GetCapabilities"}
    address = new.address if new.address.lower().endswith(".xml") else basemap_xml.with_query(new.address, ask)
    try:
        root = basemap_xml.parsed(outward.fetch(_keyed(address, new.secret), most_bytes=CAPABILITIES_MOST).body)
    except NotFound as error:
        raise InvalidInput(
            "At this address the service does not say what it has.",
            hint="Give the address of its capabilities.",
            zh="该地址没有能力文档（GetCapabilities），请检查地址。",
        ) from error
    if new.kind == "wmts":
        plan = basemap_xml.wmts_plan(root, new.address, new.layer, new.grid)
    else:
        plan = basemap_xml.wms_plan(root, new.address, new.layer)
    if not outward.same_server(plan["template"], new.address):
        raise InvalidInput(
            "The service says that its pictures lie on another server, which nobody named.",
            hint="Give that server's own address.",
            zh="该服务声明瓦片位于另一台服务器；为安全起见不予访问，请直接填写那台服务器的地址。",
        )
    outward.check_address(_plain(plan["template"]))
    return plan


def add_basemap(session: Session, actor: Actor, territory_id: int, new: NewBasemap, plan: Mapping[str, Any]) -> int:
    """Write a map under our layers and return its id; ``plan`` is that of `plan_of`.

    Raises
    ------
    Conflict
        When there is one of that name.
    """
    require(actor, May.SET_UP)
    _check(new)
    if len(list_basemaps(session, actor, territory_id)) >= MOST:
        raise InvalidInput(f"There are {MOST} already.", hint="Remove one.", zh=f"底图最多 {MOST} 个，请先删除一个。")
    row = OwnBasemap(
        territory_id=territory_id,
        name=" ".join(new.name.split()),
        kind=new.kind,
        address=new.address,
        secret=new.secret,
        datum=new.datum,
        attribution=" ".join(new.attribution.split()),
        plan=dict(plan),
        made_at=clock_now(),
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Conflict(
            f"There is a basemap {new.name!r} already.", hint="Give another name.", zh=f"已有名为“{new.name}”的底图。"
        ) from error
    return row.id


def remove_basemap(session: Session, actor: Actor, basemap_id: int) -> None:
    """Remove a map; who looks at it sees ours with the next page."""
    require(actor, May.SET_UP)
    gone = session.execute(delete(OwnBasemap).where(OwnBasemap.id == basemap_id).returning(OwnBasemap.id)).all()
    if not gone:
        raise NotFound("This basemap does not exist any more.", hint="Look at the list.", zh="该底图已不存在。")


def list_basemaps(session: Session, actor: Actor, territory_id: int) -> list[BasemapInfo]:
    """Return the maps of a territory by name, without their keys; for all who see the map."""
    require(actor, May.SEE_MAP) if not actor.may(May.SET_UP) else None
    with system_rights(session, actor):
        rows = session.scalars(
            select(OwnBasemap).where(OwnBasemap.territory_id == territory_id).order_by(OwnBasemap.name)
        ).all()
        return [_info(row) for row in rows]


def all_basemaps(session: Session, actor: Actor) -> list[BasemapInfo]:
    """Return the maps of all territories, without their keys."""
    require(actor, May.KEEP_RUNNING)
    with system_rights(session, actor):
        return [_info(row) for row in session.scalars(select(OwnBasemap).order_by(OwnBasemap.id))]


def find_basemap(session: Session, actor: Actor, basemap_id: int) -> BasemapInfo:
    """Return a map of the actor's territory with its key, to draw a tile; nothing of the key may leave the server.

    Raises
    ------
    NotFound
        When there is none.
    """
    with system_rights(session, actor):
        row = session.get(OwnBasemap, basemap_id)
        if row is None or row.territory_id != actor.territory_id:
            raise NotFound("This basemap does not exist.", hint="Look at the list.", zh="没有该底图。")
        return _info(row, keyed=True)


def tile_of(basemap: BasemapInfo, z: int, x: int, y: int, keep: Keep) -> bytes | None:
    """Return a tile of ours drawn from a map, PNG, JPEG or WebP; None where it has nothing.

    Parameters
    ----------
    keep
        Returns what it kept for a key, else what it is given to call; for tiles that several of ours need.

    Raises
    ------
    SourceUnavailable
        When its server does not answer, or not with a picture.
    """
    basemap_grid.check_tile(z, x, y)
    plan, datum = basemap.plan, Datum(basemap.datum)
    if basemap.passes_through:
        return _theirs(basemap, Level(str(z), 1.0, 0.0, 0.0, 1, 1), x, y)
    if basemap.kind in {"wms", "geotiff"}:
        picture = basemap_grid.from_boxes(plan["system"], datum, (z, x, y), lambda *asked: _boxed(basemap, *asked))
    else:
        levels = _levels(basemap)
        same = next((each for each in levels if basemap_grid.same_grid(each, z)), None)
        if datum == Datum.WGS84 and plan["system"] == "mercator" and same is not None:
            return _theirs(basemap, same, x, y) if x < same.columns and y < same.rows else None

        def get(level: Level, column: int, row: int) -> bytes | None:
            asked = ("theirs", basemap.id, basemap.made_at, level.key, column, row)
            return keep(asked, lambda: _theirs(basemap, level, column, row))

        picture = basemap_grid.from_tiles(levels, plan["system"], datum, (z, x, y), get)
    return basemap_grid.encoded(picture) if bool(np.any(picture[..., 3])) else None


def tile_at(lon: float, lat: float, z: int) -> tuple[int, int, int]:
    """Return the tile of ours that a place lies in."""
    east, north = (float(each) for each in basemap_grid.in_system(np.array(lon), np.array(lat), "mercator"))
    size = 2 * basemap_grid.HALF_M / 2**z
    return z, int((east + basemap_grid.HALF_M) / size), int((basemap_grid.HALF_M - north) / size)


def _levels(basemap: BasemapInfo) -> list[Level]:
    stored = basemap.plan.get("levels")
    return basemap_grid.levels_of(stored) if stored else basemap_grid.web_levels(*basemap.zooms)


def _theirs(basemap: BasemapInfo, level: Level, column: int, row: int) -> bytes | None:
    if basemap.kind in FILES:
        body = basemap_files.stored_tile(basemap.kind, basemap.address, int(level.key), column, row)
    else:
        values = {"{TileMatrix}": level.key, "{TileCol}": str(column), "{TileRow}": str(row)}
        if basemap.kind == "xyz":
            z = int(level.key)
            values = {"{z}": str(z), "{x}": str(column), "{y}": str(row), "{-y}": str(2**z - 1 - row)}
        address = str(basemap.plan["template"])
        for mark, value in values.items():
            address = address.replace(mark, quote(value, safe=":"))  # a service names its levels itself
        try:
            body = _fetched(basemap, address)
        except NotFound:
            return None
    if body is not None:
        basemap_grid.media_type(body)
    return body


def _fetched(basemap: BasemapInfo, address: str) -> bytes:
    """Return what the server that was named has there; what a service says of itself leads to no other."""
    if basemap.kind != "xyz" and not outward.same_server(address, basemap.address):
        raise SourceUnavailable("The service leads to another server.", zh="该服务指向另一台服务器，系统不予访问。")
    return outward.fetch(_keyed(address, basemap.secret), most_bytes=TILE_MOST).body


def _boxed(basemap: BasemapInfo, box: tuple[float, float, float, float], width: int, height: int) -> Picture:
    if basemap.kind == "geotiff":
        return basemap_files.picture_of_box(basemap.address, box, width, height)
    west, south, east, north = box
    told = (south, west, north, east) if basemap.plan.get("turned") else box
    address = str(basemap.plan["template"]).replace("{box}", ",".join(f"{each:.9g}" for each in told))
    address = address.replace("{width}", str(width)).replace("{height}", str(height))
    try:
        body = _fetched(basemap, address)
    except NotFound:
        return np.zeros((height, width, 4), np.uint8)
    picture = basemap_grid.decoded(body)
    if picture.shape[:2] != (height, width):
        return np.zeros((height, width, 4), np.uint8)
    return picture


def _check(new: NewBasemap) -> None:
    wrong = (
        (not 0 < len(new.name.strip()) <= 80, "Give a name of up to 80 signs.", "请填写不超过 80 字的名称。"),
        (new.kind not in KINDS, f"The kind is one of {', '.join(KINDS)}.", f"类型应为 {'、'.join(KINDS)}。"),
        (new.datum not in DATUMS, f"The datum is one of {', '.join(DATUMS)}.", f"坐标基准应为 {'、'.join(DATUMS)}。"),
        (not 0 < len(new.address) <= 500, "Give an address of up to 500 signs.", "请填写不超过 500 字的地址。"),
        (
            not 0 < len(new.attribution.strip()) <= 200,
            "Say whose map it is, in up to 200 signs; it stands on the map.",
            "请填写不超过 200 字的地图来源，它会显示在地图上。",
        ),
        (not (new.name + new.attribution).isprintable(), "A sign cannot be shown.", "含有无法显示的字符。"),
        (
            len(new.secret) > 200 or any(ord(each) <= 32 or ord(each) > 126 or each in "#?" for each in new.secret),
            "The key is a piece of a query such as tk=abc.",
            "密钥应为查询参数的形式，如 tk=abc。",
        ),
    )
    found = next((words for holds, *words in wrong if holds), None)
    if found is not None:
        raise InvalidInput(found[0], hint="Correct it and try again.", zh=found[1])
    if new.kind == "xyz" and not (
        all(each in new.address for each in MARKS) and ("{y}" in new.address or "{-y}" in new.address)
    ):
        raise InvalidInput(
            "The address of tiles has {z}, {x} and {y} (or {-y}) in it.",
            hint="E.g. http://maps.city.gov/tiles/{z}/{x}/{y}.png",
            zh="瓦片地址中须含 {z}、{x} 和 {y}（或 {-y}）。",
        )


def _plain(address: str) -> str:
    for mark in ("{z}", "{x}", "{y}", "{-y}", *basemap_xml.MARKS, "{box}", "{width}", "{height}"):
        address = address.replace(mark, "0")
    return address


def _keyed(address: str, secret: str) -> str:
    return address if not secret else f"{address}{'&' if '?' in address else '?'}{secret}"


def _info(row: OwnBasemap, *, keyed: bool = False) -> BasemapInfo:
    return BasemapInfo(
        row.id,
        row.territory_id,
        row.name,
        row.kind,
        row.address,
        row.datum,
        row.attribution,
        row.plan,
        row.made_at,
        row.secret if keyed else "",
    )
