"""The frame of every page: who acts, in which language, which pages there are; then the page itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import guard, i18n, widgets
from app.i18n import t
from core.identity import Actor, May, Role
from geodata.db import transaction
from geodata.territory import list_territories

ICON = Path(__file__).parent / "templates" / "icon.svg"


def pages_for(actor: Actor) -> dict[str, list[st.Page]]:
    """Return the pages of the actor's role by section, Today first; the pages of section "" stand by themselves."""
    daily = [
        st.Page("views/today.py", title=t("Today"), url_path="today", default=True),
        st.Page("views/city_map.py", title=t("City map"), url_path="map"),
    ]
    if actor.may(May.DISPATCH):
        daily.append(st.Page("views/board.py", title=t("Board"), url_path="board"))
        daily.append(st.Page("views/what_if.py", title=t("What if"), url_path="what-if"))
    if actor.may(May.SEE_INCIDENTS):
        daily.append(st.Page("views/incidents.py", title=t("Incidents"), url_path="incidents"))
    if actor.may(May.VERIFY):
        daily.append(st.Page("views/verify.py", title=t("Verify"), url_path="verify"))
    if actor.may(May.REPORT_INCIDENTS):
        daily.append(st.Page("views/new_incident.py", title=t("New incident"), url_path="new-incident"))
    if actor.may(May.MAKE_STUDIES):  # his daily work
        daily += _planning(actor)
    if actor.may(May.SEE_SCORES):
        daily.append(st.Page("views/indicators.py", title=t("Indicators"), url_path="indicators"))
    if not actor.may(May.SEE_REVIEWS):  # whom a review concerns comes by a link
        hidden = st.Page(
            "views/accountability.py", title=t("Accountability"), url_path="accountability", visibility="hidden"
        )
        daily.append(hidden)
    # What does not fit on a narrow screen is folded away from the end.
    sections = {
        "": daily,
        t("Oversight"): _oversight(actor),
        t("Planning"): [] if actor.may(May.MAKE_STUDIES) else _planning(actor),
        t("Registers"): _registers(actor),
        t("People & units"): _people(actor),
        t("System"): _system(actor),
    }
    return {title: pages for title, pages in sections.items() if pages}


def _registers(actor: Actor) -> list[st.Page]:
    registers = [st.Page("views/components.py", title=t("Components"), url_path="components")]
    registers.append(st.Page("views/grid_file.py", title=t("Grid file"), url_path="grid-file"))
    registers.append(st.Page("views/codes.py", title=t("Codes"), url_path="codes"))
    registers.append(st.Page("views/catalogue.py", title=t("Catalogue"), url_path="catalogue"))
    registers.append(st.Page("views/traffic.py", title=t("Traffic"), url_path="traffic"))
    if actor.may(May.SEE_INCIDENTS):
        registers.append(st.Page("views/wall.py", title=t("Wall"), url_path="walls"))
    if actor.may(May.PROPOSE_GRIDS):
        registers.append(st.Page("views/draw_balance.py", title=t("Draw & balance"), url_path="draw-balance"))
    if actor.role in {Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR}:
        if actor.role is not Role.AUDITOR:
            registers.append(st.Page("views/messages.py", title=t("Messages of the desk"), url_path="messages"))
        registers.append(st.Page("views/emergencies.py", title=t("Emergencies"), url_path="emergencies"))
    return registers


def _planning(actor: Actor) -> list[st.Page]:
    if not actor.may(May.SEE_STUDIES):
        return []
    planning = [
        st.Page("views/studies.py", title=t("Studies"), url_path="studies"),
        st.Page("views/study.py", title=t("Study"), url_path="study", visibility="hidden"),
        st.Page("views/decision.py", title=t("Decision on sites"), url_path="decision", visibility="hidden"),
        st.Page(
            "views/compare_studies.py", title=t("Compare studies"), url_path="compare-studies", visibility="hidden"
        ),
    ]
    if actor.may(May.MAKE_STUDIES):
        planning.append(st.Page("views/new_study.py", title=t("New study"), url_path="new-study"))
        planning.append(
            st.Page("views/try_study.py", title=t("Beat the machine"), url_path="try-study", visibility="hidden")
        )
    planning.append(st.Page("views/suitability.py", title=t("Suitability"), url_path="suitability"))
    planning.append(st.Page("views/access.py", title=t("Access"), url_path="access"))
    layers_title = t("Layers of planning")
    planning.append(
        st.Page("views/planning_layers.py", title=layers_title, url_path="planning-layers", visibility="hidden")
    )
    return planning


def _people(actor: Actor) -> list[st.Page]:
    people: list[st.Page] = []
    if actor.may(May.SEE_PEOPLE):
        people.append(st.Page("views/units.py", title=t("Units"), url_path="units"))
        people.append(st.Page("views/duty_list.py", title=t("Duty list"), url_path="duty-list"))
        people.append(st.Page("views/workers.py", title=t("Workers"), url_path="workers"))
        people.append(st.Page("views/roster.py", title=t("Roster"), url_path="roster"))
    if actor.may(May.REVIEW_USERS):
        people.append(st.Page("views/accounts.py", title=t("Accounts"), url_path="accounts"))
    return people


def _oversight(actor: Actor) -> list[st.Page]:
    oversight: list[st.Page] = []
    if actor.may(May.SEE_RECORD):
        oversight.append(st.Page("views/record.py", title=t("Record"), url_path="record"))
    if actor.may(May.SEE_REVIEWS):
        oversight.append(st.Page("views/accountability.py", title=t("Accountability"), url_path="accountability"))
    return oversight


def _system(actor: Actor) -> list[st.Page]:
    system = [st.Page("views/rules.py", title=t("Classes, limits and calendars"), url_path="rules")]
    if actor.may(May.SET_UP):
        system.append(st.Page("views/set_up.py", title=t("First set-up"), url_path="set-up"))
        system.append(st.Page("views/basemaps.py", title=t("Basemaps"), url_path="basemaps"))
    if actor.may(May.BRING_DATA):
        system.append(st.Page("views/bring_in.py", title=t("Bring in"), url_path="bring-in"))
        system.append(st.Page("views/quarantine.py", title=t("Quarantine"), url_path="quarantine"))
        system.append(st.Page("views/same_place.py", title=t("Same place?"), url_path="same-place"))
    if actor.may(May.LOAD_DATA) and actor.may(May.REPORT_INCIDENTS):
        system.append(st.Page("views/hotline.py", title=t("Hotline 12345"), url_path="hotline"))
    if actor.may(May.KEEP_RUNNING):
        system.append(st.Page("views/health.py", title=t("Health & backup"), url_path="health"))
    system.append(st.Page("views/my_account.py", title=t("My account"), url_path="my-account"))
    system.append(st.Page("views/help.py", title=t("Help"), url_path="help"))
    return system


def main() -> None:
    """Run the page that was asked for."""
    st.set_page_config(page_title="Gridkeeper", page_icon=str(ICON), layout="wide", initial_sidebar_state="collapsed")
    with guard.page():
        actor = guard.current_actor()
        i18n.use(actor.locale)
        st.logo(str(ICON), size="large")
        page = st.navigation(pages_for(actor), position="top")
        with transaction(actor) as session:
            known = list_territories(session)
        widgets.head(actor, {each.id: each.title(i18n.locale()) for each in known})
        widgets.acting({each.id: each.timezone for each in known})
        page.run()


main()
