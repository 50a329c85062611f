"""Of `gridkeeper site`: whose people count, and by whose ways they go."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor
from geodata.territory import TerritoryInfo
from planning import layering, matrices
from planning.layer_model import NAME_AT_MOST, LayerInfo
from planning.model import Question
from planning.own_matrix import Expected

PEOPLE = "people"
LISTS = ("rows.csv", "columns.csv")


def with_demand(session: Session, actor: Actor, territory: TerritoryInfo, question: Question, named: str) -> Question:
    """Return the question with the people of a layer of demand, by its name or number; `PEOPLE`: those of the map."""
    if named == PEOPLE:
        return question
    layer = layering.find(session, actor, territory, "demand", named)
    terms = dataclasses.replace(question.terms, demand=layer.id, demand_name=f"{layer.name}, {layer.revision}")
    return dataclasses.replace(question, terms=terms)


def with_matrix(session: Session, actor: Actor, territory: TerritoryInfo, question: Question, said: str) -> Question:
    """Return the question by a matrix: a file about its places, which is kept, or the name of one that is kept.

    Raises
    ------
    InvalidInput
        When a file is given and it is not said about which candidates it is, or it does not fit.
    """
    if question.terms.closed:
        raise InvalidInput("A matrix knows no streets that could be closed.")
    path = Path(said)
    if path.is_file():
        places = expected(session, actor, territory, question)
        name = path.name[:NAME_AT_MOST]
        info: LayerInfo = matrices.bring(session, actor, territory, places, path, name=name, shown=path.name)
    else:
        info = layering.find(session, actor, territory, "matrix", said)
    own = matrices.places_of(matrices.read(session, actor, info.id))
    terms = dataclasses.replace(question.terms, places=own, demand=None, demand_name=None)
    return dataclasses.replace(question, candidates=max(len(own), 1), terms=matrices.named(terms, info))


def expected(session: Session, actor: Actor, territory: TerritoryInfo, question: Question) -> Expected:
    """Return the places that a matrix for a question is about.

    Raises
    ------
    InvalidInput
        When it is not said which places are compared.
    """
    if not question.terms.places:
        raise InvalidInput(
            "A matrix is about places of your own.", hint="Give them by --candidates FILE, in the order of its columns."
        )
    return matrices.expected(
        session, actor, territory, demand_id=question.terms.demand, candidates=question.terms.places,
        kind=question.existing_kind,
    )  # fmt: skip


def write_lists(places: Expected, folder: Path) -> dict[str, object]:
    """Write the lists of rows and columns that a matrix is about, and say how many there are.

    Raises
    ------
    InvalidInput
        When there is no such folder.
    """
    from app.matrix_form import columns_csv, rows_csv

    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}.", hint="Make it first.")
    rows, columns = (folder / name for name in LISTS)
    rows.write_bytes(rows_csv(places))
    columns.write_bytes(columns_csv(places))
    return {
        "rows": len(places.rows), "candidates": len(places.candidates), "there": len(places.there),
        "people": float(places.people.sum()), "lists": [str(rows), str(columns)],
    }  # fmt: skip
