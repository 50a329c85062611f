"""All SQL of notes on grids."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.change_model import Note


def add(session: Session, territory_id: int, cell_id: int, body: str, author: tuple[int | None, str]) -> int:
    """Write a note and return its id."""
    return int(
        session.execute(
            text(
                "INSERT INTO grid_note (territory_id, unit_grid_id, body, author_id, author_label)"
                " VALUES (:territory, :cell, :body, :author, :label) RETURNING id"
            ),
            {"territory": territory_id, "cell": cell_id, "body": body, "author": author[0], "label": author[1]},
        ).scalar_one()
    )


def of_cell(session: Session, cell_id: int) -> list[Note]:
    """Return the notes of a cell and of all that it came of, the newest first; those struck out too."""
    rows = session.execute(
        text(
            "WITH RECURSIVE line (id) AS (SELECT CAST(:cell AS integer) UNION"
            " SELECT p.parent_id FROM grid_parent AS p JOIN line ON line.id = p.child_id)"
            " SELECT n.id, n.unit_grid_id, g.code, n.body, n.author_id, n.author_label, n.made_at, n.struck_at"
            " FROM line JOIN grid_note AS n ON n.unit_grid_id = line.id JOIN unit_grid AS g ON g.id = n.unit_grid_id"
            " ORDER BY n.made_at DESC, n.id DESC"
        ),
        {"cell": cell_id},
    )
    return [Note(*row) for row in rows]


def find(session: Session, territory_id: int | None, note_id: int) -> Note | None:
    """Return a note; None where there is none."""
    row = session.execute(
        text(
            "SELECT n.id, n.unit_grid_id, g.code, n.body, n.author_id, n.author_label, n.made_at, n.struck_at"
            " FROM grid_note AS n JOIN unit_grid AS g ON g.id = n.unit_grid_id"
            " WHERE n.id = :id AND (CAST(:territory AS integer) IS NULL OR n.territory_id = :territory)"
        ),
        {"id": note_id, "territory": territory_id},
    ).one_or_none()
    return None if row is None else Note(*row)


def strike(session: Session, note_id: int, by: int | None) -> bool:
    """Strike a note out; return whether it stood until now."""
    done = session.execute(
        text(
            "UPDATE grid_note SET struck_at = now(), struck_by = :by WHERE id = :id AND struck_at IS NULL RETURNING id"
        ),
        {"id": note_id, "by": by},
    )
    return done.scalar() is not None
