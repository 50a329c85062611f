"""Six roles play one incident to its end and beyond; two roles in one hand do not help; the record of it holds."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import cookie
from app.cli import main
from core.errors import NotPermitted
from core.identity import Actor, Role, system_actor
from core.settings import settings
from geodata import db
from incidents import service as incidents
from incidents.lifecycle import ACT_WORDS
from people import accounts
from tests.browser.conftest import PATIENCE_MS, Served, choose, open_tab, stands, take_place, until
from tests.rosters import everybody_on_shift

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # each act stands in tests/pages and tests/db too

UNITS = {"parks": "PG", "highways": "HW", "power": "EL"}
SEQ, TABLE, SUBJECT, AFTER = 0, 9, 10, 13
"""Where a row of the record says so."""
CLOSE = "UPDATE incident SET status = 'closed', closed_at = now(), version = version + 1 WHERE id = :id"


class Stage:
    """The people of the play, each at a browser of his own."""

    def __init__(self, chromium: Browser, served: Served) -> None:
        self.chromium, self.served = chromium, served
        self.pages: dict[str, Page] = {}
        self.actors: dict[str, Actor] = {}
        self.address = ""
        self.current: set[str] = set()
        self.broken: list[str] = []
        self.elsewhere: list[str] = []

    def enters(self, name: str, account: accounts.Account) -> None:
        """Let somebody in: what a login leaves in the browser is put there."""
        with db.transaction(system_actor()) as session:
            token = accounts.start_session(session, account, locale="en")
        context = self.chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
        context.add_cookies([{"name": cookie.name(), "value": cookie.sign(token), "url": self.served.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.broken.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        self.pages[name], self.actors[name] = page, account.actor()

    def _asked(self, url: str) -> None:
        if not url.startswith((self.served.url, self.served.url.replace("http", "ws", 1), "data:", "blob:")):
            self.elsewhere.append(url)

    def looks(self, name: str) -> Page:
        """Show the incident at somebody's desk as it stands now; where it is open, the page is only run again."""
        page = self.pages[name]
        if name in self.current and page.url.endswith(self.address):
            told = page.get_by_role("status").filter(has_text="The incident is now")
            page.keyboard.press("r")  # what came of the act before is told no more then
            until(page, lambda: not told.count(), "the page is not run again", lambda: page.keyboard.press("r"))
            stands(page)
            return page
        page.goto(f"{self.served.url}{self.address}")
        page.locator(".st-key-gk-detail .gk-title h2").wait_for()
        page.locator(".st-key-gk-detail [data-testid='stTabs']").wait_for()
        stands(page)
        self.current.add(name)
        return page

    def acts(self, name: str, act: str, *choices: str, becomes: str) -> Page:
        """Do an act with its choices, in the order of its fields, and wait until the page says that it is done."""
        page = self.looks(name)
        button = page.locator(f"[class*='st-key-gk_act_{act}_']").first.get_by_role("button").first
        button.wait_for()
        if not choices:
            button.click()
        fields = page.locator("[data-testid='stPopoverBody'] [data-testid='stSelectbox'] input")
        for place, choice in enumerate(choices):
            field = fields.nth(place)
            until(page, field.is_visible, f"{act} asks for nothing", button.click)
            stands(page)
            if field.input_value() != choice:  # it may stand there as the first proposal
                choose(page, field, choice)
        if choices:
            page.locator(f"[class*='st-key-gk_act_{act}_'][class*='_go'] button:enabled").click()
        said = page.get_by_role("status").filter(has_text=f"The incident is now: {becomes}.")
        said.wait_for()
        return page

    def does(self, name: str, act: str, **given: object) -> None:
        """Do an act, shown at the desks before, by the service that the page asks; every desk is opened anew then."""
        self.current.clear()
        number, actor = int(self.address.partition("incident=")[2]), self.actors[name]
        with db.transaction(actor) as session:
            incidents.move(session, actor, number, act, version=None, command_id=str(uuid.uuid4()), **given)

    def may_not_close(self, name: str, says: str, law: str) -> None:
        """Find no way to close, read why, and be refused by the service and by the database itself as well."""
        page = self.looks(name)
        page.get_by_text(says).first.wait_for()
        expect(page.locator("[class*='st-key-gk_act_close_']")).to_have_count(0)
        number, actor = int(self.address.partition("incident=")[2]), self.actors[name]
        with pytest.raises(NotPermitted, match="you may not"), db.transaction(actor) as session:
            incidents.move(session, actor, number, "close", version=None, command_id=str(uuid.uuid4()))
        with pytest.raises(DBAPIError, match=law), db.transaction(actor) as session:
            session.execute(text(CLOSE), {"id": number})


@pytest.fixture
def stage(chromium: Browser, served: Served) -> Iterator[Stage]:
    os.environ["GRIDKEEPER_DATABASE_URL"] = served.database
    settings.cache_clear()
    db.engine.cache_clear()
    made = Stage(chromium, served)
    try:
        yield made
        assert made.broken == []
        assert made.elsewhere == [], "a page asked another host"
    finally:
        for page in made.pages.values():
            page.context.close()
        db.engine().dispose()
        del os.environ["GRIDKEEPER_DATABASE_URL"]
        settings.cache_clear()
        db.engine.cache_clear()


@pytest.fixture
def hires(stage: Stage) -> Callable[..., list[accounts.Account]]:
    """A maker of accounts in the demo town: one person, one or more roles."""

    def hire(login: str, *roles: Role, **reach: object) -> list[accounts.Account]:
        with db.transaction(system_actor()) as session:
            home = accounts.demo_accounts(session)[0].territory_id
            for role in roles:
                known = {"title_en": login, "title_zh": login, "territory_id": home, "is_demo": True}
                own = reach if role is not Role.SUPERVISOR else {}
                user = accounts.ensure_user(session, login=f"{login}@six-roles", role=role, **known, **own)
            found = accounts.accounts_of(session, user)
        return sorted(found, key=lambda account: roles.index(account.role))

    return hire


def report(stage: Stage) -> None:
    """Take a call down at the desk, without the map."""
    page = stage.pages["dispatcher"]
    page.goto(f"{stage.served.url}/new-incident")
    choose(page, page.get_by_role("combobox", name="Class"), "Street lamp")
    take_place(page, "Castle Road")
    page.get_by_role("button", name="Report the incident").last.click()
    told = page.get_by_role("status").filter(has_text="is reported").get_by_role("link")
    stage.address = told.get_attribute("href") or ""


def test_six_roles_one_incident(stage: Stage, hires: Callable[..., list[accounts.Account]], tmp_path: Path) -> None:
    with db.transaction(system_actor()) as session:
        everybody_on_shift(session)
        units = dict(session.execute(text("SELECT code, id FROM unit")).all())
        shown = {account.role: account for account in accounts.demo_accounts(session)}
    for name, role in (("supervisor", Role.SUPERVISOR), ("auditor", Role.AUDITOR)):
        stage.enters(name, shown[role])
    stage.enters("parks", shown[Role.HANDLER])
    # The dispatcher and the handler of the highways have a second role each: that of a supervisor.
    dispatcher, as_supervisor = hires("dispatching", Role.DISPATCHER, Role.SUPERVISOR)
    handler, checks_himself = hires("roadwork", Role.HANDLER, Role.SUPERVISOR, unit_ids=(units["HW"],))
    (power,) = hires("electric", Role.HANDLER, unit_ids=(units["EL"],))
    people = {"dispatcher": dispatcher, "dispatcher again": as_supervisor, "highways": handler}
    for name, account in (people | {"highways again": checks_himself, "power": power}).items():
        stage.enters(name, account)

    report(stage)
    number = int(stage.address.partition("incident=")[2])
    with db.transaction(system_actor()) as session:
        sent = session.scalars(
            text("SELECT worker_id FROM task WHERE kind = 'verify' AND incident_id = :id"), {"id": number}
        ).one()
        areas = session.scalars(text("SELECT community_id FROM incident WHERE id = :id"), {"id": number}).all()
    stage.enters("worker", hires("walker", Role.GRID_WORKER, worker_id=sent, area_ids=tuple(areas))[0])
    stage.enters("manager", hires("neighbour", Role.GRID_MANAGER, area_ids=tuple(areas))[0])

    # The worker finds it on his Today and verifies it on site; only then it can be filed.
    stage.pages["worker"].goto(f"{stage.served.url}/")
    stage.pages["worker"].locator(f"a[href='{stage.address}']").first.wait_for()
    stage.acts("worker", "verify", "Found as reported", becomes="Reported")
    stage.acts("supervisor", "file", becomes="Filed")
    # To the wrong department, and back.
    stage.acts("dispatcher", "dispatch", "Parks and Greenery", becomes="Dispatched")
    stage.acts("parks", "return", "Not the work of this unit", becomes="Filed")
    # To the right one, with a second that helps.
    stage.acts("dispatcher", "dispatch", "Highways", becomes="Dispatched")
    stage.acts("dispatcher", "join", "Electricity Company", becomes="Dispatched")
    stage.acts("highways", "start", becomes="In work")
    stage.acts("power", "finish_part", becomes="In work")
    stage.acts("highways", "finish", becomes="Being checked")
    # The platform sent the worker of the grid to check; he is not content, and the supervisor sends it back.
    stage.acts("worker", "check", "Only partly solved", becomes="Being checked")
    stage.may_not_close(
        "dispatcher again", "You dispatched this incident, so you may not close it.", "Who dispatched incident"
    )
    stage.may_not_close(
        "highways again", "You handled this incident, so you may not verify it.", "Who handled an incident"
    )
    stage.acts("supervisor", "rework", "Only partly solved", becomes="In work")
    stage.does("highways", "finish")
    stage.does("worker", "check", reason="solved")
    stage.acts("supervisor", "close", becomes="Closed")
    # The citizen calls the grid manager: it went out again.
    stage.acts("manager", "reopen", "The citizen says it is not solved", becomes="Filed")
    stage.does("dispatcher", "dispatch", unit_id=units["HW"])
    stage.does("highways", "finish")
    stage.does("worker", "check", reason="solved")
    stage.does("supervisor", "close")

    # The auditor sees every act and may do none; the manager sees it closed.
    page = stage.looks("auditor")
    open_tab(page, "History")
    page.get_by_text("The record cannot be changed").wait_for()
    history = page.locator(".st-key-gk-detail")
    acts = ("verify", "file", "dispatch", "return", "join", "start", "finish", "check", "rework", "reopen", "close")
    for act in acts:
        expect(history).to_contain_text(ACT_WORDS[act][0])
    expect(page.locator("[class*='st-key-gk_act_']")).to_have_count(0)
    stage.looks("manager").locator(".st-key-gk-detail p").filter(has_text="· Closed").first.wait_for()
    record_holds(number, tmp_path)


def record_holds(number: int, folder: Path) -> None:
    """The record holds this incident and agrees with a head that was kept; one changed byte is found at its row."""
    kept, bent, answer = folder / "record.jsonl", folder / "bent.jsonl", folder / "answer.json"
    head = folder / "head.txt"

    def run(capture: Path, *arguments: str) -> int:
        with pytest.raises(SystemExit) as ended, capture.open("w") as out, pytest.MonkeyPatch.context() as patched:
            patched.setattr("sys.stdout", out)
            main(["record", *arguments])
        return int(ended.value.code or 0)

    def verified(file: Path) -> tuple[int, dict[str, Any]]:
        return run(answer, "verify", str(file), "--head", str(head), "--json"), json.loads(answer.read_text())

    assert run(answer, "seal", "--json") == 0
    assert run(head, "head") == 0
    assert run(answer, "export", str(kept), "--json") == 0
    ended, told = verified(kept)
    assert (ended, told["ok"], told["first_bad"], told["published_heads"]) == (0, True, None, 1)
    lines = kept.read_bytes().splitlines(keepends=True)
    named = f'\\"{number}\\"'.encode()  # so that not every line is parsed
    places = [place for place, line in enumerate(lines) if named in line and _subject(line) == str(number)]
    became = {(_row(lines[place])[AFTER] or {}).get("status") for place in places}
    assert became - {None} == {"reported", "filed", "dispatched", "handling", "checking", "closed"}
    place = places[len(places) // 2]
    seq, at = _row(lines[place])[SEQ], lines[place].index(b"incident")
    lines[place] = lines[place][:at] + bytes([lines[place][at] ^ 1]) + lines[place][at + 1 :]
    bent.write_bytes(b"".join(lines))
    ended, told = verified(bent)
    assert (ended, told["ok"], told["first_bad"]) == (1, False, seq)


def _row(line: bytes) -> list[Any]:
    """Return the row that a line of an export holds, as `gk_record_text` writes it; empty for any other line."""
    parts = json.loads(line)
    return list(json.loads(parts[1])) if isinstance(parts, list) and parts[0] in {"r", "u"} else []


def _subject(line: bytes) -> str | None:
    """Return which incident the row of a line is of; None for a row of another table."""
    row = _row(line)
    return str(row[SUBJECT]) if row and row[TABLE] == "incident" else None
