"""Hearing of changes from the record: what is told once, late, and after a reconnection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from geodata.changes import EVERYTHING, MOST, Changes


class Record:
    """A record with writers that draw a number and commit later; transactions are numbered from 10."""

    def __init__(self) -> None:
        self.last, self.next, self.ended = 0, 10, 9
        self.rows: dict[int, tuple[int, str]] = {}
        self.writing: dict[int, list[tuple[int, int, str]]] = {}

    def begin(self) -> int:
        self.next += 1
        self.writing[self.next - 1] = []
        return self.next - 1

    def write(self, one: int, territory: int, subject: str) -> None:
        self.last += 1
        self.writing[one].append((self.last, territory, subject))

    def commit(self, one: int) -> None:
        self.rows |= {seq: (territory, subject) for seq, territory, subject in self.writing.pop(one)}
        self.ended = max(self.ended, one)

    def look(self, changes: Changes) -> list[str]:
        asked, counted = changes.asked, {}
        for seq, key in self.rows.items():
            if seq > asked["since"]:
                many, more = counted.get(key, (0, 0))
                counted[key] = many + 1, more + (seq > asked["upto"])
        rows = [[*key, *both] for key, both in counted.items()]
        # As PostgreSQL says it: of transactions above the highest that ended nothing is known.
        low = min((one for one in self.writing if one <= self.ended), default=self.ended + 1)
        mark = self.begin() if asked["mark"] else None
        if mark is not None:
            self.commit(mark)
        return changes.learn({"last": self.last, "low": low, "mark": mark, "rows": rows})


def _listening(record: Record) -> Changes:
    changes = Changes()
    for _ in range(4):
        record.look(changes)
    return changes


def test_each_commit_is_told_once_and_when_it_is_there():
    record = Record()
    changes = _listening(record)
    slow, quick = record.begin(), record.begin()
    record.write(slow, 1, "incident")
    record.write(quick, 1, "task")
    record.commit(quick)
    assert record.look(changes) == ["1:tasks"]
    for _ in range(5):
        assert record.look(changes) == []
    record.commit(slow)  # its number is lower than one that was told
    assert record.look(changes) == ["1:incidents"]
    for _ in range(5):
        assert record.look(changes) == []


def test_who_begins_to_listen_hears_of_everything_once_what_was_being_written_is_there():
    record = Record()
    slow = record.begin()
    record.write(slow, 1, "incident")
    changes = Changes()
    assert [record.look(changes) for _ in range(4)] == [[], [], [], []]
    record.commit(slow)
    assert record.look(changes) == [EVERYTHING]
    assert record.look(changes) == []


def test_a_very_long_writer_among_many_others_is_told_as_everything():
    record = Record()
    changes = _listening(record)
    slow = record.begin()
    record.write(slow, 1, "incident")
    for _ in range(3):
        one = record.begin()
        for _ in range(MOST // 2):
            record.write(one, 2, "task")
        record.commit(one)
        assert "2:tasks" in record.look(changes)
    assert changes.asked["since"] > 1
    record.commit(slow)
    assert EVERYTHING in [each for _ in range(3) for each in record.look(changes)]


@given(st.lists(st.tuples(st.sampled_from(["begin", "write", "commit", "look"]), st.integers(0, 3), st.integers(1, 2))))
def test_nothing_that_was_committed_stays_untold(steps: list[tuple[str, int, int]]):
    record = Record()
    changes = _listening(record)
    untold: set[str] = set()
    for what, which, territory in [*steps, ("look", 0, 1)]:
        going = sorted(record.writing)
        if what == "begin":
            record.begin()
        elif what == "look":
            assert untold <= set(record.look(changes))
            untold.clear()
        elif going:
            one = going[which % len(going)]
            if what == "write":
                record.write(one, territory, "task")
            else:
                untold |= {f"{each}:tasks" for _, each, _ in record.writing[one]}
                record.commit(one)
