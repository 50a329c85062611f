"""The first set-up in words: the steps, their states, and what is missing."""

from __future__ import annotations

from app.i18n import t, tn
from app.set_up_model import Lack, Missing, State, StepKey

TONES = {State.DONE: "good", State.PARTLY: "soon", State.TO_DO: "", State.NOT_YET: "done"}
MARKS = {State.DONE: "√", State.PARTLY: "◐", State.TO_DO: "○", State.NOT_YET: "–"}


def title(key: StepKey) -> str:
    """Return the name of a step."""
    return {
        StepKey.TERRITORY: t("Territory"),
        StepKey.COMMUNITIES: t("Communities"),
        StepKey.GRIDS: t("Grids"),
        StepKey.UNITS: t("Units"),
        StepKey.PEOPLE: t("Grid workers"),
        StepKey.RULES: t("Rules and calendars"),
        StepKey.INCIDENTS: t("Old incidents"),
        StepKey.ACCOUNTS: t("First accounts"),
    }[key]


def purpose(key: StepKey) -> str:
    """Return in a sentence what a step is for."""
    return {
        StepKey.TERRITORY: t("Where the city lies: its boundary, roads, buildings and facilities."),
        StepKey.COMMUNITIES: t("The lowest administrative areas; every grid lies in exactly one."),
        StepKey.GRIDS: t("The smallest management areas, and the responsibility grids that workers look after."),
        StepKey.UNITS: t("The centres and departments, and which class of incident belongs to whom."),
        StepKey.PEOPLE: t("The grid workers, each with a unit, a responsibility grid and a shift."),
        StepKey.RULES: t("What is reported, how long it may take, and on which days offices work."),
        StepKey.INCIDENTS: t("Reports of the past from a file, so that maps and studies do not begin empty."),
        StepKey.ACCOUNTS: t("Who may log in; the dispatcher of an incident never closes it, so it takes several."),
    }[key]


def state(value: State) -> str:
    """Return the word of a state."""
    return {
        State.DONE: t("done"),
        State.PARTLY: t("partly done"),
        State.TO_DO: t("to do"),
        State.NOT_YET: t("not possible yet"),
    }[value]


def lack(missing: Missing) -> str:
    """Return what is missing as a sentence."""
    number = missing.count
    if missing.what is Lack.OWNERLESS:
        return tn("{count} class belongs to no unit.", "{count} classes belong to no unit.", number)
    if missing.what is Lack.GRIDLESS:
        return tn("{count} worker has no responsibility grid.", "{count} workers have no responsibility grid.", number)
    if missing.what is Lack.SHIFTLESS:
        return tn("{count} worker has no shift.", "{count} workers have no shift.", number)
    if missing.what is Lack.UNWATCHED:
        return tn(
            "{count} responsibility grid has no worker of its own.",
            "{count} responsibility grids have no worker of their own.",
            number,
        )
    if missing.what is Lack.INVITED:
        return tn("{count} person has not set a password yet.", "{count} people have not set a password yet.", number)
    return _SENTENCES[missing.what]()


_SENTENCES = {
    Lack.BOUNDARY: lambda: t("The territory has no boundary yet."),
    Lack.ROADS: lambda: t("There are no roads, so nobody can be sent by travel time. Bring in a map."),
    Lack.BUILDINGS: lambda: t("No building is known, so nobody knows where people live."),
    Lack.ONE_COMMUNITY: lambda: t(
        "The whole territory is one community. Bring in its communities, or cut the grids as it is."
    ),
    Lack.COMMUNITIES: lambda: t("There are no communities yet."),
    Lack.CELLS: lambda: t("There are no grids yet."),
    Lack.RESPONSIBILITY: lambda: t("The grids are not bound into responsibility grids yet."),
    Lack.NO_CENTRE: lambda: t("There is no supervision or command centre."),
    Lack.NO_UNIT: lambda: t("There is no unit that handles incidents."),
    Lack.NO_DUTY: lambda: t("The duty list is empty: no class belongs to anybody."),
    Lack.NO_WORKER: lambda: t("There are no grid workers yet."),
    Lack.NO_CLASSES: lambda: t("There are no classes of incident."),
    Lack.NO_LIMITS: lambda: t("There are no time limits."),
    Lack.NO_CALENDAR: lambda: t("There is no calendar for this time zone."),
    Lack.NO_HOLIDAYS: lambda: t("The calendar knows no holidays ahead; enter them."),
    Lack.NO_INCIDENTS: lambda: t("No file of old incidents was brought in. If there is none, say so."),
    Lack.NO_DISPATCHER: lambda: t("Nobody dispatches: no dispatcher has an account of their own."),
    Lack.NO_SUPERVISOR: lambda: t("Nobody files and closes: no supervisor has an account of their own."),
    Lack.NO_THIRD: lambda: t("At least one more account is needed, for example a grid manager or a handler."),
}


def where(what: Lack) -> tuple[str, str] | None:
    """Return label and address of the page where a lack is mended in full; None when it is mended right here."""
    return {
        Lack.OWNERLESS: (t("the duty list"), "/duty-list"),
        Lack.NO_DUTY: (t("the duty list"), "/duty-list"),
        Lack.NO_CENTRE: (t("the units"), "/units"),
        Lack.NO_UNIT: (t("the units"), "/units"),
        Lack.NO_WORKER: (t("the workers"), "/workers"),
        Lack.GRIDLESS: (t("the workers"), "/workers"),
        Lack.UNWATCHED: (t("the workers"), "/workers"),
        Lack.SHIFTLESS: (t("the roster"), "/roster"),
        Lack.NO_CALENDAR: (t("the rules"), "/rules"),
        Lack.NO_CLASSES: (t("the rules"), "/rules"),
        Lack.NO_LIMITS: (t("the rules"), "/rules"),
        Lack.NO_HOLIDAYS: (t("the rules"), "/rules"),
        Lack.NO_DISPATCHER: (t("the accounts"), "/accounts"),
        Lack.NO_SUPERVISOR: (t("the accounts"), "/accounts"),
        Lack.NO_THIRD: (t("the accounts"), "/accounts"),
        Lack.INVITED: (t("the accounts"), "/accounts"),
    }.get(what)
