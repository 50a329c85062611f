"""Use case of data by address: who may let the platform ask where, and the file that comes of it."""

from __future__ import annotations

import re
from pathlib import Path

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from core.settings import settings
from geodata import exchange_table
from geodata.exchange_fetch import Fetched, fetched
from geodata.exchange_open import KNOWN
from geodata.outward import allowed_hosts

_NAMED = re.compile(r"^(?P<source>[\w-]{1,60})/(?P<table>[^/]{1,200})$")


def databases(actor: Actor) -> tuple[str, ...]:
    """Return the databases that the actor may bring tables from, by the names the platform's keeper gave them."""
    return exchange_table.names() if actor.may(May.LOAD_DATA) else ()


def may_ask(actor: Actor) -> bool:
    """Return whether the actor may let the platform ask addresses.

    Who keeps the data of the territory may; a department only where the platform's keeper named the hosts.
    """
    return actor.may(May.LOAD_DATA) or (actor.may(May.BRING_DATA) and bool(allowed_hosts()))


def near(actor: Actor, address: str, folder: Path, *, progress: Progress | None = None) -> Fetched:
    """Return what an address gives as a file: of the web, or DATABASE/SCHEMA.TABLE of a database that is named.

    Raises
    ------
    NotPermitted
        When the actor may not let the platform ask there.
    """
    require(actor, May.BRING_DATA)
    progress, address = progress or Silent(), address.strip()
    named = _NAMED.match(address)
    if named is not None:
        require(actor, May.LOAD_DATA)
        return exchange_table.brought(named["source"], named["table"], folder, progress)
    if "://" not in address:
        raise InvalidInput(
            "This is neither an address nor a table.",
            hint="Give https://…/collections/NAME, https://…?service=WFS&typeNames=NAME, or DATABASE/SCHEMA.TABLE.",
            zh="请输入以 https:// 开头的地址，或“数据库/模式.表”。",
        )
    if not may_ask(actor):
        raise NotPermitted(
            "Which servers a department may ask, the platform's keeper says first.",
            hint="Ask for the host in GRIDKEEPER_OUTWARD_HOSTS, or let a supervisor bring the data in.",
            zh="部门可访问的主机须先由平台运维人员在 GRIDKEEPER_OUTWARD_HOSTS 中列出，也可请主管汇入。",
        )
    return fetched(address, folder, progress, most_bytes=settings().upload_max_mib << 20, endings=KNOWN)
