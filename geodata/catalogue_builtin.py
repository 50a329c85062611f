"""The platform's own tables as they may be given to others: columns with their meanings, and where they come from.

No column that names a person or was typed freely about one stands here, whatever the role of who asks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import LiteralString

from psycopg import sql

from core.identity import May
from geodata.catalogue_model import FieldInfo, Offer

ODBL = "ODbL 1.0 (OpenStreetMap contributors)"
OWN = "Internal use of the city"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the rows of an offer come from, as parts of a statement.

    Attributes
    ----------
    columns
        Name of a column to its expression, in the order of the offer's fields.
    where
        Condition of all rows; it names ``{territory}``.
    numbered
        The identity is a number; else text.
    near
        Relation that holds the rows touching ``{shape}`` alone, where one is quicker than the condition.
    beside
        Keys of the offers whose columns its rows bear too.
    box
        Condition that finds rows in a shape ``{shape}`` (EPSG:4326) quickly, also under row-level security.
    """

    offer: Offer
    relation: sql.Composable
    columns: dict[str, sql.Composable]
    ident: sql.Composable
    geom: sql.Composable | None
    where: sql.SQL
    box: sql.SQL | None = None
    numbered: bool = True
    near: sql.SQL | None = None
    beside: tuple[str, ...] = ()


Column = tuple[str, str, str, str, LiteralString] | tuple[str, str, str, str, LiteralString, str]
"""Name, kind, meaning in English and Chinese, expression, and a unit where there is one."""


def _source(
    offer: Offer, relation: LiteralString, columns: tuple[Column, ...], beside: tuple[str, ...] = (),
    **parts: LiteralString,
) -> Source:  # fmt: skip
    """Return a source; ``parts`` are ident, geom, where and box."""
    fields = tuple(FieldInfo(each[0], each[1], each[2], each[3], each[5] if len(each) > 5 else "") for each in columns)
    return Source(
        replace(offer, fields=fields),
        sql.SQL(relation),
        {each[0]: sql.SQL(each[4]) for each in columns},
        sql.SQL(parts["ident"]),
        sql.SQL(parts["geom"]),
        sql.SQL(parts["where"]),
        sql.SQL(parts["box"]) if "box" in parts else None,
        beside=beside,
    )


def _incidents() -> Source:
    return _source(
        Offer(
            "incidents", "Incidents", "案件",
            "Reported problems with their class, state, moments and place; no reporter, no free text.",
            "上报问题的类别、状态、时间与位置；不含报案人与自由文字。",
            "Point", (), moment="reported_at", capability=May.SEE_INCIDENT_POINTS, sensitivity="restricted",
            licence=OWN, rhythm="continuous",
        ),
        "incident AS x JOIN incident_class AS k ON k.id = x.class_id JOIN unit_grid AS g ON g.id = x.grid_id"
        " JOIN area AS c ON c.id = x.community_id LEFT JOIN unit AS u ON u.id = x.unit_id",
        (
            ("number", "text", "Number of the incident", "案件编号", "x.number"),
            ("class", "text", "Class, English", "小类（英文）", "k.name_en"),
            ("class_zh", "text", "Class, Chinese", "小类", "k.name_zh"),
            ("category", "text", "Category of the class", "大类", "x.category"),
            ("status", "text", "State", "状态", "x.status"),
            ("source", "text", "How it was reported", "来源", "x.source"),
            ("emergency", "boolean", "Emergency", "紧急情况", "x.emergency"),
            ("priority", "integer", "Priority, 1 is the highest", "优先级，1 最高", "x.priority"),
            ("reported_at", "moment", "Reported", "上报时间", "x.reported_at"),
            ("filed_at", "moment", "Filed", "立案时间", "x.filed_at"),
            ("dispatched_at", "moment", "Dispatched", "派遣时间", "x.dispatched_at"),
            ("handled_at", "moment", "Handled", "处置时间", "x.handled_at"),
            ("closed_at", "moment", "Closed", "结案时间", "x.closed_at"),
            ("due_at", "moment", "Deadline", "截止时间", "x.due_at"),
            ("grid", "text", "Code of the unit grid", "单元网格编码", "g.code"),
            ("community", "text", "Community", "社区", "c.name"),
            ("unit", "text", "Unit in charge", "责任单位", "u.name"),
            ("reworks", "integer", "Times of rework", "返工次数", "x.reworks"),
            ("simulated", "boolean", "Made up for the demo", "演示数据", "x.simulated"),
        ),
        ident="x.id", geom="x.geom", where="x.territory_id = {territory}",
        # By grid: PostGIS operators are not leakproof, so the policy keeps an index on the place from being used.
        box="x.grid_id = ANY(ARRAY(SELECT b.id FROM unit_grid AS b WHERE b.territory_id = {territory}"
        " AND b.geom && {shape})) AND x.geom && {shape}", beside=("unit-grids",),
    )  # fmt: skip


def _facilities() -> Source:
    return _source(
        Offer(
            "facilities", "Facilities", "设施", "Places that serve the public, by kind.", "为公众服务的场所，按类型。",
            "Point", (), sensitivity="public", licence=ODBL,
        ),
        "facility AS x",
        (
            ("kind", "text", "Kind of facility", "设施类型", "x.kind"),
            ("name", "text", "Name", "名称", "x.name"),
            ("name_zh", "text", "Name, Chinese", "名称（中文）", "x.name_zh"),
            ("capacity", "number", "Capacity: beds, places", "容量：床位、座位", "x.capacity"),
            ("source", "text", "Where it comes from", "来源", "x.source"),
            ("source_ref", "text", "Identity in the source", "来源标识", "x.source_ref"),
        ),
        ident="x.id", geom="x.geom", where="x.territory_id = {territory}", box="x.geom && {shape}",
    )  # fmt: skip


def _components() -> Source:
    return _source(
        Offer(
            "components", "Components", "部件",
            "Fixed public assets; gas, power, telecom, water and other restricted ones are left out.",
            "固定公共设施；燃气、电力、通信、供水及其他受限部件不提供。",
            "Point", (), licence=OWN, rhythm="continuous",
        ),
        "component AS x JOIN incident_class AS k ON k.id = x.class_id JOIN area AS c ON c.id = x.community_id"
        " LEFT JOIN unit AS u ON u.id = x.unit_id",
        (
            ("code", "text", "Identifier, 16 digits", "标识码，16 位", "x.code"),
            ("class", "text", "Class, English", "小类（英文）", "k.name_en"),
            ("class_zh", "text", "Class, Chinese", "小类", "k.name_zh"),
            ("category", "text", "Category of the class", "大类", "k.category"),
            ("state", "text", "State", "状态", "x.state"),
            ("unit", "text", "Unit in charge", "主管单位", "u.name"),
            ("community", "text", "Community", "社区", "c.name"),
            ("valid_from", "day", "First day", "启用日期", "x.valid_from"),
            ("valid_to", "day", "Last day", "停用日期", "x.valid_to"),
        ),
        ident="x.id", geom="x.geom",
        where="x.territory_id = {territory} AND x.sensitivity = 'open' AND x.state <> 'removed'",
        # However large the box is, squares are reckoned inside the territory alone: of the world they are 16 billion.
        box="x.square = ANY((SELECT gk_squares(ST_ClipByBox2D(ST_Envelope(t.boundary), {shape}))"
        " FROM territory AS t WHERE t.id = {territory})::bigint[]) AND x.geom && {shape}",
    )  # fmt: skip


def _unit_grids() -> Source:
    return _source(
        Offer(
            "unit-grids", "Unit grids", "单元网格", "The smallest management areas that are in force.",
            "现行的最小管理单元。", "Polygon", (), licence="Derived from ODbL streets where cells run along them",
        ),
        "unit_grid AS x JOIN area AS c ON c.id = x.community_id"
        " LEFT JOIN responsibility_grid AS r ON r.id = x.responsibility_grid_id",
        (
            ("code", "text", "Code", "编码", "x.code"),
            ("scheme", "text", "Scheme of the code", "编码方案", "x.scheme"),
            ("kind", "text", "How it was cut", "划分方式", "x.kind"),
            ("community", "text", "Community", "社区", "c.name"),
            ("responsibility_grid", "text", "Responsibility grid", "责任网格", "r.code"),
            ("area_m2", "number", "Surface", "面积", "round(x.area_m2::numeric, 1)::float8", "m²"),
            ("people", "number", "Estimated residents", "估计居民", "round(x.people::numeric, 1)::float8", "people"),
            ("land_use", "text", "Land use", "用地类别", "x.land_use"),
            ("started_on", "day", "In force since", "启用日期", "x.started_on"),
        ),
        ident="x.id", geom="x.geom", where="x.territory_id = {territory} AND x.ended_on IS NULL",
        beside=("responsibility-grids",),
        box="x.geom && {shape} AND ST_Intersects(x.geom, {shape})",
    )  # fmt: skip


def _responsibility_grids() -> Source:
    return _source(
        Offer(
            "responsibility-grids", "Responsibility grids", "责任网格",
            "Contiguous sets of unit grids that one grid worker looks after; who that is, is not told.",
            "由一名网格员负责的连片单元网格；不提供人员。", "Polygon", (), licence=OWN,
        ),
        "responsibility_grid AS x LEFT JOIN unit AS u ON u.id = x.unit_id",
        (
            ("code", "text", "Code", "编码", "x.code"),
            ("name", "text", "Name", "名称", "x.name"),
            ("name_zh", "text", "Name, Chinese", "名称（中文）", "x.name_zh"),
            ("unit", "text", "Unit", "单位", "u.name"),
            ("min_workers", "integer", "Workers needed at a time", "同时所需人数", "x.min_workers"),
        ),
        ident="x.id", geom="x.boundary", where="x.territory_id = {territory}",
        box="x.boundary && {shape} AND ST_Intersects(x.boundary, {shape})",
    )  # fmt: skip


def _streets() -> Source:
    return _source(
        Offer(
            "streets", "Streets", "道路", "Stretches of street between two junctions.", "两个路口之间的道路路段。",
            "LineString", (), sensitivity="public", licence=ODBL,
        ),
        "road AS x",
        (
            ("road_class", "text", "Class of OpenStreetMap", "道路等级（OSM）", "x.road_class"),
            ("name", "text", "Name", "名称", "x.name"),
            ("name_zh", "text", "Name, Chinese", "名称（中文）", "x.name_zh"),
            ("ref", "text", "Road number", "道路编号", "x.ref"),
            ("limit_kmh", "number", "Signed limit", "限速标志", "x.limit_kmh", "km/h"),
            ("speed_kmh", "number", "Limit, or the default of the class", "限速或默认值", "x.speed_kmh", "km/h"),
            ("oneway", "integer", "1 along the line, -1 against it", "1 顺向、-1 逆向单行", "x.oneway"),
            ("drivable", "boolean", "Open to cars", "可行车", "x.drivable"),
            ("walkable", "boolean", "Open on foot", "可步行", "x.walkable"),
            ("bridge", "boolean", "Bridge", "桥梁", "x.bridge"),
            ("tunnel", "boolean", "Tunnel", "隧道", "x.tunnel"),
            ("length_m", "number", "Length", "长度", "round(x.length_m::numeric, 1)::float8", "m"),
        ),
        ident="x.id", geom="x.geom", where="x.territory_id = {territory}",
        box="x.geom && {shape} AND ST_Intersects(x.geom, {shape})",
    )  # fmt: skip


def _planning_layers() -> Source:
    return _source(
        Offer(
            "planning-layers", "Planning layers", "规划图层",
            "Places of the layers that planners keep: people, candidate sites, protected zones.",
            "规划师保存的图层：人口、候选点、保护区。", "Geometry", (), capability=May.SEE_STUDIES, licence=OWN,
        ),
        "layer_place AS x JOIN named_layer AS n ON n.id = x.layer_id",
        (
            ("layer", "text", "Name of the layer", "图层名称", "n.name"),
            ("layer_kind", "text", "What the layer holds", "图层类型", "n.kind"),
            ("revision", "integer", "Revision", "版次", "n.revision"),
            ("year", "integer", "Year of the people counted", "人口年份", "n.year"),
            ("place", "text", "Name of the place", "地点名称", "x.name"),
            ("weight", "number", "People, or the score of a candidate", "人数或候选点得分", "x.weight"),
        ),
        ident="x.id", geom="x.geom", where="x.territory_id = {territory} AND n.retired_at IS NULL",
        box="x.geom && {shape} AND ST_Intersects(x.geom, {shape})",
    )  # fmt: skip


def builtin() -> dict[str, Source]:
    """Return the platform's own tables by key, in the order of the catalogue."""
    made = (
        _incidents(),
        _facilities(),
        _components(),
        _unit_grids(),
        _responsibility_grids(),
        _streets(),
        _planning_layers(),
    )
    return {source.offer.key: source for source in made}
