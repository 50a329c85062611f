"""Passwords, what a review finds, which duties stay apart, which addresses are meant: without a database."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import peers
from core.errors import InvalidInput
from core.identity import Role
from people.access_model import AccountRow, Finding, RoleRow, RoleState, Separation, findings, separations
from people.credentials import check_password

NOW = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)


def ago(**step: float) -> dt.datetime:
    return NOW - dt.timedelta(**step)


def role(**more) -> RoleRow:
    given = {
        "id": 1,
        "user_id": 1,
        "role": Role.PLANNER,
        "area_ids": (),
        "unit_ids": (),
        "acting_for": None,
        "acting_login": "",
        "reason": "",
        "valid_from": ago(days=30),
        "valid_until": None,
        "version": 1,
    }
    return RoleRow(**given | more)


def account(*roles: RoleRow, **more) -> AccountRow:
    given = {
        "id": 1,
        "login": "ann",
        "title_en": "Head",
        "title_zh": "主任",
        "worker_id": None,
        "locale": "en",
        "is_demo": False,
        "active": True,
        "opens": True,
        "failed_logins": 0,
        "locked_until": None,
        "created_at": ago(days=40),
        "version": 1,
        "last_login": ago(days=1),
    }
    return AccountRow(**given | more, roles=roles or (role(),))


# --- passwords


@pytest.mark.parametrize(
    "password",
    [
        "four little words",
        "correct horse battery",
        "xK9!vm3#pQ2z",
        "我的密码是一句很长的话",
        "passwort fuer den garten",
        "abc is easy as 123",
    ],
)
def test_a_sentence_is_a_good_password(password):
    check_password(password, "ann")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "10 to 256"),
        ("x" * 257, "10 to 256"),
        ("Password123!", "common word"),
        ("P@ssw0rd2026", "common word"),
        ("gridkeeper1", "common word"),
        ("aaaaaaaaaaaa", "different characters"),
        ("ab12cab12cab12c", "repeats"),
        ("1234567890", "sequence"),
        ("0987654321", "sequence"),
        ("qwertyuiop", "sequence"),
        ("abcdefghijkl", "sequence"),
        ("annelise.k1", "login"),
        ("ANNELISE.K", "login"),
        ("12annelise.k34", "login"),
    ],
)
def test_what_anybody_would_guess_is_none(password, why):
    with pytest.raises(InvalidInput, match=why) as refused:
        check_password(password, "annelise.k")
    assert password not in str(refused.value) + refused.value.zh


@given(st.text(max_size=300), st.text(max_size=64))
def test_any_text_is_answered(password, login):
    try:
        check_password(password, login)
    except InvalidInput as refused:
        assert refused.zh  # noqa: PT017
    else:
        assert 10 <= len(password) <= 256


# --- reviews


@pytest.mark.parametrize(
    ("found", "account_"),
    [
        ((), account()),
        ((Finding.IDLE,), account(last_login=ago(days=91))),
        ((), account(last_login=ago(days=91), reviewed_at=ago(days=2))),
        ((Finding.NEVER_IN,), account(last_login=None)),
        ((), account(last_login=None, created_at=ago(days=3))),
        ((), account(last_login=None, is_demo=True)),
        ((Finding.OLD_ROLE,), account(role(valid_from=ago(days=366)))),
        ((), account(role(valid_from=ago(days=366)), reviewed_at=ago(days=300))),
        ((Finding.OLD_ROLE,), account(role(valid_from=ago(days=800)), reviewed_at=ago(days=370))),
        ((Finding.NO_ROLE,), account(role(valid_until=ago(days=1)))),
        ((), account(last_login=ago(days=400), active=False)),
        (
            (Finding.ACTING_ENDS,),
            account(role(), role(acting_for=2, valid_from=ago(days=20), valid_until=NOW + dt.timedelta(days=6))),
        ),
        (
            (),
            account(
                role(),
                role(acting_for=2, valid_from=ago(days=20), valid_until=NOW + dt.timedelta(days=6)),
                reviewed_at=ago(hours=1),
            ),
        ),
        (
            (Finding.ACTING_ENDED,),
            account(role(), role(acting_for=2, valid_from=ago(days=20), valid_until=ago(days=3))),
        ),
        ((), account(role(), role(acting_for=2, valid_from=ago(days=60), valid_until=ago(days=8)))),
        ((Finding.TWO_DUTIES,), account(role(role=Role.DISPATCHER), role(role=Role.SUPERVISOR))),
    ],
)
def test_what_a_review_finds(found, account_):
    assert findings(account_, NOW) == found


@given(
    st.lists(st.integers(-400, 400), min_size=0, max_size=5),
    st.integers(0, 400),
    st.one_of(st.none(), st.integers(0, 400)),
)
def test_a_fresh_review_finds_only_what_stays(ends, age, seen):
    """Right after a review nothing of the past is said again."""
    acting = [role(acting_for=2, valid_from=ago(days=500), valid_until=NOW + dt.timedelta(days=end)) for end in ends]
    last = None if seen is None else ago(days=seen)
    looked = account(role(), *acting, created_at=ago(days=age), last_login=last, reviewed_at=NOW)
    assert findings(looked, NOW) == ()


def test_the_state_of_a_role_by_its_days():
    assert role().state(NOW) is RoleState.NOW
    assert role(valid_until=NOW).state(NOW) is RoleState.ENDED
    coming = role(acting_for=2, valid_from=NOW + dt.timedelta(days=1), valid_until=NOW + dt.timedelta(days=2))
    assert coming.state(NOW) is RoleState.COMING


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        ({Role.DISPATCHER, Role.SUPERVISOR}, (Separation.SENDS_AND_CLOSES,)),
        ({Role.DISPATCHER, Role.PLANNER}, ()),
        ({Role.ADMINISTRATOR, Role.PLANNER}, ()),
        ({Role.ADMINISTRATOR, Role.HANDLER}, (Separation.ADMINISTERS_AND_READS,)),
        ({Role.AUDITOR, Role.PLANNER}, ()),
        ({Role.AUDITOR, Role.SUPERVISOR}, (Separation.AUDITS_OWN_ACTS,)),
    ],
)
def test_duties_that_stay_apart(roles, found):
    assert separations(roles) == found


# --- addresses


@pytest.mark.parametrize(
    ("address", "among"),
    [
        ("10.0.0.5", True),
        ("10.0.0.6", False),
        ("::ffff:10.0.0.5", True),
        ("fe80::1%eth0", True),
        ("", False),
        ("x", False),
    ],
)
def test_an_address_among_networks(address, among):
    assert peers.is_among(address, peers.networks("10.0.0.5, fe80::/10")) is among


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "proxy.example", "10.0.0.5/33"])
def test_networks_that_are_none(text):
    with pytest.raises(ValueError):
        peers.networks(text)


@pytest.mark.parametrize(
    ("client", "headers", "here"),
    [
        ("127.0.0.1", [], True),
        ("::1", [], True),
        ("10.0.0.5", [], False),
        ("testclient", [], False),
        ("127.0.0.1", [(b"x-forwarded-for", b"127.0.0.1")], False),
        ("127.0.0.1", [(b"forwarded", b"for=127.0.0.1")], False),
    ],
)
def test_this_machine_is_no_proxy_for_another(client, headers, here):
    assert peers.is_this_machine({"type": "http", "client": (client, 5), "headers": headers}) is here
