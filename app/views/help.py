"""Help: what this platform does, its limits, and the law it keeps."""

from __future__ import annotations

import streamlit as st

from app import guard, tour, what_it_does, widgets
from app.i18n import t


def show() -> None:
    """Put the page."""
    widgets.title(t("Help"))
    first, does, limits = st.tabs([t("Two-minute tour"), t("What this platform does"), t("Limits and law")])
    with first:
        tour.show(guard.current_actor())
    with does:
        what_it_does.show()
    with limits:
        sections = (
            f"<section><h2>{widgets.html(heading)}</h2><p>{widgets.html(text)}</p></section>"
            for heading, text in _limits()
        )
        widgets.write(f'<div class="gk-columns">{"".join(sections)}</div>')


def _limits() -> list[tuple[str, str]]:
    return [
        (
            t("Reports are not reality"),
            t(
                "Who complains more is not who needs more. Maps built on reports show where people report, and rates"
                " are not shown where too few people live. Nothing here forecasts what a person will do."
            ),
        ),
        (
            t("Workers are people"),
            t(
                "There are no rankings of workers, no mileage and no online time. Shifts are shown so that work can"
                " be given fairly; names only to those who work with them."
            ),
        ),
        (
            t("What names a person stands apart"),
            t(
                "Reporter, telephone and free text are kept encrypted, each under a key of its own. Destroying the"
                " key erases the person, also from the record, while the record stays whole."
            ),
        ),
        (
            t("The record cannot be changed, but it can be destroyed"),
            t(
                "Every change is written by the database itself and cannot be altered through the platform. Whoever"
                " owns the operating system can alter everything; that is found out only against copies kept"
                " elsewhere."
            ),
        ),
        (
            t("Who sees what"),
            t(
                "A grid manager sees the own communities, a handler the own unit, planners and administrators no"
                " single incident. The database itself refuses more, not only the page."
            ),
        ),
        (
            t("Where the map comes from"),
            t(
                "Roads, buildings and places are © OpenStreetMap contributors under the Open Database Licence."
                " Grids cut along them probably fall under it too. Maps shown to the public in China need review"
                " and the standard boundary."
            ),
        ),
        (
            t("What is simulated or estimated"),
            t(
                "In a demo city the incidents are simulated and labelled so. People per grid are estimated from"
                " floor area. Traffic shows classes and limits of roads, no readings."
            ),
        ),
        (
            t("What this platform declines"),
            t(
                "No score of citizens, no opinion mining, no analysis of speech or camera pictures, no classes for"
                " petitions, assemblies or religion."
            ),
        ),
    ]


show()
