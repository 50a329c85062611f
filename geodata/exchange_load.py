"""Use cases of bringing a department's file in: understand it, load it, undo it."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from core.identity import Role as ActorRole
from core.progress import Progress, Silent
from geodata import catalogue
from geodata import exchange_store as store
from geodata.bulk import file_sha256
from geodata.catalogue_model import SET_PREFIX
from geodata.db import system_rights
from geodata.exchange import Guess, Role, Spec
from geodata.exchange_into import Coming, into_of
from geodata.exchange_open import Source, opened
from geodata.exchange_run import Place, Run
from geodata.exchange_understand import Overrides, Told, Understood, ground_of, understood
from geodata.tables import DataBatch, DataMapping, DataSet
from geodata.territory import TerritoryInfo

_KINDS: Final = {
    "0": "Point",
    "1": "LineString",
    "2": "LineString",
    "3": "Polygon",
    "4": "Point",
    "5": "LineString",
    "6": "Polygon",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of a file; ``batch_id`` is None after a dry run."""

    data_set: str
    data_set_id: int | None
    batch_id: int | None
    read: int
    loaded: int
    changed: int
    duplicates: int
    rejected: int
    placed: int
    form: str
    crs: str
    encoding: str
    guesses: tuple[Guess, ...]
    scores: Mapping[str, Any]
    seconds: float
    first_wrong: Mapping[str, Any] | None = None
    title: str = ""
    known: bool = False
    """The very same file was loaded before, and nothing since."""
    not_placed: tuple[Mapping[str, Any], ...] = ()
    """Rows of the file that lie on no grid, the first of them, and why; also those in quarantine."""


@dataclass(frozen=True, slots=True)
class BatchView:
    """A file that came in: what came of it, and whether it may be taken out again."""

    id: int
    data_set: str
    file_name: str
    loaded: int
    changed: int
    rejected: int
    scores: Mapping[str, Any]
    status: str
    started_at: dt.datetime
    can_undo: bool
    key: str = ""


def data_sets(session: Session, territory_id: int) -> list[DataSet]:
    """Return the data sets of a territory by key."""
    return store.data_sets(session, territory_id)


def recent_batches(session: Session, actor: Actor, territory_id: int, limit: int) -> list[BatchView]:
    """Return the files that came into a territory last, the newest first, as far as the actor may read them."""
    require(actor, May.BRING_DATA)
    found = store.recent_batches(session, territory_id, limit)
    newest: dict[int, int] = {}
    for batch, _ in found:
        if batch.status == "loaded":
            newest.setdefault(batch.data_set_id, batch.id)
    return [
        BatchView(
            batch.id, data_set.title or data_set.key, batch.file_name, batch.loaded, batch.changed, batch.rejected,
            batch.scores, batch.status, batch.started_at,
            newest.get(batch.data_set_id) == batch.id
            and (actor.role is not ActorRole.HANDLER or data_set.owner_unit_id in actor.unit_ids),
            data_set.key,
        )
        for batch, data_set in found
    ]  # fmt: skip


def slug(title: str) -> str:
    """Return a title as the key of a data set: letters, digits and dashes; others leave a mark."""
    flat = unicodedata.normalize("NFKC", title).strip().lower()
    spelled = re.sub(r"[^a-z0-9]+", "-", flat).strip("-")
    lost = any(each.isalnum() and not each.isascii() for each in flat)
    if not spelled and flat:
        spelled, lost = "set-" + "".join(f"{ord(each):x}" for each in flat[:8]), len(flat) > 8
    if lost:  # 2024路灯 and 2024井盖 are two
        mark = hashlib.blake2b(flat.encode("utf-8", "replace"), digest_size=4).hexdigest()
        return f"{spelled[:51].strip('-')}-{mark}"
    return spelled[:60].strip("-")


@dataclass(frozen=True, slots=True)
class Intake:
    """What a file is brought in as, and how.

    Attributes
    ----------
    key, place
        The name of the data set, and what tells the unit grid of longitudes and latitudes.
    name, title
        What the file and a new data set are called; empty: the file's own name.
    mapping, over
        The stored mapping to read it by, and what a person says against what would be guessed.
    owner_unit_id, sensitivity
        Of a new data set.
    dry_run, whole
        Keep nothing; refuse the file when any of its rows breaks a rule.
    """

    key: str
    place: Place
    name: str = ""
    title: str = ""
    mapping: str = ""
    over: Overrides = field(default_factory=Overrides)
    owner_unit_id: int | None = None
    sensitivity: str = "internal"
    dry_run: bool = False
    whole: bool = False


def load_file(
    session: Session, actor: Actor, territory: TerritoryInfo, path: Path, intake: Intake, *,
    progress: Progress | None = None,
) -> Loaded:  # fmt: skip
    """Bring a file into a data set, in the caller's transaction: whole or not at all.

    Good rows are taken in, the others wait in quarantine. The same file again adds nothing; a row of a known key with
    other content becomes its next version. Indexes of a new data set come after its rows.

    Raises
    ------
    InvalidInput
        When the file cannot be read or understood; DataQuality when no row (with ``whole``: not every row) is good.
    """
    require(actor, May.BRING_DATA)
    began, over, key = time.perf_counter(), intake.over, slug(intake.key)
    if not key:
        raise InvalidInput("A data set needs a name.", hint="Say one, e.g. street-lamps.", zh="数据集需要名称。")
    (progress or Silent()).step("Reading the file")
    digest = file_sha256(path) if path.is_file() else ""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 58))"), {"key": f"{territory.id}:{key}"})
    held = store.find_data_set(session, territory.id, key, lock=True)
    unit = owned(actor, held, intake.owner_unit_id)
    job = _Job(actor, territory, replace(intake, key=key, name=intake.name or path.name), digest, progress or Silent())
    with opened(path, encoding=over.encoding, delimiter=over.delimiter, layer=over.layer) as source:
        told = Told(job.intake.name, held, job.mapping, bool(intake.mapping), over, intake.place)
        found = understood(session, territory, source, told)
        if held is not None and tuple(held.natural_key) != found.spec.key:
            names = ", ".join(held.natural_key) or "their whole content"
            raise InvalidInput(
                f"Rows of {key} are named by {names}.",
                hint="Bring the file in under another name to name them otherwise.",
                zh=f"{key} 的主键为 {'、'.join(held.natural_key) or '整行内容'}，如需更改请另取数据集名称。",
            )  # fmt: skip
        if held is not None and digest:
            before = _same_file(session, job, held, found.spec)
            if before is not None:
                return _again(before, held, found, time.perf_counter() - began)
        nested = session.begin_nested()
        with system_rights(session, actor):
            data_set = held or _new_set(session, job, unit, found.spec)
            made = _load(session, job, data_set, found, source)
        if intake.dry_run:
            nested.rollback()
        else:
            nested.commit()
    for other in sorted({str(each["data_set"]) for each in found.spec.rules if each.get("rule") == "refers"}):
        catalogue.note_use(session, actor, SET_PREFIX + other, "page", joined=[SET_PREFIX + key])
    kept = None if intake.dry_run else made.batch_id
    return replace(made, seconds=round(time.perf_counter() - began, 3), batch_id=kept)


def undo_batch(session: Session, actor: Actor, batch_id: int, *, reason: str = "") -> DataBatch:
    """Take a batch out again: its rows go, those it replaced hold again, what waits of it in quarantine is dropped.

    Raises
    ------
    Conflict
        When a later batch was loaded into the same data set: that one has to go first.
    """
    require(actor, May.BRING_DATA)
    batch = store.find_batch(session, batch_id)
    if batch is None:
        raise NotFound(f"There is no batch {batch_id}.", zh=f"没有批次 {batch_id}。")
    data_set = session.get(DataSet, batch.data_set_id, with_for_update=True)
    if data_set is None:
        raise NotFound(f"There is no batch {batch_id}.")
    owned(actor, data_set)
    newest = store.newest_loaded(session, data_set.id)
    if batch.status != "loaded" or newest is None:
        raise Conflict(f"Batch {batch_id} was undone already.", zh=f"批次 {batch_id} 已撤销。")
    if newest.id != batch.id:
        raise Conflict(
            f"Batch {newest.id} ({newest.file_name}) was loaded later.", hint="Undo that one first.",
            zh=f"之后还载入了批次 {newest.id}（{newest.file_name}），请先撤销它。",
        )  # fmt: skip
    with system_rights(session, actor):
        store.undo(session, data_set.id, batch.id)
        batch.status, batch.message, batch.version, batch.ended_at = "undone", reason, batch.version + 1, now()
        session.flush()
    return batch


def owned(actor: Actor, held: DataSet | None, asked: int | None = None) -> int | None:
    """Return the unit a data set belongs to; a department loads its own only."""
    unit = held.owner_unit_id if held is not None else asked
    if actor.role is not ActorRole.HANDLER:
        return unit
    if held is None and unit is None and actor.unit_ids:
        unit = actor.unit_ids[0]
    if unit not in actor.unit_ids:
        raise NotPermitted(
            "This data set is not your unit's.", hint="Give it another name, or ask its owner.",
            zh="该数据集不属于本单位，请另取名称或联系其所属单位。",
        )  # fmt: skip
    return unit


def _same_file(session: Session, job: _Job, held: DataSet, spec: Spec) -> DataBatch | None:
    newest = store.newest_loaded(session, held.id)
    if newest is None or newest.sha256 != job.digest or newest.mapping_id is None:
        return None
    stored = store.mapping_of(session, newest.mapping_id)
    current = store.newest_mapping(session, job.territory.id, job.mapping)
    same = stored is not None and current is not None and stored.id == current.id and Spec.of(stored.spec) == spec
    return newest if same else None


def _again(before: DataBatch, held: DataSet, found: Understood, seconds: float) -> Loaded:
    taken = before.loaded + before.changed + before.duplicates
    return Loaded(
        held.key, held.id, before.id, before.read, 0, 0, taken, 0, 0, found.form, found.spec.crs, found.encoding,
        found.guesses, before.scores, round(seconds, 3), None, held.title or held.key, known=True,
    )  # fmt: skip


def _new_set(session: Session, job: _Job, unit: int | None, spec: Spec) -> DataSet:
    intake = job.intake
    made = DataSet(
        territory_id=job.territory.id, key=intake.key, title=(intake.title or intake.name)[:200],
        kind="places" if spec.places else "table",
        geometry_type="Geometry" if spec.places else None, fields=fields_of(spec, ()),
        rules=[dict(each) for each in spec.rules], natural_key=list(spec.key), owner_unit_id=unit,
        sensitivity=intake.sensitivity, created_by=job.actor.user_id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def fields_of(spec: Spec, held: tuple[Mapping[str, Any], ...], *, linked: bool = False) -> list[dict[str, Any]]:
    """Return the columns of a data set with those of a mapping; ``linked``: rows were placed by what they say."""
    made = [dict(each) for each in held]
    names = {each["name"] for each in made}
    made += [
        {"name": each.name, "type": each.type.value, "title_en": each.heading, "title_zh": each.heading, "unit": "",
         "role": "key" if each.name in spec.key else "field"}
        for each in spec.kept if each.name not in names and (linked or each.role is not Role.MADE)
    ]  # fmt: skip
    return made


@dataclass(frozen=True, slots=True)
class _Job:
    """What every part of a load needs: who brings what, where, and how."""

    actor: Actor
    territory: TerritoryInfo
    intake: Intake
    digest: str
    progress: Progress

    @property
    def mapping(self) -> str:
        """The name of the mapping by which the file is read, and under which it is kept."""
        return self.intake.mapping or self.intake.key


def _load(session: Session, job: _Job, data_set: DataSet, found: Understood, source: Source) -> Loaded:
    actor, territory, name = job.actor, job.territory, job.intake.name
    moment, batch_id = now(), store.next_batch_id(session)
    coming = Coming(territory, data_set, found.spec, batch_id, moment, job.intake.place)
    into = into_of(session, coming, actor)
    run = Run(session, found.spec, ground_of(session, territory), name, into)
    try:
        job.progress.step("Loading rows", source.layout.rows)
        run.write(source.chunks(), job.progress)
        counts = run.counts
        guesses = (*found.guesses, *(into.linker.guesses() if into.linker else ()))
        refuse_bad(run, name, whole=job.intake.whole)
        stored = keep_mapping(session, territory.id, job.mapping, found.spec, actor)
        fields = fields_of(found.spec, tuple(data_set.fields), linked=bool(into.linker and into.linker.placed))
        kinds = {_KINDS.get(each, "Geometry") for each in counts.kinds}
        kind = (next(iter(kinds)) if len(kinds) == 1 else "Geometry") if found.spec.places else None
        if fields != data_set.fields or (kind and data_set.geometry_type != kind):
            data_set.fields, data_set.geometry_type, data_set.version = fields, kind, data_set.version + 1
        scores = counts.scores(moment.date(), places=bool(found.spec.places))
        batch_values = {
            name_: getattr(counts, name_) for name_ in ("read", "loaded", "changed", "duplicates", "rejected", "placed")
        }
        store.add_batch(session, batch_values | {
            "id": batch_id, "territory_id": territory.id, "data_set_id": data_set.id, "file_name": name,
            "sha256": job.digest, "mapping_id": stored.id, "rows_sha256": counts.hashes.digest(), "format": found.form,
            "crs": found.spec.crs[:200],
            "encoding": found.encoding, "guesses": [each.as_dict() for each in guesses], "scores": scores,
            "status": "loaded", "loaded_by": actor.user_id, "loaded_label": actor.label, "started_at": moment,
            "ended_at": now(),
        })  # fmt: skip
        run.quarantine(territory.id)
        left = (
            store.not_placed(session, data_set.id, batch_id)
            if counts.rejected + counts.loaded + counts.changed > counts.placed
            else ()
        )
    finally:
        run.close()
    return Loaded(
        data_set.key, data_set.id, batch_id, counts.read, counts.loaded, counts.changed, counts.duplicates,
        counts.rejected, counts.placed, found.form, found.spec.crs, found.encoding, guesses, scores, 0.0,
        run.first_wrong, data_set.title or data_set.key, not_placed=tuple(left),
    )  # fmt: skip


def refuse_bad(run: Run, name: str, *, whole: bool) -> None:
    """Raise when no row is good, or not every one where that was asked."""
    counts, first = run.counts, run.first_wrong
    if counts.read and (counts.rejected == counts.read or (whole and counts.rejected)):
        told = [f"row {first['row']}: {first['sentence']} ({first['value']})"] if first else []
        zh = f"{name}：{counts.read:,} 行中有 {counts.rejected:,} 行不符合规则，未写入任何数据。"
        error = DataQuality(
            f"{name}: {counts.rejected:,} of {counts.read:,} rows break a rule; nothing was taken in.",
            told, hint="Mend the file, or say how it is to be read (coordinate system, columns).",
        )  # fmt: skip
        error.zh = f"{zh}第 {first['row']} 行：{first['sentence_zh']}" if first else zh
        raise error


def keep_mapping(session: Session, territory_id: int, name: str, spec: Spec, actor: Actor) -> DataMapping:
    """Return the mapping of that name with this content; a changed one becomes its next version."""
    newest = store.newest_mapping(session, territory_id, name)
    if newest is not None and Spec.of(newest.spec) == spec:
        return newest
    made = DataMapping(
        territory_id=territory_id, name=name, version=newest.version + 1 if newest else 1, spec=spec.as_dict(),
        made_by=actor.user_id, made_label=actor.label,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made
