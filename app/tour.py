"""The two-minute tour: what to do on which page, by role, each step a link to its place."""

from __future__ import annotations

from app import widgets
from app.i18n import t
from app.roles import role_name, role_purpose
from app.widgets import Cell
from core.identity import Actor, May


def steps(actor: Actor) -> list[tuple[str, str, str]]:
    """Return title, text and address of each step that the role can take."""
    told = [(t("Today"), t("Begin here: it answers what you come for, and every number leads to its rows."), "/")]
    if actor.may(May.SEE_INCIDENTS):
        told += [
            (
                t("What is late"),
                t("The list opens with the late ones. Click a row: fields, clock, tasks and history open beside it."),
                "/incidents?overdue=1",
            ),
            (
                t("Find one incident"),
                t("Type a number, a part of it or a street into the search at the top, from any page."),
                "/incidents",
            ),
        ]
    told += [
        (
            t("City map"),
            t("Grids are filled by what you choose: reports, open ones, days to close. Click a grid for its card."),
            "/map",
        ),
        (
            t("Facilities and roads"),
            t("Schools, clinics, shops, stops, and roads by speed limit, from the map file; zoom in for more."),
            "/map?layers=facilities,traffic",
        ),
    ]
    if actor.may(May.LOAD_DATA):
        told.append(
            (
                t("Your own city"),
                t("Give an OpenStreetMap file; grids, people and facilities are made from it while you go on."),
                "/bring-in",
            )
        )
    return told


def show(actor: Actor) -> None:
    """Put the tour."""
    lead = t(
        "You work here as: {role}. You come for: {purpose}.",
        role=role_name(actor.role),
        purpose=_begin(role_purpose(actor.role)),
    )
    cards = "".join(
        f'<li><a href="{href}" target="_self">{widgets.html(title)}</a><p>{widgets.html(text)}</p></li>'
        for title, text, href in steps(actor)
    )
    widgets.write(f'<p>{widgets.html(lead)}</p><ol class="gk-steps">{cards}</ol>')
    widgets.heading(t("Words"))
    widgets.fields(_words(), beside=True)


def _begin(text: str) -> str:
    """Return a half sentence that goes on inside another one."""
    return text[:1].lower() + text[1:]


def _words() -> dict[str, Cell]:
    return {
        t("Unit grid"): t("The smallest area of management, inside one community; its code never changes its meaning."),
        t("Responsibility grid"): t("Neighbouring unit grids bound to one grid worker."),
        t("Component"): t("A fixed public thing: a manhole, a lamp, a tree. It has an owner."),
        t("Event"): t("Something that happens: refuse, noise, a flooded road."),
        t("Incident"): t("A reported problem with a component or an event, followed to its end."),
        t("Deadline"): t("When an incident must be handled: its class says how long, in working or in urgent hours."),
        t("Late"): t("Open, and the deadline has passed."),
        t("Quarantine"): t("Rows of a file that could not be taken in, each with its reason."),
    }
