"""The catalogue: what data there are, whose, how fresh, who uses them; and asking for what is restricted."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from geodata import catalogue_sets
from geodata import catalogue_store as store
from geodata.catalogue_builtin import Source, builtin
from geodata.catalogue_model import RHYTHMS, SENSITIVITIES, SET_PREFIX, Entry, Offer, Use
from geodata.db import system_rights
from geodata.tables import CatalogueEntry, DataSet

NOTED_EVERY_S = 60.0
"""A system that reads page after page is noted once in so long."""
LONGEST_TEXT = 2000
LOADED_BY = {
    "facilities": "osm",
    "streets": "osm",
    "incidents": "incidents",
    "components": "components",
    "unit-grids": "grid",
    "responsibility-grids": "grid",
}
"""The kind of load that brings a built-in table."""
_AGAIN_AND_AGAIN = frozenset({"api", "tiles", "map"})
"""Ways by which a program or an open map asks on and on."""
_noted: dict[tuple[object, ...], float] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Said:
    """What a steward may say of an entry."""

    title_en: str = ""
    title_zh: str = ""
    about_en: str = ""
    about_zh: str = ""
    licence: str = ""
    rhythm: str = "irregular"
    steward_id: int | None = None
    sensitivity: str = ""
    owner_unit_id: int | None = None


def sources(session: Session, actor: Actor) -> dict[str, Source]:
    """Return what the actor may read, by key: the platform's own tables, then uploaded data sets."""
    found = {key: source for key, source in builtin().items() if actor.may(source.offer.capability)}
    home = actor.territory_id or 0
    open_ids = store.readable(session)
    for data_set, said in store.data_sets(session, home):
        if data_set.id in open_ids:
            offer = catalogue_sets.offer_of(data_set, said)
            found[offer.key] = catalogue_sets.source_of(offer, with_key=catalogue_sets.key_may_leave(data_set))
    return found


def source_of(session: Session, actor: Actor, key: str) -> Source:
    """Return one of them.

    Raises
    ------
    NotFound
        When there is none of this key, or not for this role.
    """
    found = builtin().get(key) if not key.startswith(SET_PREFIX) else sources(session, actor).get(key)
    if found is None or not actor.may(found.offer.capability):
        raise NotFound(
            f"There is no data set {key[:60]!r}, or not for your role.", hint="See the catalogue.",
            zh=f"没有数据集 {key[:60]}，或您的角色无权查看，请查看数据目录。",
        )  # fmt: skip
    return found


def entries(session: Session, actor: Actor) -> list[Entry]:
    """Return the catalogue: built-in tables of the role, then every data set, also those to be asked for."""
    require(actor, May.SEE_CATALOGUE)
    home = actor.territory_id or 0
    said, uses, names = store.all_said(session, home), store.last_uses(session, home), store.units(session, home)
    loads, open_ids = store.newest_loads(session, home), store.readable(session)
    sets = store.data_sets(session, home)
    batches = store.newest_batches(session, [each.id for each, _ in sets])
    with system_rights(session, actor):  # functions of stewards are no secret; accounts are the administrator's
        people = store.stewards(session, [each.steward_id for each in said.values() if each.steward_id])
    found = []
    for key, source in builtin().items():
        if actor.may(source.offer.capability):
            lineage = loads.get(LOADED_BY.get(key, ""), [])
            found.append(_entry(source.offer, said.get(key), lineage, uses.get(key), people))
    for data_set, words in sets:
        offer = catalogue_sets.offer_of(data_set, words)
        one = _entry(offer, words, batches.get(data_set.id, []), uses.get(offer.key), people)
        name = names.get(data_set.owner_unit_id or 0, ("", None))
        found.append(_owned(one, data_set, name, readable=data_set.id in open_ids))
    return [replace(each, uses_known=oversees_uses(actor)) for each in found]


def oversees_uses(actor: Actor) -> bool:
    """Return whether the actor may see who read what, as the policy of `data_use` has it."""
    return actor.may(May.KEEP_CATALOGUE) or actor.may(May.REVIEW_USERS)


def _entry(
    offer: Offer,
    said: CatalogueEntry | None,
    lineage: Sequence[Mapping[str, Any]],
    use: Use | None,
    people: Mapping[int, tuple[str, str]],
) -> Entry:
    steward = people.get(said.steward_id or 0, ("", "")) if said else ("", "")
    return Entry(
        Offer(
            offer.key,
            (said and said.title_en) or offer.title_en,
            (said and said.title_zh) or offer.title_zh,
            (said and said.about_en) or offer.about_en,
            (said and said.about_zh) or offer.about_zh,
            offer.geometry,
            offer.fields,
            offer.moment,
            offer.capability,
            offer.sensitivity,
            offer.licence,
            offer.rhythm,
            offer.data_set_id,
        ),
        steward=steward[0],
        steward_zh=steward[1],
        steward_id=said.steward_id if said else None,
        licence=(said and said.licence) or offer.licence,
        updated_at=max((each["at"] for each in lineage if each["at"] is not None), default=None),
        rhythm=said.rhythm if said else offer.rhythm,
        lineage=tuple(lineage),
        quality=dict(lineage[0].get("scores", {})) if lineage else {},
        last_use=use,
        version=said.version if said else 0,
    )


def _owned(one: Entry, data_set: DataSet, name: tuple[str, str | None], *, readable: bool) -> Entry:
    return replace(one, owner=name[0], owner_zh=name[1], owner_unit_id=data_set.owner_unit_id, readable=readable)


def entry(session: Session, actor: Actor, key: str) -> Entry:
    """Return one entry with its rows counted and its extent, where the actor may read it.

    Raises
    ------
    NotFound
        When there is none of this key for this role.
    """
    found = next((each for each in entries(session, actor) if each.key == key), None)
    if found is None:
        raise NotFound(f"The catalogue has no {key[:60]!r}, or not for your role.", hint="See the whole catalogue.")
    return _measured(session, actor, found, source_of(session, actor, key)) if found.readable else found


def entries_measured(session: Session, actor: Actor) -> list[Entry]:
    """Return the catalogue with rows counted and extents, each read once."""
    known = sources(session, actor)
    return [
        _measured(session, actor, each, known[each.key]) if each.readable and each.key in known else each
        for each in entries(session, actor)
    ]


def _measured(session: Session, actor: Actor, found: Entry, source: Source) -> Entry:
    span = store.span_of(session, source, actor.territory_id or 0)
    newest = found.updated_at or (span.period[1] if found.rhythm == "continuous" else None)
    return replace(found, rows=span.rows, bounds=span.bounds, period=span.period, updated_at=newest)


def uses(session: Session, actor: Actor, key: str) -> list[Use]:
    """Return who read an entry, newest first; nothing for those who do not oversee it."""
    require(actor, May.SEE_CATALOGUE)
    return store.uses(session, actor.territory_id or 0, key)


def report(session: Session, actor: Actor, *, at: dt.datetime | None = None) -> dict[str, list[Entry]]:
    """Return what is stale (no newer state by its rhythm) and what is unused (read by nobody for 90 days)."""
    now = at or clock_now()
    known = entries(session, actor)
    return {
        "stale": [each for each in known if each.stale(now)],
        "unused": [each for each in known if each.unused(now)],
    }


def note_use(session: Session, actor: Actor, key: str, way: str, *, rows: int = 0, joined: Sequence[str] = ()) -> None:
    """Remember that the actor read something; page after page of one reader counts once a minute."""
    mark = _mark(actor, key, way, joined)
    moment = time.monotonic()
    if way in _AGAIN_AND_AGAIN:
        with _lock:
            if _noted.get(mark, 0.0) > moment:
                return
            if len(_noted) > 10_000:
                _noted.clear()
            _noted[mark] = moment + NOTED_EVERY_S
    store.note_use(session, key, way, rows, sorted(joined))


def note_together(session: Session, actor: Actor, keys: Sequence[str], way: str) -> None:
    """Remember that the actor read several entries together: of each, with which others."""
    for key in keys:
        note_use(session, actor, key, way, joined=[each for each in keys if each != key])


def is_due(actor: Actor, keys: Sequence[str], way: str) -> bool:
    """Return whether `note_together` would write anything, without asking the database."""
    moment = time.monotonic()
    with _lock:
        marks = (_mark(actor, key, way, [each for each in keys if each != key]) for key in keys)
        return any(_noted.get(each, 0.0) <= moment for each in marks)


def _mark(actor: Actor, key: str, way: str, joined: Sequence[str]) -> tuple[object, ...]:
    return (actor.territory_id, actor.label, key, way, tuple(joined))


def forget_uses(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete what was remembered before a moment; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store.delete_uses(session, before)


def units(session: Session, actor: Actor) -> dict[int, tuple[str, str | None]]:
    """Return the units of the territory by id, for choosing an owner."""
    require(actor, May.SEE_CATALOGUE)
    return store.units(session, actor.territory_id or 0)


def say(session: Session, actor: Actor, key: str, given: Said, *, version: int) -> None:
    """Write what is said of an entry; of a data set also how sensitive it is and whose.

    Raises
    ------
    NotPermitted
        For anybody but a supervisor and the entry's steward.
    Conflict
        When somebody was quicker.
    """
    found = next((each for each in entries(session, actor) if each.key == key), None)
    if found is None:
        raise NotFound(f"The catalogue has no {key[:60]!r}.", hint="See the whole catalogue.")
    if actor.user_id is None or found.steward_id != actor.user_id:
        require(actor, May.KEEP_CATALOGUE)
    texts = (given.title_en, given.title_zh, given.about_en, given.about_zh, given.licence)
    if any(len(each) > LONGEST_TEXT for each in texts):
        raise InvalidInput(f"A text has at most {LONGEST_TEXT} characters.", zh=f"每段文字最多 {LONGEST_TEXT} 字。")
    if given.rhythm not in RHYTHMS:
        raise InvalidInput(f"{given.rhythm!r} is no rhythm.", hint=f"Known are: {', '.join(RHYTHMS)}.")
    values = {
        "title_en": given.title_en.strip(), "title_zh": given.title_zh.strip(), "about_en": given.about_en.strip(),
        "about_zh": given.about_zh.strip(), "licence": given.licence.strip(), "rhythm": given.rhythm,
        "steward_id": given.steward_id, "data_set_id": found.offer.data_set_id, "changed_label": actor.label,
    }  # fmt: skip
    if not store.put_said(session, actor.territory_id or 0, key, values, version=version):
        raise Conflict(
            "Somebody else changed this entry meanwhile.", hint="Load the page again.", zh="他人已修改此条目，请刷新。"
        )
    number = found.offer.data_set_id
    if number is not None and (given.sensitivity, given.owner_unit_id) != (
        found.offer.sensitivity,
        found.owner_unit_id,
    ):
        if not actor.may(May.KEEP_CATALOGUE):
            raise NotPermitted("Whose it is and how sensitive is a supervisor's to say.", hint="Ask one.")
        if given.sensitivity not in SENSITIVITIES:
            raise InvalidInput(f"{given.sensitivity!r} is no sensitivity.", hint=f"One of {', '.join(SENSITIVITIES)}.")
        store.set_sensitivity(session, number, given.sensitivity, given.owner_unit_id)
