"""Whatever is changed: the inverse takes it back, and no row is touched that the change does not name."""

from __future__ import annotations

import datetime as dt
import json

from hypothesis import given
from hypothesis import strategies as st

from incidents.deadlines import UNITS
from incidents.rule_checks import violations
from incidents.rule_words import sentence
from incidents.rules import CALENDAR, CLASS, DAY, LIMIT, again, apply, edit_from, edits_for, moved, undo
from tests.shipped_rules import shipped_rules

RULES = shipped_rules()
TODAY = dt.date(2026, 11, 20)
CLASSES = sorted(key for table, key in RULES if table == CLASS)
LIMITS = sorted(key for table, key in RULES if table == LIMIT)
NAMES = st.text(st.characters(categories=("L", "N", "Zs")), min_size=1, max_size=20)
DAYS = st.dates(dt.date(2025, 1, 1), dt.date(2027, 12, 31)).map(lambda day: (DAY, f"office-gb|{day}"))


def present(key):
    return RULES.get(key) is not None


changed_class = st.tuples(
    st.sampled_from(CLASSES).map(lambda key: (CLASS, key)),
    st.fixed_dictionaries(
        {},
        optional={"name_en": NAMES, "priority": st.integers(1, 4), "emergency": st.booleans(), "active": st.booleans()},
    ),
)
changed_limit = st.tuples(
    st.sampled_from(LIMITS).map(lambda key: (LIMIT, key)),
    st.fixed_dictionaries(
        {}, optional={"value": st.integers(1, 900).map(float), "unit": st.sampled_from(UNITS), "source": NAMES}
    ),
)
day_made = st.tuples(DAYS, st.fixed_dictionaries({"kind": st.sampled_from(["holiday", "workday"]), "name": NAMES}))
day_gone = st.tuples(DAYS.filter(present), st.none())
hours = st.tuples(
    st.just((CALENDAR, "office-gb")),
    st.fixed_dictionaries({"hours": st.just({"1": [["08:00", "12:00"]], "3": [["10:00", "18:00"]]})}),
)
wanted = st.lists(st.one_of(changed_class, changed_limit, day_made, day_gone, hours), max_size=12).map(dict)


def contents(rules):
    return {key: dict(row.fields) for key, row in rules.items()}


@given(wanted)
def test_a_change_and_its_inverse_restore_every_value(asked):
    edits = edits_for(RULES, asked)
    after = apply(RULES, edits)
    back = apply(after, edits_for(after, undo(edits)))
    assert contents(back) == contents(RULES)


@given(wanted)
def test_a_change_touches_no_row_that_it_does_not_name(asked):
    edits = edits_for(RULES, asked)
    after = apply(RULES, edits)
    named = {(edit.table, edit.key) for edit in edits}
    assert named <= set(asked)
    for key in {*RULES, *after} - named:
        assert after[key] is RULES[key]
    for edit in edits:
        row = after.get((edit.table, edit.key))
        assert (None if row is None else row.fields) == edit.after


@given(wanted)
def test_what_was_proposed_is_what_is_stored_said_and_found_unmoved(asked):
    edits = edits_for(RULES, asked)
    assert tuple(edit_from(json.loads(json.dumps(edit.as_json()))) for edit in edits) == edits
    assert moved(edits, RULES) == ()
    assert edits_for(RULES, again(edits)) == edits
    kept = {key: fields for key, fields in asked.items() if fields is not None}
    assert edits_for(apply(RULES, edits), kept) == ()
    for edit in edits:
        assert all(sentence(edit, RULES))
    violations(edits, RULES, reason="", today=TODAY)


@given(wanted, wanted)
def test_only_rows_that_another_change_wrote_have_moved(mine, other):
    edits = edits_for(RULES, mine)
    others = edits_for(RULES, other)
    stale = {(edit.table, edit.key) for edit in moved(edits, apply(RULES, others))}
    both = {(edit.table, edit.key) for edit in edits} & {(edit.table, edit.key) for edit in others}
    assert stale == both
