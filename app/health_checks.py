"""Judging the engine room: database, disk, schema, background work, front-end files, clock."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from app import i18n
from app.health_machine import AssetFacts, ClockFacts, DiskFacts
from app.health_model import GIB, Check, State, joined, size, unknown
from app.i18n import t
from geodata.health import DatabaseFacts, QueueFacts, growth_per_day

FREE_FAULT, FREE_WARNING = 1 * GIB, 5 * GIB
DISK_DAYS_WARNING = 60
CONNECTIONS_WARNING = 0.8
HEARTBEAT_LATE = dt.timedelta(seconds=90)
WAITING_LONG = dt.timedelta(minutes=30)
CLOCK_WARNING_S, CLOCK_FAULT_S = 2.0, 60.0


def database(facts: DatabaseFacts | None) -> Check:
    """Judge the server and the login; None when it does not answer."""
    title = t("Database")
    if facts is None:
        start = t("Start it with `gridkeeper up`, or check GRIDKEEPER_DATABASE_URL.")
        return Check("database", title, State.FAULT, t("The database does not answer."), start)
    numbers = {
        "postgresql": facts.postgresql,
        "postgis": facts.postgis,
        "bytes": facts.bytes,
        "connections": facts.connections,
        "connections_most": facts.connections_most,
        "answered_ms": round(facts.answered_s * 1000, 2),
    }
    told = t(
        "PostgreSQL {version} with PostGIS {postgis}, {size}, {used} of {most} connections.",
        version=facts.postgresql.split(" ")[0],
        postgis=facts.postgis or "–",
        size=size(facts.bytes),
        used=facts.connections,
        most=facts.connections_most,
    )
    if facts.above_rules or facts.owns_tables:
        return Check(
            "database",
            title,
            State.FAULT,
            t("The platform's login stands above the rules of who may see what."),
            t("Give GRIDKEEPER_DATABASE_URL a login that is no superuser, has no BYPASSRLS and owns no table."),
            numbers,
        )
    if not facts.durable:
        way = t("Turn fsync and full_page_writes on in postgresql.conf, or leave GRIDKEEPER_DURABLE unset.")
        sentence = t("Writes are not durable: a power cut may destroy the database.")
        return Check("database", title, State.FAULT, sentence, way, numbers)
    if facts.connections >= CONNECTIONS_WARNING * facts.connections_most:
        way = t("Raise max_connections, or see what else is connected.")
        return Check("database", title, State.WARNING, told, way, numbers)
    return Check("database", title, State.OK, told, numbers=numbers)


def disk(facts: DiskFacts, history: Sequence[tuple[dt.date, int]]) -> Check:
    """Judge the room that is left, and when it will be used up if the database grows as it did."""
    growth = growth_per_day(history)
    least = min(facts.state_free, facts.state_free if facts.database_free is None else facts.database_free)
    days_left = None if not growth or growth <= 0 else int(least / growth)
    numbers = {
        "state_free_bytes": facts.state_free,
        "state_bytes": facts.state_whole,
        "database_free_bytes": facts.database_free,
        "growth_bytes_a_day": None if growth is None else round(growth),
        "days_left": days_left,
    }
    told = t("{free} free of {whole}.", free=size(least), whole=size(facts.state_whole))
    if days_left is not None:
        grows = t(
            "The database grows by {growth} a day: enough for {days} days.",
            growth=size(growth or 0),
            days=i18n.number(days_left),
        )
        told = joined(told, grows)
    elif growth is None:
        told = joined(told, t("How it grows is known after a week."))
    if facts.database_free is None:
        told = joined(told, t("The database is a server of its own: watch its disk there."))
    state = State.OK
    if least < FREE_WARNING or (days_left is not None and days_left < DISK_DAYS_WARNING):
        state = State.FAULT if least < FREE_FAULT else State.WARNING
    way = t("Make room or move the state folder; move old backups elsewhere.") if state is not State.OK else ""
    return Check("disk", t("Disk"), state, told, way, numbers)


def schema(facts: DatabaseFacts | None) -> Check:
    """Judge whether the schema of the database is that of this program."""
    title = t("Schema")
    if facts is None:
        return unknown("migrations", title)
    numbers = {"revision": facts.revision, "head": facts.head}
    if facts.revision == facts.head:
        return Check(
            "migrations", title, State.OK, t("Revision {revision}, up to date.", revision=facts.head), "", numbers
        )
    sentence = t(
        "The database is at revision {revision}, this program at {head}.",
        revision=facts.revision or "–",
        head=facts.head,
    )
    newer = (facts.revision or "") > (facts.head or "")
    way = t("Start the newer program, or restore a backup.") if newer else t("Run `gridkeeper up`.")
    return Check("migrations", title, State.FAULT, sentence, way, numbers)


def jobs(facts: QueueFacts | None, now: dt.datetime) -> Check:
    """Judge the jobs process and its queue."""
    title = t("Background work")
    if facts is None:
        return unknown("jobs", title)
    silent = None if facts.heartbeat is None else now - facts.heartbeat
    waits = None if facts.oldest_waiting is None else now - facts.oldest_waiting
    numbers = {
        "at_work": facts.at_work,
        "heartbeat_s": None if silent is None else round(silent.total_seconds()),
        "waiting": facts.waiting,
        "running": facts.running,
        "oldest_waiting_s": None if waits is None else round(waits.total_seconds()),
        "failed_in_24_h": facts.failed_day,
    }
    counts = t(
        "{waiting} waiting, {running} running, {failed} failed in 24 hours.",
        waiting=facts.waiting,
        running=facts.running,
        failed=facts.failed_day,
    )
    if not facts.at_work:
        sentence = joined(t("No jobs process is at work: nothing is done at night."), counts)
        way = t("Start the platform with `gridkeeper run`, or `gridkeeper jobs run` by itself.")
        return Check("jobs", title, State.FAULT, sentence, way, numbers)
    if silent is not None and silent > HEARTBEAT_LATE:
        sentence = joined(t("The jobs process has been silent for {span}.", span=i18n.span(silent)), counts)
        return Check("jobs", title, State.FAULT, sentence, t("Stop it; `gridkeeper run` starts it again."), numbers)
    if waits is not None and waits > WAITING_LONG:
        sentence = joined(counts, t("The oldest has waited for {span}.", span=i18n.span(waits)))
        return Check("jobs", title, State.WARNING, sentence, t("See what runs so long; it can be cancelled."), numbers)
    if facts.failed_day:
        way = t("Why stands where the job was started; the log has the rest.")
        sentence = joined(t("At work."), counts)
        return Check("jobs", title, State.WARNING, sentence, way, numbers)
    return Check("jobs", title, State.OK, joined(t("At work."), counts), "", numbers)


def assets(facts: AssetFacts) -> Check:
    """Judge whether the front-end files are there in the versions they should have."""
    title = t("Front-end files")
    numbers = {
        "files": facts.files,
        "missing": list(facts.missing),
        "differing": list(facts.differing),
        "versions": facts.versions,
        "font": facts.font,
    }
    way = t("Run `make run`, or `npm ci` in the checkout.")
    if facts.missing or not facts.font:
        first = facts.missing[0] if facts.missing else "SourceSansVF"
        count = len(facts.missing) + (not facts.font)
        sentence = t("{count} files are missing, first of all {name}.", count=count, name=first)
        return Check("assets", title, State.FAULT, sentence, way, numbers)
    if facts.differing:
        sentence = t("Not in the version of package-lock.json: {names}.", names=", ".join(facts.differing))
        return Check("assets", title, State.WARNING, sentence, way, numbers)
    if not facts.versions:
        return Check("assets", title, State.UNKNOWN, t("package-lock.json cannot be read."), way, numbers)
    sentence = t("All {count} are there, in the versions of package-lock.json.", count=facts.files)
    return Check("assets", title, State.OK, sentence, "", numbers)


def clock(facts: ClockFacts, base: DatabaseFacts | None, newest: dt.datetime | None, now: dt.datetime) -> Check:
    """Judge this machine's clock against the database's, that of files, the record, and itself."""
    title = t("Clock")
    ahead_s = None if newest is None else (newest - now).total_seconds()
    numbers = {
        "database_off_s": None if base is None else round(base.clock_off_s, 3),
        "files_off_s": None if facts.files_off_s is None else round(facts.files_off_s, 3),
        "record_ahead_s": None if ahead_s is None or ahead_s <= 0 else round(ahead_s, 3),
        "synchronized": facts.synchronized,
        "jump_s": None if facts.jump_s is None else round(facts.jump_s, 3),
    }
    off = max(abs(base.clock_off_s) if base else 0.0, abs(facts.files_off_s or 0.0), ahead_s or 0.0)
    way = t("Let the machine follow a time server, e.g. systemd-timesyncd; every deadline hangs on it.")
    if off > CLOCK_WARNING_S:
        state = State.FAULT if off > CLOCK_FAULT_S else State.WARNING
        sentence = t("Database, files and record tell times {seconds} s apart.", seconds=i18n.number(off, 1))
        return Check("clock", title, state, sentence, way, numbers)
    if facts.jump_s is not None and abs(facts.jump_s) > CLOCK_FAULT_S:
        sentence = t("The clock was set by {seconds} s while the machine ran.", seconds=i18n.number(facts.jump_s))
        return Check("clock", title, State.WARNING, sentence, way, numbers)
    if facts.synchronized is False:
        return Check("clock", title, State.WARNING, t("No time server is followed."), way, numbers)
    followed = (
        t("A time server is followed.") if facts.synchronized else t("Whether a time server is followed is unknown.")
    )
    agree = t("Database, files and record agree.") if base else t("Files agree with it.")
    return Check("clock", title, State.OK, joined(agree, followed), "", numbers)
