"""The record of a real city: sealed, exported, checked; bent by who owns the database, and found."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.errors import DataQuality
from core.identity import Role, system_actor
from geodata import record_proof, sealing
from geodata.db import as_actor, transaction
from geodata.embedded import OWNER, Cluster
from geodata.heads import open_note, read_notes
from geodata.merkle import inclusion_proof, is_included
from people import accounts
from tests.conftest import engine_for


@pytest.fixture(scope="module")
def sealed(demo_database: Engine) -> Engine:
    """The demo city with all of its record sealed, in batches of nine."""
    while True:
        with transaction(system_actor()) as session:
            if sealing.seal(session, rows=9) is None:
                return demo_database


@pytest.fixture
def owner(sealed: Engine, cluster: Cluster) -> Iterator[Engine]:
    """Who owns the database and can do what no other may."""
    assert sealed.url.database is not None
    engine = engine_for(cluster, sealed.url.database, OWNER)
    yield engine
    engine.dispose()


def check(session: Session) -> record_proof.Verdict:
    return record_proof.verify(record_proof.lines(session), [sealing.verifier()])


def bent(owner: Engine, *statements: str) -> record_proof.Verdict:
    """What a check finds after the owner did something; it is undone."""
    with owner.connect() as connection, Session(connection) as session:
        as_actor(session, system_actor())
        for table in ("record", "load_row", "record_batch"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            session.execute(text(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"))
        for statement in statements:
            assert session.execute(text(statement)).rowcount > 0, statement  # type: ignore[attr-defined]
        found = check(session)
        session.rollback()
    return found


def test_the_whole_record_is_sealed_and_fits(sealed: Engine) -> None:
    del sealed
    with transaction(system_actor()) as session:
        verdict = check(session)
        last = sealing.latest(session)
        assert verdict.ok, verdict.reason
        assert last is not None
        assert (verdict.sealed, verdict.records) == (last.tree_size, last.tree_size + sealing.unsealed(session))
        assert sealing.unsealed(session) == 0
        assert sealing.check_head(last.head) == last.tree_size


ONE = "(SELECT seq FROM record WHERE batch_id = 2 ORDER BY seq OFFSET 3 LIMIT 1)"


@pytest.mark.parametrize(
    "statements",
    [
        (f"UPDATE record SET actor_label = 'nobody' WHERE seq = {ONE}",),
        (f"UPDATE record SET at = at - interval '1 day' WHERE seq = {ONE}",),
        (
            f"UPDATE record SET purpose = 'x' WHERE seq = {ONE}",
            f"UPDATE record AS r SET row_hash = sha256(convert_to(gk_record_text(r), 'UTF8')) WHERE seq = {ONE}",
        ),
        (f"DELETE FROM record WHERE seq = {ONE}",),
        (f"UPDATE record SET batch_id = 1 WHERE seq = {ONE}",),
        (f"UPDATE record SET batch_id = NULL WHERE seq = {ONE}",),
        ("DELETE FROM record WHERE batch_id = 1",),
        ("UPDATE record_batch SET root_hash = sha256('x'::bytea), head = replace(head, 'time', 'tima') WHERE id = 1",),
        ("UPDATE load_row SET after = '{}' WHERE record_seq = (SELECT min(record_seq) FROM load_row) AND row_no = 1",),
        ("DELETE FROM load_row WHERE record_seq = (SELECT min(record_seq) FROM load_row) AND row_no = 1",),
    ],
)
def test_whatever_the_owner_changes_is_found(owner: Engine, statements: tuple[str, ...]) -> None:
    verdict = bent(owner, *statements)
    assert not verdict.ok
    assert verdict.reason
    assert verdict.first_bad is not None


def test_a_cut_tail_is_found_against_a_published_head(owner: Engine, sealed: Engine, tmp_path: Path) -> None:
    del sealed
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
    assert last is not None
    day = sealing.publish(last, tmp_path)
    published = [open_note(note, [sealing.verifier()]) for note in read_notes(day.read_text())]
    with owner.connect() as connection, Session(connection) as session:
        as_actor(session, system_actor())
        for table in ("record", "record_batch"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text("DELETE FROM record WHERE batch_id = (SELECT max(id) FROM record_batch)"))
        session.execute(text("DELETE FROM record_batch WHERE id = (SELECT max(id) FROM record_batch)"))
        assert check(session).ok
        verdict = record_proof.verify(record_proof.lines(session), [sealing.verifier()], published)
        session.rollback()
    assert not verdict.ok
    assert "the end is missing" in verdict.reason


@pytest.mark.parametrize("name", ["record.jsonl", "record.jsonl.gz"])
def test_an_export_needs_nothing_but_itself_and_a_key(sealed: Engine, tmp_path: Path, name: str) -> None:
    del sealed
    path = tmp_path / name
    with transaction(system_actor()) as session:
        rows = record_proof.export(session, path, sealing.verifier())
    verdict = record_proof.verify(record_proof.read(path), [sealing.verifier()])
    assert verdict.ok, verdict.reason
    assert verdict.records == rows > 0
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_row_is_proven_by_a_short_path(sealed: Engine) -> None:
    del sealed
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
        assert last is not None
        seq = session.execute(text("SELECT max(seq) FROM record WHERE batch_id = 2")).scalar_one()
        leaves = list(sealing.leaves(session, last.tree_size))
        index = sealing.leaf_index(session, seq)
        assert index is not None
        path = inclusion_proof(leaves, index)
        assert is_included(leaves[index], index, last.tree_size, path, last.root)
        assert len(path) <= last.tree_size.bit_length()
        assert sealing.leaf_index(session, 10**12) is None


def test_nobody_but_the_system_seals_and_no_batch_is_forged(sealed: Engine) -> None:
    with transaction(system_actor()) as session:
        auditor = next(each for each in accounts.demo_accounts(session) if each.role is Role.AUDITOR).actor("en")
    forged = text("SELECT gk_seal(ARRAY[1]::bigint[], :size, sha256('x'), ARRAY[]::bytea[], 'x')")
    for actor, size in ((auditor, 1), (system_actor(), 1), (system_actor(), 10**9)):
        with pytest.raises(DBAPIError), transaction(actor) as session:
            session.execute(forged, {"size": size})
    inserted = (
        "INSERT INTO record_batch (first_seq, last_seq, root_hash, sealed_at, tree_size, peaks, head)"
        " VALUES (1, 1, '', now(), 1, '{}', '')"
    )
    with sealed.connect() as connection:
        for statement in ("UPDATE record_batch SET head = ''", "DELETE FROM record_batch", inserted):
            with pytest.raises(DBAPIError, match="permission denied"):
                connection.execute(text(statement))
            connection.rollback()


def test_rows_committed_late_come_into_a_later_batch(sealed: Engine) -> None:
    """A long transaction that drew its numbers first holds nobody up, and is not lost."""
    late = Session(sealed)
    as_actor(late, system_actor(label="late"))
    late.execute(text("SELECT gk_record_event('looked', 'incident', '1', '{}')"))
    with transaction(system_actor(label="early")) as session:
        session.execute(text("SELECT gk_record_event('looked', 'incident', '2', '{}')"))
    with transaction(system_actor()) as session:
        first = sealing.seal(session)
    late.commit()
    late.close()
    with transaction(system_actor()) as session:
        second = sealing.seal(session)
        assert first is not None
        assert second is not None
        assert second.first_seq < first.first_seq
        assert check(session).ok


def test_two_who_seal_at_once_make_one_line_of_batches(sealed: Engine) -> None:
    for number in range(40):
        with transaction(system_actor()) as session:
            session.execute(text("SELECT gk_record_event('looked', 'incident', :id, '{}')"), {"id": str(number)})
    del sealed

    def work() -> None:
        for _ in range(10):
            with transaction(system_actor()) as session:
                sealing.seal(session, rows=3)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with transaction(system_actor()) as session:
        assert sealing.unsealed(session) == 0
        assert check(session).ok


def test_a_broken_batch_is_not_sealed_on(owner: Engine) -> None:
    with owner.connect() as connection, Session(connection) as session:
        as_actor(session, system_actor())
        session.execute(text("ALTER TABLE record_batch DISABLE TRIGGER USER"))
        session.execute(text("UPDATE record_batch SET peaks = '{}'"))
        session.execute(text("SELECT gk_record_event('looked', 'incident', '1', '{}')"))
        with pytest.raises(DataQuality, match="not sealed on"):
            sealing.seal(session)
        session.rollback()


def test_heads_of_a_day_are_one_file_and_the_last_of_each_day_is_told(sealed: Engine, tmp_path: Path) -> None:
    del sealed
    with transaction(system_actor()) as session:
        newest = sealing.batches(session, limit=2)
        told = sealing.daily(session, "Europe/London", days=7)
    for batch in reversed(newest):
        day = sealing.publish(batch, tmp_path)
    assert read_notes(day.read_text()) == [batch.head for batch in reversed(newest)]
    assert (tmp_path / "head.txt").read_text() == newest[0].head
    assert (tmp_path / "keys.txt").read_text().splitlines() == [sealing.verifier().line()]
    assert [batch.id for _, batch in told] == [newest[0].id]
    assert told[0][0] - newest[0].sealed_at.date() <= dt.timedelta(days=1)
