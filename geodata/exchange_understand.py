"""How a file would be read: a stored mapping where it fits, else guesses, each overruled by what a person says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from geodata import exchange_store as store
from geodata.exchange import SAMPLE_ROWS, Chunk, FieldSpec, Guess, Layout, Role, Spec, Type
from geodata.exchange_guess import guess_fields, guess_key, styled
from geodata.exchange_link import guess_link
from geodata.exchange_open import Source, opened
from geodata.exchange_place import Ground, guess_places
from geodata.exchange_run import Place
from geodata.linking_gate import known_of
from geodata.tables import DataMapping, DataSet
from geodata.territory import TerritoryInfo

SHOWN_ROWS: Final = 8
NAME_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Overrides:
    """What a person says of a file against what would be guessed; empty or None: as guessed."""

    crs: str = ""
    datum: str = ""
    swapped: bool | None = None
    encoding: str = ""
    delimiter: str = ""
    layer: str = ""
    zone: str = ""
    key: tuple[str, ...] | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    types: Mapping[str, Type] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Mapping[str, Any], ...] | None = None
    inside: bool | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a file before it is read.

    Attributes
    ----------
    held
        The data set it goes into, where there is one already.
    mapping, by_name
        The stored mapping to try, and whether a person asked for it, so that it has to fit.
    place
        What tells the unit grid of places; it may know the meaning of codes too.
    """

    name: str
    held: DataSet | None = None
    mapping: str = ""
    by_name: bool = False
    over: Overrides = field(default_factory=Overrides)
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """How a file would be read: the mapping, every guess with its reason, and the first rows."""

    spec: Spec
    guesses: tuple[Guess, ...]
    form: str
    encoding: str
    headings: tuple[str, ...]
    layers: tuple[str, ...]
    sample: tuple[Mapping[str, str], ...]


def ground_of(session: Session, territory: TerritoryInfo) -> Ground:
    """Return what understanding a file needs of a territory."""
    boundary = session.execute(
        text("SELECT ST_AsBinary(boundary) FROM territory WHERE id = :id"), {"id": territory.id}
    ).scalar_one()
    shape = shapely.from_wkb(bytes(boundary))
    roads = store.street_lines(session, territory.id)
    return Ground(
        territory.title("en"), None if shape.is_empty else shape, territory.metric_srid, territory.timezone, roads
    )


def understand(
    session: Session, actor: Actor, territory: TerritoryInfo, path: Path, *, name: str = "", key: str = "",
    mapping: str = "", over: Overrides | None = None, place: Place | None = None,
) -> Understood:  # fmt: skip
    """Return how a file would be read, with every reason, without taking anything in.

    Raises
    ------
    InvalidInput
        When it cannot be read, or its coordinate system cannot be told.
    """
    require(actor, May.BRING_DATA)
    over = over or Overrides()
    known = store.find_data_set(session, territory.id, key) if key else None
    with opened(path, encoding=over.encoding, delimiter=over.delimiter, layer=over.layer) as source:
        told = Told(name or path.name, known, mapping or key, bool(mapping), over, place)
        return understood(session, territory, source, told)


def set_for(session: Session, territory_id: int, headings: Sequence[str]) -> str:
    """Return the data set that files of just these columns went into before; empty where none did."""
    sets = {each.key for each in store.data_sets(session, territory_id)}
    wanted = set(headings)
    fits = [
        each.name for each in store.mappings(session, territory_id)
        if each.name in sets and {field["heading"] for field in each.spec.get("fields", ())} == wanted
    ]  # fmt: skip
    return fits[0] if len(fits) == 1 else ""


def understood(session: Session, territory: TerritoryInfo, source: Source, told: Told) -> Understood:
    """Return how a file that is open would be read."""
    layout, name = source.layout, told.name
    first = next(iter(source.chunks()), None)
    if first is None or not len(first):
        raise InvalidInput(f"{name} has no rows.", hint="It has headings only.", zh=f"{name} 没有数据行。")
    head = _cut(first)
    stored = store.newest_mapping(session, territory.id, told.mapping) if told.mapping else None
    if told.by_name and stored is None:
        names = ", ".join(each.name for each in store.mappings(session, territory.id)) or "none"
        raise NotFound(
            f"There is no mapping {told.mapping!r}; there is {names}.", zh=f"没有名为 {told.mapping} 的读取方案。"
        )
    spec = _from_mapping(stored, layout.headings, asked=told.by_name)
    if spec is not None and stored is not None:
        spec, found = _by_mapping(spec, stored, layout.crs, told.over, head)
    else:
        spec, found = _by_guess(session, territory, layout, told, head)
    guesses = [Guess(what, value, why, given=why == "as said") for what, value, why in layout.remarks]
    spec = _ruled(_said(spec, told.over), told.held, told.over, head)
    _check_names(spec, name)
    _check_key(spec, name)
    hidden = {each.heading for each in spec.fields if each.role is Role.PERSONAL}
    sample = tuple(
        {
            heading: "…" if heading in hidden else str(cells[row].as_py() or "")
            for heading, cells in head.columns.items()
        }
        for row in range(min(SHOWN_ROWS, len(head)))
    )
    return Understood(
        spec, (*guesses, *found), layout.form, layout.encoding, layout.headings, layout.layers, sample
    )  # fmt: skip


def _by_mapping(
    spec: Spec, stored: DataMapping, crs: str, over: Overrides, head: Chunk
) -> tuple[Spec, list[Guess]]:  # fmt: skip
    """Return a stored mapping as it reads this file, of whose coordinate system it says ``crs``."""
    why = f"the file has the columns of mapping {stored.name}, version {stored.version}"
    guesses = [Guess("mapping", f"{stored.name} {stored.version}", why, "与已存读取方案的列一致", given=True)]
    crs = over.crs or crs or spec.crs
    if spec.places:
        guesses.append(Guess("coordinates", crs[:80], "the mapping says so", "按读取方案", given=True))
    fields = [_overruled(each, over, head, spec.zone) for each in spec.fields]
    renamed = {old.name: new.name for old, new in zip(spec.fields, fields, strict=True)}
    key = tuple(renamed.get(each, each) for each in spec.key)
    return replace(spec, crs=crs, fields=tuple(fields), key=key), guesses


def _by_guess(
    session: Session, territory: TerritoryInfo, layout: Layout, told: Told, head: Chunk
) -> tuple[Spec, list[Guess]]:
    """Return a mapping guessed from the file itself, each guess overruled by what a person says."""
    over, held = told.over, told.held
    zone = over.zone or territory.timezone
    fields, guesses = guess_fields(
        head.columns, has_shapes=layout.has_shapes, zone=zone, known=held.fields if held is not None else ()
    )
    fields = [_overruled(each, over, head, zone) for each in fields]
    if any(each.type is Type.DATETIME for each in fields):
        guesses.append(
            Guess("time zone", zone, "times without a zone are local", "无时区的时间按当地时间", given=bool(over.zone))
        )
    spec = Spec(tuple(fields), zone=zone)
    spec, placed = guess_places(spec, head, over.crs or layout.crs, ground_of(session, territory), told.name)
    guesses += [
        replace(each, given=True, reason="as said") if over.crs and each.what == "coordinates" else each
        for each in placed
    ]
    spec, linked = guess_link(spec, head, known_of(session, territory, told.place), over.roles)
    guesses += linked
    if held is not None:
        return replace(spec, key=tuple(held.natural_key)), guesses
    if over.key is None:
        key, guess = guess_key(spec.fields, head.columns)
        return replace(spec, key=key), [*guesses, *([guess] if guess else [])]
    return spec, guesses


def _cut(chunk: Chunk) -> Chunk:
    columns: dict[str, pa.Array] = {heading: cells.slice(0, SAMPLE_ROWS) for heading, cells in chunk.columns.items()}
    shapes = None if chunk.shapes is None else chunk.shapes[:SAMPLE_ROWS]
    return Chunk(chunk.first, columns, shapes)


def _from_mapping(stored: DataMapping | None, headings: tuple[str, ...], *, asked: bool) -> Spec | None:
    if stored is None:
        return None
    spec = Spec.of(stored.spec)
    missing = [each.heading for each in spec.fields if each.heading not in headings and each.role is not Role.MADE]
    extra = [each for each in headings if each not in {field.heading for field in spec.fields}]
    if asked and missing:
        raise InvalidInput(
            f"The mapping {stored.name} reads columns that the file does not have: {', '.join(missing[:8])}.",
            hint="Load it without the mapping, and it is understood anew.",
            zh=f"读取方案 {stored.name} 需要的列在文件中不存在：{'、'.join(missing[:8])}。",
        )
    return None if missing or (extra and not asked) else spec


def _overruled(field_: FieldSpec, over: Overrides, head: Chunk, zone: str) -> FieldSpec:
    """Return a column as a person says: its type, its name, and what it is for."""
    role = over.roles.get(field_.heading, field_.role)
    name = " ".join(over.names.get(field_.heading, field_.name).split())
    kind = over.types.get(field_.heading, field_.type)
    made = styled(field_, head.columns[field_.heading], kind, zone) if field_.heading in head.columns else field_
    return replace(made, name=name, role=role)


def _ruled(spec: Spec, held: DataSet | None, over: Overrides, head: Chunk) -> Spec:
    """Return the mapping with the rules of the data set, which hold whatever an older mapping says."""
    rules = tuple(held.rules) if held is not None and over.rules is None else spec.rules
    types = {str(each["field"]): Type(each["type"]) for each in rules if each.get("rule") == "type"}
    fields = tuple(
        styled(each, head.columns[each.heading], types[each.name], spec.zone)
        if each.role is Role.FIELD and each.name in types and each.heading in head.columns
        else each
        for each in spec.fields
    )
    inside = over.inside
    if inside is None:
        before, after = (any(each.get("rule") == "anywhere" for each in some) for some in (spec.rules, rules))
        inside = (spec.inside or before) and not after
    return replace(spec, rules=rules, fields=fields, inside=inside)


def _check_names(spec: Spec, name: str) -> None:
    """Refuse columns without a name, or two of one name."""
    names = [each.name for each in spec.kept]
    wrong = next((each for each in names if not each or len(each) > NAME_AT_MOST or names.count(each) > 1), None)
    if wrong is not None:
        said = "would have the same name" if names.count(wrong) > 1 else f"needs a name of 1 to {NAME_AT_MOST} signs"
        raise InvalidInput(
            f"{name}: a column {said} ({wrong[:40]!r}).",
            hint="Give each column a name of its own.",
            zh=f"{name}：列名“{wrong[:40]}”为空、过长或重复，请为每列指定不同的名称。",
        )


def _said(spec: Spec, over: Overrides) -> Spec:
    given: dict[str, Any] = {}
    if over.datum:
        given["datum"] = over.datum
    if over.swapped is not None:
        given["swapped"] = over.swapped
    if over.key is not None:
        given["key"] = over.key
    if over.rules is not None:
        given["rules"] = over.rules
    if over.inside is not None:
        given["inside"] = over.inside
    return replace(spec, **given, encoding=over.encoding or spec.encoding, delimiter=over.delimiter or spec.delimiter,
                   layer=over.layer or spec.layer)  # fmt: skip


def _check_key(spec: Spec, name: str) -> None:
    names = {each.name for each in spec.kept}
    missing = [each for each in spec.key if each not in names]
    if missing:
        raise InvalidInput(
            f"{name} has no column {', '.join(missing)}, by which its rows are named.",
            hint=f"Its columns are {', '.join(sorted(names)[:12])}.",
            zh=f"{name} 缺少主键列 {'、'.join(missing)}。",
        )
