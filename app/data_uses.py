"""Which data of the catalogue maps, studies and measures of access read, and with what: for its list of uses."""

from __future__ import annotations

from core import log
from core.identity import Actor
from geodata import catalogue
from geodata.db import FAULTS, transaction
from layers import congestion_cells, values
from planning.access_model import AccessQuestion
from planning.model import Question

logger = log.get(__name__)

_CELLS = {"cell": "unit-grids", "community": "unit-grids", "responsibility": "responsibility-grids"}


def of_study(question: Question) -> tuple[str, ...]:
    """Return the entries of the catalogue that a study reads together."""
    terms = question.terms
    read = {
        "facilities": question.existing_kind is not None and terms.matrix is None,
        "planning-layers": terms.demand is not None,
        "streets": terms.matrix is None,
    }
    return tuple(key for key, there in read.items() if there)


def of_access(question: AccessQuestion) -> tuple[str, ...]:
    """Return the entries of the catalogue that a question of access reads together."""
    read = {
        "facilities": question.matrix_id is None,
        "planning-layers": question.demand_id is not None,
        "streets": question.matrix_id is None,
    }
    return tuple(key for key, there in read.items() if there)


def of_map(question: values.Question) -> tuple[str, ...]:
    """Return the entries of the catalogue that the colours of a map of grids come from."""
    cells = _CELLS[question.by]
    if question.metric in values.STANDING:
        return (cells,)
    return ("streets" if question.metric in congestion_cells.METRICS else "incidents", cells)


def map_is_due(actor: Actor, question: values.Question) -> bool:
    """Return whether looking at a map of values by grid is noted again, once a minute; asks no database."""
    return catalogue.is_due(actor, of_map(question), "map")


def note_map(actor: Actor, question: values.Question) -> None:
    """Note that the actor looks at a map of values by grid; what cannot be noted holds no map back."""
    try:
        with transaction(actor) as session:
            catalogue.note_together(session, actor, of_map(question), "map")
    except FAULTS as error:
        logger.warning("a look at the map was not noted: %s", error)
