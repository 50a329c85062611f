"""One row of the record beside the list: who, what, before and after, and its proof."""

from __future__ import annotations

from app import i18n, record_parts, record_words, widgets, words
from app.i18n import t
from app.widgets import Cell, Column
from core.identity import Actor
from geodata.record_search import RecordAct
from geodata.territory import TerritoryInfo

CHANGES_SHOWN = 40


def show(found: RecordAct, actor: Actor, territory: TerritoryInfo) -> None:
    """Put the row."""
    row = found.row
    held = {**(found.before or {}), **(found.after or {})}
    page = record_words.page_of(actor, row, held)
    name = record_words.subject(row)
    what = widgets.link(name, page).text if page else widgets.html(name)
    widgets.write(f"<h2>{what}</h2>")
    fields: dict[str, Cell] = {
        t("Row"): i18n.number(row.seq),
        t("When"): i18n.clock(row.at, territory.timezone),
        t("Person"): words.doer(row.actor_label),
        t("Role"): record_words.role(row.actor_role),
        t("Act"): record_words.act(row.action),
        t("Purpose"): record_words.purpose(row.purpose),
        t("Unit grid"): widgets.link(str(row.grid_id), f"/map?grid={row.grid_id}") if row.grid_id else None,
        t("Sealed"): record_parts.sealed(row),
    }
    if row.subject_id and not row.action.startswith("bulk_"):
        every = f"/record?table={row.table}&find={row.subject_id}"
        fields[t("All acts")] = widgets.link(t("on this object"), every)
    widgets.fields({label: cell for label, cell in fields.items() if cell not in {None, ""}}, beside=True)
    _changes(found, territory)
    widgets.heading(t("Its hash"))
    widgets.write(f"<p><code>{found.row_hash.hex()}</code></p>")
    if row.sealed_at is not None:
        widgets.note(
            t("It is proved under the newest head by: {command}", command=f"gridkeeper record prove {row.seq}")
        )


def _changes(found: RecordAct, territory: TerritoryInfo) -> None:
    changed = record_words.changes(found.before, found.after)
    if not changed:
        widgets.note(t("Nothing was changed by this act."))
        return
    rows = [
        (
            record_words.field(column),
            record_words.value(column, before, territory.timezone),
            record_words.value(column, after, territory.timezone),
        )
        for column, before, after in changed
    ]
    if found.before is None:
        widgets.table(
            [Column(t("Field")), Column(t("After"))], [(field, new) for field, _, new in rows[:CHANGES_SHOWN]]
        )
    elif found.after is None:
        widgets.table(
            [Column(t("Field")), Column(t("Before"))], [(field, old) for field, old, _ in rows[:CHANGES_SHOWN]]
        )
    else:
        widgets.table([Column(t("Field")), Column(t("Before")), Column(t("After"))], rows[:CHANGES_SHOWN])
    if len(rows) > CHANGES_SHOWN:
        widgets.note(i18n.tn("{count} more field", "{count} more fields", len(rows) - CHANGES_SHOWN))
