"""The catalogue on a real database: entries, requests and grants held by row-level security, uses, DCAT, commands."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import rdflib
import shapely
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.api import export as export_route
from app.cli import main
from core.clock import now
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import asking, catalogue, catalogue_dcat, features, giving
from geodata.catalogue import Said
from geodata.catalogue_model import PERSONAL_ROLES
from geodata.features import Wanted
from layers import data_sets
from people import tokens
from tests.db.lamps import KEY

ActAs = Callable[[Actor], Session]


def seen(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM data_set_row")) or 0)


def test_a_request_becomes_a_grant_that_ends_by_itself(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    handler, planner, supervisor = (officers[each] for each in (Role.HANDLER, Role.PLANNER, Role.SUPERVISOR))
    for actor in (handler, planner):
        session = acting(actor)
        assert seen(session) == 0
        assert not catalogue.entry(session, actor, KEY).readable
        with pytest.raises(NotFound):
            catalogue.source_of(session, actor, KEY)
        assert KEY not in catalogue.sources(session, actor)
        with pytest.raises(InvalidInput):
            asking.ask(session, actor, KEY, purpose=" ", days=30)
        asking.ask(session, actor, KEY, purpose="Cut trees", days=30)
        with pytest.raises(Conflict):
            asking.ask(session, actor, KEY, purpose="Cut trees", days=30)
    assert [each.asked_label for each in asking.listed(acting(handler), handler)] == [handler.label]
    session = acting(supervisor)
    before = now() - dt.timedelta(hours=1)  # the clock of the test's one transaction stands
    asked = {each.asked_label: each for each in asking.listed(session, supervisor)}
    with pytest.raises(InvalidInput, match="reason"):
        asking.decide(session, supervisor, asked[handler.label].id, grant=True, reason="")
    asking.decide(session, supervisor, asked[handler.label].id, grant=True, reason="For the season", days=10, at=before)
    asking.decide(session, supervisor, asked[planner.label].id, grant=False, reason="No need shown")
    with pytest.raises(Conflict):
        asking.decide(session, supervisor, asked[planner.label].id, grant=True, reason="x")
    assert seen(acting(planner)) == 0
    session = acting(handler)
    assert seen(session) == 3
    mine = asking.listed(session, handler)[0]
    assert mine.state == "granted"
    assert mine.reason == "For the season"
    assert mine.until is not None
    assert mine.until == before + dt.timedelta(days=10)
    session = acting(system_actor(handler.territory_id))
    grant = session.scalar(text("SELECT id FROM data_grant"))
    assert grant is not None
    session = acting(supervisor)
    asking.end(session, supervisor, grant)
    assert seen(acting(handler)) == 0
    with pytest.raises(Conflict):
        asking.end(acting(supervisor), supervisor, grant)
    recorded = acting(system_actor()).scalars(
        text("SELECT subject_table || ' ' || action FROM record WHERE subject_table LIKE 'data_%' ORDER BY seq")
    )
    assert {"data_request insert", "data_request update", "data_grant insert", "data_grant update"} <= set(recorded)


def test_a_grant_that_has_run_out_opens_nothing(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    handler = officers[Role.HANDLER]
    session = acting(system_actor(handler.territory_id))
    for start, end, expected in (("-9 days", "-1 hour", 0), ("1 hour", "2 days", 0), ("-1 hour", "1 hour", 3)):
        request = session.scalar(
            text(
                "INSERT INTO data_request (territory_id, data_set_id, unit_id, asked_label, purpose, days, state,"
                " reason, decided_at) VALUES (:t, :d, :u, 'x', 'x', 30, 'granted', 'x', now()) RETURNING id"
            ),
            {"t": handler.territory_id, "d": lamps, "u": handler.unit_ids[0]},
        )
        session.execute(
            text(
                "INSERT INTO data_grant (territory_id, data_set_id, request_id, unit_id, valid_from, valid_until)"
                " VALUES (:t, :d, :r, :u, now() + CAST(:a AS interval), now() + CAST(:b AS interval))"
            ),
            {"t": handler.territory_id, "d": lamps, "r": request, "u": handler.unit_ids[0], "a": start, "b": end},
        )
        assert seen(acting(handler)) == expected
        session = acting(system_actor(handler.territory_id))


def test_nobody_decides_for_himself_nor_more_than_was_asked(
    acting: ActAs, officers: dict[Role, Actor], lamps: int
) -> None:
    supervisor, planner, auditor = (officers[each] for each in (Role.SUPERVISOR, Role.PLANNER, Role.AUDITOR))
    session = acting(planner)
    request = asking.ask(session, planner, KEY, purpose="Light", days=30)
    with pytest.raises(NotPermitted):
        asking.decide(session, planner, request, grant=True, reason="I want it")
    with pytest.raises(InvalidInput, match="already"):
        asking.ask(acting(supervisor), supervisor, KEY, purpose="x", days=1)
    with pytest.raises(NotFound):
        asking.decide(acting(auditor), auditor, request, grant=True, reason="x")
    with pytest.raises(InvalidInput, match="30 days"):
        asking.decide(acting(supervisor), supervisor, request, grant=True, reason="x", days=31)
    forged = (
        f"UPDATE data_request SET state = 'granted', reason = 'x', decided_at = now() WHERE id = {request}",
        f"UPDATE data_request SET days = 300 WHERE id = {request}",
        (
            "INSERT INTO data_grant (territory_id, data_set_id, request_id, user_id, valid_from, valid_until)"
            " SELECT territory_id, data_set_id, id, asked_by, now(), now() + interval '1 day' FROM data_request"
            f" WHERE id = {request}"
        ),
    )
    for statement in forged:
        session = acting(planner)
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))
    asking.withdraw(acting(planner), planner, request)
    with pytest.raises(Conflict):
        asking.decide(acting(supervisor), supervisor, request, grant=True, reason="x")


def test_a_named_steward_decides_in_the_supervisors_place(
    acting: ActAs, officers: dict[Role, Actor], lamps: int
) -> None:
    supervisor, planner, auditor = (officers[each] for each in (Role.SUPERVISOR, Role.PLANNER, Role.AUDITOR))
    session = acting(supervisor)
    entry = catalogue.entry(session, supervisor, KEY)
    said = Said("Street lamps", "路灯", "All of them", "全部", "Own", "monthly", auditor.user_id, "restricted",
                entry.owner_unit_id)  # fmt: skip
    catalogue.say(session, supervisor, KEY, said, version=0)
    with pytest.raises(Conflict):
        catalogue.say(session, supervisor, KEY, said, version=0)
    with pytest.raises(NotPermitted):
        catalogue.say(acting(planner), planner, KEY, said, version=1)
    request = asking.ask(acting(planner), planner, KEY, purpose="Light", days=5)
    with pytest.raises(NotFound):
        asking.decide(acting(supervisor), supervisor, request, grant=True, reason="x")
    before = now() - dt.timedelta(hours=1)
    asking.decide(acting(auditor), auditor, request, grant=True, reason="Is needed", at=before)
    assert seen(acting(planner)) == 3
    told = catalogue.entry(acting(planner), planner, KEY)
    assert (told.offer.title_zh, told.rhythm, told.rows) == ("路灯", "monthly", 3)
    assert told.stale(now() + dt.timedelta(days=63))
    assert not told.stale(now())
    assert told.steward
    assert told.quality == {"validity": 1}


def test_rows_of_a_data_set_leave_without_what_names_a_person(
    acting: ActAs, officers: dict[Role, Actor], lamps: int, tmp_path: Path
) -> None:
    supervisor = officers[Role.SUPERVISOR]
    session = acting(supervisor)
    source = catalogue.source_of(session, supervisor, KEY)
    home = supervisor.territory_id or 0
    names = [each.name for each in source.offer.fields]
    assert names == ["no", "watts", "built", "seen", "share", "on", "unit_grid"]
    page = features.page(session, source, home, Wanted())
    told = {each["id"]: each for each in map(json.loads, page.features)}
    assert set(told) == {"L1", "L2", "100%{x}"}
    assert "Secret" not in "".join(page.features)
    one = told["L1"]["properties"]
    assert (one["watts"], one["built"], one["share"], one["on"]) == (40, "2019-05-01", 0.5, True)
    assert json.loads(features.one(session, source, home, "100%{x}", Wanted()))["properties"]["watts"] == 60
    assert [json.loads(each)["id"] for each in features.page(session, source, home, Wanted(limit=2)).features] == [
        "100%{x}",
        "L1",
    ]
    rest = features.page(session, source, home, Wanted(after="L1"))
    assert [json.loads(each)["id"] for each in rest.features] == ["L2"]
    boxed = features.page(session, source, home, Wanted(boxes=((-1.2895, 50.69, -1.2885, 50.70),)))
    assert [json.loads(each)["id"] for each in boxed.features] == ["L2"]
    assert boxed.matched == 1
    since = features.page(session, source, home, Wanted(since=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)))
    assert len(since.features) == 1
    assert len(features.tile(session, source, home, (12, 2033, 1374), 100)) >= 0
    for form in giving.FORMATS:
        path = tmp_path / f"lamps.{form}"
        assert giving.write(session, source, home, form, path).rows == 3
        assert b"Secret" not in path.read_bytes()


def test_a_key_that_names_a_person_stays_too(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    supervisor = officers[Role.SUPERVISOR]
    home = supervisor.territory_id or 0
    tile: dict[str, object] = {"territory": home, "z": 13, "x": 4066, "y": 2753, "pixel": 1e-5}
    for key, told in (("no", True), ("keeper", False), ("", False)):  # without a key, it is the digest of all columns
        session = acting(system_actor(home))
        session.execute(
            text("UPDATE data_set SET natural_key = string_to_array(:k, ',') WHERE id = :d"), {"k": key, "d": lamps}
        )
        session = acting(supervisor)
        source = catalogue.source_of(session, supervisor, KEY)
        found = [json.loads(each) for each in features.page(session, source, home, Wanted()).features]
        assert ("L1" in {each["id"] for each in found}) is told
        assert len({each["id"] for each in found}) == 3
        for each in found:
            assert json.loads(features.one(session, source, home, each["id"], Wanted())) == each
        rest = features.page(session, source, home, Wanted(after=found[1]["id"]))
        assert [json.loads(each)["id"] for each in rest.features] == [found[2]["id"]]
        held = features.driver_of(session).execute(data_sets.statement(13), tile).fetchone()
        assert held is not None
        assert b"lamps" in held[0]
        assert (b"L1" in held[0]) is told
    roles = {each.strip(" '") for each in data_sets.PERSONAL.split(",")}
    assert roles == PERSONAL_ROLES


def test_the_catalogue_tells_who_used_what_and_what_nobody_does(
    acting: ActAs, officers: dict[Role, Actor], lamps: int
) -> None:
    supervisor, handler = officers[Role.SUPERVISOR], officers[Role.HANDLER]
    session = acting(handler)
    for _ in range(2):
        catalogue.note_use(session, handler, "facilities", "export", rows=5, joined=["unit-grids"])
    assert catalogue.uses(session, handler, "facilities") == []
    assert catalogue.report(session, handler, at=now() + dt.timedelta(days=365))["unused"] == []  # he cannot know
    session = acting(supervisor)
    use = catalogue.uses(session, supervisor, "facilities")[0]
    assert (use.label, use.way, use.times, use.rows, use.joined) == (handler.label, "export", 2, 10, ("unit-grids",))
    entry = next(each for each in catalogue.entries(session, supervisor) if each.key == "facilities")
    assert entry.last_use == use
    later = now() + dt.timedelta(days=91)
    report = catalogue.report(session, supervisor, at=later)
    assert "facilities" in {each.key for each in report["unused"]}
    assert catalogue.forget_uses(acting(system_actor()), system_actor(), later) == 1


def test_dcat_says_titles_rights_and_where_to_get_it(acting: ActAs, officers: dict[Role, Actor], lamps: int) -> None:
    planner = officers[Role.PLANNER]
    session = acting(planner)
    known = catalogue.entries_measured(session, planner)
    assert known == [catalogue.entry(session, planner, each.key) for each in known]
    told = catalogue_dcat.document(known, base="https://city.example/", publisher="Tiny Town", at=now())
    sets = {each["dct:identifier"]: each for each in told["dcat:dataset"]}
    assert set(sets) == {each.key for each in known}
    assert "incidents" not in sets
    assert sets["facilities"]["dct:title"][1] == {"@value": "设施", "@language": "zh"}
    assert sets["streets"]["dct:accessRights"]["@id"].endswith("/PUBLIC")
    assert sets[KEY]["dct:accessRights"]["@id"].endswith("/RESTRICTED")
    assert "dcat:distribution" not in sets[KEY]
    assert len(sets["facilities"]["dcat:distribution"]) == 5
    assert sets["facilities"]["dcat:distribution"][0]["dct:license"]["@id"].endswith("/ODC_BL")
    for one in sets.values():  # what DCAT-AP makes mandatory
        assert one["@type"] == "dcat:Dataset"
        assert one["dct:title"]
        assert one["dct:description"]
    as_a_stranger_reads_it(catalogue_dcat.as_text(told), entries=len(known))


MANDATORY = {
    rdflib.DCAT.Catalog: (rdflib.DCTERMS.title, rdflib.DCTERMS.description, rdflib.DCTERMS.publisher),
    rdflib.DCAT.Dataset: (rdflib.DCTERMS.title, rdflib.DCTERMS.description),
    rdflib.DCAT.Distribution: (rdflib.DCAT.accessURL,),
    rdflib.DCAT.DataService: (rdflib.DCTERMS.title, rdflib.DCAT.endpointURL),
    rdflib.FOAF.Agent: (rdflib.FOAF.name,),
}
"""What DCAT-AP 3.0 makes mandatory, by class."""
ONE_AT_MOST = {
    rdflib.DCAT.Catalog: ("publisher", "modified", "issued", "license", "rights"),
    rdflib.DCAT.Dataset: ("publisher", "accessRights", "accrualPeriodicity", "modified", "issued"),
    rdflib.DCAT.Distribution: ("license", "format", "modified", "issued", "rights"),
    rdflib.DCAT.DataService: ("license", "accessRights"),
    rdflib.FOAF.Agent: ("type",),
}
"""Terms of Dublin Core that a node of a class bears once at most."""
TEXTS = (rdflib.DCTERMS.title, rdflib.DCTERMS.description, rdflib.DCTERMS.identifier, rdflib.FOAF.name)
RANGES = {
    rdflib.DCTERMS.publisher: rdflib.FOAF.Agent, rdflib.DCAT.distribution: rdflib.DCAT.Distribution,
    rdflib.DCAT.dataset: rdflib.DCAT.Dataset, rdflib.DCAT.service: rdflib.DCAT.DataService,
    rdflib.DCAT.accessService: rdflib.DCAT.DataService, rdflib.DCAT.servesDataset: rdflib.DCAT.Dataset,
    rdflib.DCTERMS.spatial: rdflib.DCTERMS.Location,
    rdflib.DCAT.contactPoint: rdflib.URIRef("http://www.w3.org/2006/vcard/ns#Kind"),
    rdflib.DCTERMS.provenance: rdflib.DCTERMS.ProvenanceStatement,
}  # fmt: skip
ADDRESSES = (
    rdflib.DCAT.accessURL, rdflib.DCAT.downloadURL, rdflib.DCAT.endpointURL, rdflib.DCAT.mediaType,
    rdflib.DCAT.accessService, rdflib.DCTERMS.accessRights,
    rdflib.DCTERMS.accrualPeriodicity, rdflib.DCTERMS["format"], rdflib.DCTERMS.language,
)  # fmt: skip


def keeps_to_the_profile(graph: rdflib.Graph) -> None:
    """Check what DCAT-AP says of how often, as what and to whom."""
    for kind, names in ONE_AT_MOST.items():
        for node in graph.subjects(rdflib.RDF.type, kind):
            for name in names:
                assert len(set(graph.objects(node, rdflib.DCTERMS[name]))) <= 1, (kind, name)
    for each in TEXTS:
        assert all(isinstance(value, rdflib.Literal) and str(value) for value in graph.objects(None, each)), each
    for each, kind in RANGES.items():
        assert all((value, rdflib.RDF.type, kind) in graph for value in graph.objects(None, each)), each


def as_a_stranger_reads_it(document: str, *, entries: int) -> None:
    """Read it as linked data: every node has what its class must have, and addresses are addresses."""
    graph = rdflib.Graph().parse(data=document, format="json-ld")
    catalogue_node = graph.value(predicate=rdflib.RDF.type, object=rdflib.DCAT.Catalog)
    assert len(set(graph.objects(catalogue_node, rdflib.DCAT.dataset))) == entries
    for kind, properties in MANDATORY.items():
        nodes = set(graph.subjects(rdflib.RDF.type, kind))
        assert nodes, kind
        for node in nodes:
            for each in properties:
                assert graph.value(node, each) is not None, (kind, each)
    keeps_to_the_profile(graph)
    for each in ADDRESSES:
        found = list(graph.objects(None, each))
        assert found, each
        assert all(isinstance(value, rdflib.URIRef) for value in found), each
    shapes = list(graph.objects(None, rdflib.DCAT.bbox))
    assert shapes
    for shape in shapes:
        assert str(getattr(shape, "datatype", "")).endswith("#wktLiteral")
        assert shapely.from_wkt(str(shape)).is_valid
    for moment in graph.objects(None, rdflib.DCTERMS.modified):
        assert isinstance(moment.toPython(), dt.datetime)  # type: ignore[attr-defined]


def test_commands_list_show_and_export(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, demo_database: object
) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as done:
            main(list(arguments))
        told = capsys.readouterr()
        return int(done.value.code or 0), told.out or told.err

    code, out = run("catalogue", "show", "streets", "--json")
    assert code == 0, out
    length = {"name": "length_m", "kind": "number", "title": "Length", "title_zh": "长度", "unit": "m"}
    assert length in json.loads(out)["columns"]
    code, out = run("export", "facilities", str(tmp_path / "f.gpkg"), "--json")
    assert code == 0, out
    assert (tmp_path / "f.gpkg").stat().st_size > 0
    assert json.loads(out)["rows"] > 0
    for wrong in (
        ("export", "facilities", str(tmp_path / "f.gpkg")),
        ("export", "facilities", str(tmp_path / "f.shp")),
    ):
        assert run(*wrong)[0] == 2
    code, out = run("catalogue", "report", "--json")
    assert code == 0, out
    told = json.loads(out)
    assert set(told) == {"stale", "unused"}
    assert all(
        set(each) == {"key", "title", "updated_at", "rhythm", "last_read", "last_reader"} for each in told["stale"]
    )
    assert "never" in run("catalogue", "report")[1] or not told["unused"]
    code, out = run("catalogue", "export", str(tmp_path / "c.jsonld"), "--json")
    assert code == 0, out
    assert json.loads((tmp_path / "c.jsonld").read_text())["@type"] == "dcat:Catalog"


def test_tokens_are_few_named_and_end(acting: ActAs, officers: dict[Role, Actor]) -> None:
    manager, administrator = officers[Role.GRID_MANAGER], officers[Role.ADMINISTRATOR]
    session = acting(manager)
    for wrong in ({"name": " "}, {"name": "x", "days": 0}, {"name": "x", "days": 400}):
        with pytest.raises(InvalidInput):
            tokens.issue(session, manager, **wrong)  # type: ignore[arg-type]
    with pytest.raises(NotPermitted):
        tokens.issue(session, manager, name="x", user_id=administrator.user_id)
    made = tokens.issue(session, manager, name="GIS", days=1)
    assert [each.name for each in tokens.mine(session, manager)] == ["GIS"]
    session = acting(system_actor())
    assert tokens.actor_of(session, made.secret) == manager
    assert tokens.actor_of(session, made.secret, at=now() + dt.timedelta(days=2)) is None
    assert tokens.actor_of(session, made.secret[:-1]) is None
    session.execute(text("UPDATE app_user SET active = false WHERE id = :id"), {"id": manager.user_id})
    assert tokens.actor_of(session, made.secret) is None
    session = acting(administrator)
    assert made.id in {each.id for each in tokens.of(session, administrator)}
    tokens.end(session, administrator, made.id)
    with pytest.raises(NotFound):
        tokens.end(session, administrator, made.id)
    assert export_route.address_of("x", "csv", with_grid=True) == "/api/export/x.csv?grid=1"
