"""The pages of accounts, by clicking: invite, roles, acting, close, hand over, review; and the own account."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from core.identity import Role, system_actor
from geodata.db import transaction
from people import access, accounts
from tests.pages.conftest import shown, words

PASSWORD = "four little words"


@pytest.fixture
def eva(actors):
    """An account of a planner of her own, not of the demo."""
    with transaction(system_actor()) as session:
        session.execute(text("DELETE FROM app_user WHERE login IN ('eva', 'new')"))
        home = session.execute(text("SELECT id FROM territory")).scalar_one()
        accounts.ensure_user(
            session,
            login="eva",
            role=Role.PLANNER,
            territory_id=home,
            title_en="Planner of the east",
            title_zh="东区规划师",
            password=PASSWORD,
        )
    return "eva"


def named(page, kind, label):
    found = [each for each in page.get(kind) if label == getattr(each, "label", "")]
    assert found, [getattr(each, "label", "") for each in page.get(kind)]
    return found[0]


def click(page, label):
    named(page, "button", label).click().run()
    assert not page.exception, page.exception
    return page


def role_field(page, part):
    (found,) = [each for each in page.selectbox if each.label == "Role" and part in (each.key or "")]
    return found


def row(login: str):
    with transaction(system_actor()) as session:
        return session.execute(text("SELECT * FROM app_user WHERE login = :login"), {"login": login}).one()


def test_inviting_shows_the_address_once(run, eva):
    page = run("accounts", Role.ADMINISTRATOR)
    named(page, "text_input", "Name to log in with").set_value("new")
    named(page, "text_input", "Function shown beside acts").set_value("Head of studies").run()
    role_field(page, "gk_invite").select(Role.PLANNER).run()
    click(page, "Invite")
    assert "new can set a password now." in words(page)
    (code,) = re.findall(r"/invitation\?code=(\S+)", page.code[0].value)
    with transaction(system_actor()) as session:
        assert access.invited(session, code).login == "new"
    click(page, "Put it away")
    assert not page.code
    assert "Invited, has no password yet" in words(run("accounts", Role.ADMINISTRATOR))


def test_what_is_wrong_is_said(run, eva):
    page = run("accounts", Role.ADMINISTRATOR)
    named(page, "text_input", "Name to log in with").set_value("eva")
    named(page, "text_input", "Function shown beside acts").set_value("Head of studies").run()
    role_field(page, "gk_invite").select(Role.PLANNER).run()
    click(page, "Invite")
    assert "The login eva is taken." in words(page)


def test_a_role_is_added_and_ended(run, eva):
    page = run("accounts", Role.ADMINISTRATOR, user="eva")
    assert "Planner of the east" in words(page)
    role_field(page, "_new_").select(Role.AUDITOR).run()
    click(page, "Give the role")
    assert "eva has the role: Auditor" in words(page)
    role_field(page, "_which").select_index(1).run()
    click(page, "End the role now")
    assert "The role of eva has ended: Auditor" in words(page)
    assert "Role ended" in words(page)


def test_dispatching_and_closing_are_kept_apart(run, eva):
    page = run("accounts", Role.ADMINISTRATOR, user="dispatcher@tiny-town")
    role_field(page, "_new_").select(Role.SUPERVISOR).run()
    click(page, "Give the role")
    assert "nobody holds both duties for good" in words(page)


def test_acting_for_another(run, eva, actors):
    page = run("accounts", Role.ADMINISTRATOR, user="supervisor@tiny-town")
    who = named(page, "selectbox", "Who acts for supervisor@tiny-town")
    who.select(row("eva").id).run()
    named(page, "text_input", "Why").set_value("leave").run()
    click(page, "Let this person act")
    assert "It is done, and ends by itself." in words(page)
    listed = run("accounts", Role.ADMINISTRATOR, show="acting")
    assert "Planner, Supervisor (for supervisor@tiny-town)" in words(listed)


def test_closing_and_opening(run, eva):
    page = run("accounts", Role.ADMINISTRATOR, user="eva")
    [each for each in page.button if each.label == "Close the account"][-1].click().run()
    assert "eva is closed." in words(page)
    assert row("eva").active is False
    assert "No account fits" not in words(run("accounts", Role.ADMINISTRATOR, show="closed"))
    click(run("accounts", Role.ADMINISTRATOR, user="eva"), "Open the account")
    assert row("eva").active is True


def test_handing_over(run, eva):
    page = run("accounts", Role.ADMINISTRATOR, user="eva")
    assert named(page, "button", "Hand over and close").disabled
    named(page, "selectbox", "Who takes over").select("auditor@tiny-town").run()
    assert "auditor@tiny-town does not reach what was done as planner" in words(page)
    named(page, "checkbox", "Act for 90 days in the roles that are missing").check().run()
    assert "does not reach" not in words(page)
    named(page, "checkbox", "eva leaves today").check().run()
    click(page, "Hand over and close")
    assert "eva has left" in words(page)
    assert row("eva").active is False


def test_the_auditor_reviews_and_changes_nothing_else(run, eva):
    page = run("accounts", Role.AUDITOR, user="eva")
    labels = {each.label for each in page.button}
    assert not labels & {"Invite", "New password", "Give the role", "End the role now", "Hand over and close"}
    click(page, "Reviewed: all is right")
    assert "The review of eva is recorded." in words(page)
    assert "by auditor@tiny-town" in words(page)


def test_an_unknown_account_is_a_sentence(run, eva):
    assert "There is no account nobody here." in words(run("accounts", Role.ADMINISTRATOR, user="nobody"))


@pytest.mark.parametrize("role", [Role.PLANNER, Role.SUPERVISOR, Role.DISPATCHER, Role.GRID_MANAGER])
def test_others_do_not_open_it(run, eva, role):
    page = run("my_account", role)
    assert "Accounts" not in shown(page)


def test_the_own_password_is_changed(run, eva, actors, monkeypatch):
    with transaction(system_actor()) as session:
        account = accounts.find_account(session, "eva", actors[Role.PLANNER].territory_id)
    actors[Role.PLANNER], before = account.actor(), actors[Role.PLANNER]
    try:
        page = run("my_account", Role.PLANNER)
        for label, value in (
            ("Password in use", "wrong words here"),
            ("New password, at least 10 characters", "another four words"),
            ("The password again", "another four words"),
        ):
            named(page, "text_input", label).set_value(value)
        click(page, "Change the password")
        assert "was not right" in words(page)
        for label, value in (
            ("Password in use", PASSWORD),
            ("New password, at least 10 characters", "another four words"),
            ("The password again", "another four words"),
        ):
            named(page, "text_input", label).set_value(value)
        click(page, "Change the password")
        assert "The password is changed" in words(page)
    finally:
        actors[Role.PLANNER] = before
    with transaction(system_actor()) as session:
        assert accounts.login(session, "eva", "another four words", locale="en").token


def test_a_demo_account_has_no_password_to_change(run, eva):
    assert "This account has no password." in words(run("my_account", Role.DISPATCHER))
