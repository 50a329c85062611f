"""What rows are brought into: their data set and batch, and the cells that its rules compare them with."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor
from geodata import exchange_store as store
from geodata.db import own_rights
from geodata.exchange import Spec
from geodata.exchange_rules import References, Seen
from geodata.exchange_run import Into, Place
from geodata.linking_gate import linker_of
from geodata.tables import DataSet
from geodata.territory import TerritoryInfo


@dataclass(frozen=True, slots=True)
class Coming:
    """Rows that come: into which data set, read by which mapping, as which batch, from when, placed by what."""

    territory: TerritoryInfo
    data_set: DataSet
    spec: Spec
    batch_id: int
    moment: dt.datetime
    place: Place


def into_of(session: Session, coming: Coming, reader: Actor | None = None) -> Into:
    """Return what rows are brought into, with the cells that rules of the data set compare them with.

    ``reader`` is who brings them, where the system's rights hold: rules compare with what he may read himself.
    """
    data_set, rules = coming.data_set, coming.spec.rules
    fresh = not store.has_table(session, data_set.id)
    with own_rights(session, reader) if reader else contextlib.nullcontext():
        references = references_of(session, data_set.territory_id, rules)
    unique = {str(each["field"]) for each in rules if each.get("rule") == "unique"}
    seen = {} if fresh else {each: Seen.of(*store.cells_with_keys(session, data_set.id, each)) for each in unique}
    linker = linker_of(session, coming.territory, coming.spec, coming.place)
    return Into(data_set.id, coming.batch_id, coming.moment, fresh, coming.place, references, seen, linker)


def references_of(session: Session, territory_id: int, rules: Iterable[Mapping[str, Any]]) -> References:
    """Return the cells that rules refer to, by data set and field, as far as the actor may read them.

    Raises
    ------
    InvalidInput
        When he may not: what stands in restricted data is not to be found out by comparing with them.
    """
    wanted = {(str(each["data_set"]), str(each["to"])) for each in rules if each.get("rule") == "refers"}
    if hidden := store.hidden_sets(session, territory_id, {key for key, _ in wanted}) if wanted else []:
        raise InvalidInput(
            f"A rule compares with {hidden[0]}, which you may not read.",
            hint="Ask for it in the catalogue, or let its steward bring the file in.",
            zh=f"规则引用了您无权查看的数据集 {hidden[0]}，请在数据目录中申请，或由其管理员载入。",
        )
    return {f"{key}.{field_}": store.cells_of(session, territory_id, key, field_) for key, field_ in wanted}
