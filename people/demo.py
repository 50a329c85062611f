"""Use cases of the accounts of a demo territory, when it is cleared."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.errors import Conflict
from core.identity import Actor, May, require
from people import store_demo


@dataclass(frozen=True, slots=True)
class DemoAccounts:
    """What clearing a demo territory means for accounts.

    Attributes
    ----------
    retired
        Demo accounts that become inactive: they have a role in no other demo territory.
    homeless
        Other accounts that have a role nowhere else, and can no longer log in.
    administrators_left
        Accounts that administer another territory afterwards.
    territories_left
        Other territories.
    """

    retired: int
    homeless: int
    administrators_left: int
    territories_left: int


def accounts_of_demo(session: Session, actor: Actor, territory_id: int) -> DemoAccounts:
    """Return what clearing a demo territory would mean for accounts."""
    require(actor, May.SET_UP)
    return DemoAccounts(
        store_demo.count_demo_accounts(session, territory_id),
        store_demo.count_homeless(session, territory_id),
        store_demo.count_administrators_elsewhere(session, territory_id),
        store_demo.count_territories_elsewhere(session, territory_id),
    )


def retire_accounts_of_demo(session: Session, actor: Actor, territory_id: int) -> DemoAccounts:
    """Make the demo accounts of a territory inactive that is about to be cleared, and end their sessions.

    Raises
    ------
    Conflict
        When other territories stay and nobody could administer them.
    """
    found = accounts_of_demo(session, actor, territory_id)
    if found.territories_left and not found.administrators_left:
        raise Conflict(
            "Nobody could administer the other territories: all administrators are demo accounts.",
            hint="Invite an administrator of your own first, and clear the demo as that person.",
        )
    store_demo.retire_demo_accounts(session, territory_id)
    return found
