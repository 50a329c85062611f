"""Judging what keeps data safe: certificate, backup, clean-up, who is logged in, demo mode, settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from app import i18n
from app.health_model import Check, State, joined, size, unknown
from app.i18n import t
from app.tls import RENEW_BEFORE, Certificate
from core.settings import Settings
from geodata.backup import TakenBackup
from geodata.health import AccessFacts
from incidents.service.clocks import CalendarEnd

BACKUP_WARNING, BACKUP_FAULT = dt.timedelta(days=2), dt.timedelta(days=8)
CLEAN_UP_LATE = dt.timedelta(days=2)
SESSION_HOURS_WARNING = 24.0


def certificate(found: Certificate | None, problem: str, *, local: bool, now: dt.datetime) -> Check:
    """Judge the certificate of the settings; ``problem`` says why it cannot be used."""
    if problem:
        way = t("Mend GRIDKEEPER_TLS_CERT and GRIDKEEPER_TLS_KEY; docs/runbook.md says how.")
        return Check("certificate", t("Certificate"), State.FAULT, problem, way)
    if found is not None:
        return _held(found, now)
    numbers = {"configured": False}
    if local:
        sentence = t("None is needed: the pages are served to this machine alone, or through a reverse proxy.")
        return Check("certificate", t("Certificate"), State.OK, sentence, "", numbers)
    sentence = t("The pages are served to the network without https: passwords can be read on the way.")
    way = t("Set GRIDKEEPER_TLS_CERT and GRIDKEEPER_TLS_KEY; without https no phone gives position or camera.")
    return Check("certificate", t("Certificate"), State.WARNING, sentence, way, numbers)


def _held(found: Certificate, now: dt.datetime) -> Check:
    title = t("Certificate")
    left = found.valid_until - now
    numbers = {
        "configured": True,
        "names": list(found.names),
        "issuer": found.issuer,
        "self_signed": found.self_signed,
        "valid_until": found.valid_until.isoformat(),
        "days_left": left.days,
    }
    until = t(
        "For {names}, valid until {day}.", names=", ".join(found.names) or "–", day=i18n.day(found.valid_until.date())
    )
    renew = t("Renew it and start the platform again.")
    if not found.valid(now):
        return Check("certificate", title, State.FAULT, joined(t("Not valid now."), until), renew, numbers)
    if left < RENEW_BEFORE:
        sentence = joined(t("Ends in {days} days.", days=left.days), until)
        return Check("certificate", title, State.WARNING, sentence, renew, numbers)
    if found.key_is_open:
        way = t("Let the server's user alone read it: chmod 600.")
        return Check("certificate", title, State.WARNING, t("Others may read the private key."), way, numbers)
    return Check("certificate", title, State.OK, until, "", numbers)


def backup(last: TakenBackup | None, *, known: bool, demo: bool, now: dt.datetime) -> Check:
    """Judge the last verified backup."""
    title = t("Last backup")
    if not known:
        return unknown("backup", title)
    way = t("Back up now, and copy the file to another machine.")
    if last is None:
        state = State.WARNING if demo else State.FAULT
        return Check("backup", title, state, t("No backup was taken yet."), way)
    age = now - last.at
    numbers = {
        "at": last.at.isoformat(),
        "age_hours": round(age.total_seconds() / 3600, 1),
        "bytes": last.bytes,
        "verified": last.verified,
        "keys_saved": last.keys_saved,
        "last_seq": last.last_seq,
    }
    told = t("{when}, {size}, restored and compared.", when=i18n.distance(last.at, now=now), size=size(last.bytes))
    if age > BACKUP_WARNING:
        return Check("backup", title, State.FAULT if age > BACKUP_FAULT else State.WARNING, told, way, numbers)
    if not last.keys_saved:
        keys = t("Save the keys of persons too: without them names and notes cannot be read after a restore.")
        return Check("backup", title, State.WARNING, told, keys, numbers)
    return Check("backup", title, State.OK, told, "", numbers)


def clean_up(last: dt.datetime | None, *, known: bool, now: dt.datetime) -> Check:
    """Judge whether what is too old is forgotten every night."""
    title = t("Clean-up")
    if not known:
        return unknown("retention", title)
    numbers = {"last_run": None if last is None else last.isoformat()}
    way = t("Run the clean-up now; every night the jobs process does it.")
    if last is None:
        return Check("retention", title, State.WARNING, t("Nothing was cleaned up yet."), way, numbers)
    told = t("Last {when}.", when=i18n.distance(last, now=now))
    late = now - last > CLEAN_UP_LATE
    return Check("retention", title, State.WARNING if late else State.OK, told, way if late else "", numbers)


def calendars(ending: Sequence[CalendarEnd] | None) -> Check:
    """Judge whether the calendars that deadlines count by know the days of this year and of what comes soon."""
    title = t("Calendars")
    if ending is None:
        return unknown("calendars", title)
    if not ending:
        return Check("calendars", title, State.OK, t("Every calendar in use knows its days."))
    told = [
        t(
            "{name}: public holidays of {years} unknown",
            name=i18n.either(each.name_en, each.name_zh),
            years=", ".join(map(str, each.missing)),
        )
        for each in ending
    ]
    way = t(
        "Enter the published days under Classes, limits & calendars; until then deadlines count them as usual weekdays."
    )
    numbers = {each.code: {"last_year": each.last_year, "missing": list(each.missing)} for each in ending}
    sentence = ("；" if i18n.locale() == "zh" else "; ").join(told) + ("。" if i18n.locale() == "zh" else ".")
    return Check("calendars", title, State.WARNING, sentence, way, numbers)


def access(facts: AccessFacts | None) -> Check:
    """Say how many are logged in."""
    title = t("Open sessions")
    if facts is None:
        return unknown("sessions", title)
    told = t("{sessions} open; accounts logged in: {users}.", sessions=facts.sessions, users=facts.users)
    return Check("sessions", title, State.OK, told, "", {"sessions": facts.sessions, "users": facts.users})


def demo(facts: AccessFacts | None, chosen: Settings, *, local: bool) -> Check:
    """Judge whether demo accounts are open to others than the one at this machine."""
    title = t("Demo mode")
    numbers = {
        "on": chosen.demo,
        "demo_accounts": None if facts is None else facts.demo_accounts,
        "own_accounts": None if facts is None else facts.own_accounts,
    }
    if not chosen.demo:
        return Check("demo", title, State.OK, t("Off."), "", numbers)
    way = t("Set GRIDKEEPER_DEMO=false and run `gridkeeper user retire-demo` before real data come in.")
    if not local:
        sentence = t("On, and served to the network: whoever reaches the pages enters in any role without a password.")
        return Check("demo", title, State.FAULT, sentence, way, numbers)
    if facts is not None and facts.own_accounts:
        sentence = t("On, although there are {count} accounts of your own.", count=facts.own_accounts)
        return Check("demo", title, State.WARNING, sentence, way, numbers)
    return Check("demo", title, State.OK, t("On, and served to this machine alone."), "", numbers)


def unusual(chosen: Settings, *, weak_secret: bool, open_secret: bool, set_names: Sequence[str]) -> Check:
    """Judge settings that are dangerous or meant for tests; names only, never a value."""
    title = t("Settings")
    numbers = {"set": list(set_names)}
    faults = [
        (
            weak_secret,
            t("GRIDKEEPER_SECRET is easy to guess."),
            t("Draw it: `openssl rand -hex 32`; see docs/runbook.md."),
        ),
        (
            open_secret,
            t("Others on this machine may read the file with the master secret."),
            t("Let the server's user alone read it: chmod 600."),
        ),
        (
            "*" in chosen.proxies,
            t("Anybody is believed to be a reverse proxy."),
            t("Name the addresses of yours in GRIDKEEPER_PROXIES."),
        ),
    ]
    warnings = [
        (
            not chosen.durable,
            t("GRIDKEEPER_DURABLE is off, as in tests."),
            t("Unset it; a cluster made so has to be made anew from a backup."),
        ),
        (
            chosen.log_level == "DEBUG",
            t("The log writes everything down."),
            t("Set GRIDKEEPER_LOG_LEVEL to INFO when you have seen enough."),
        ),
        (
            chosen.session_hours > SESSION_HOURS_WARNING,
            t("A log-in lasts longer than a day."),
            t("Set GRIDKEEPER_SESSION_HOURS to 12."),
        ),
    ]
    for state, found in ((State.FAULT, faults), (State.WARNING, warnings)):
        for on, sentence, way in found:
            if on:
                return Check("settings", title, state, sentence, way, numbers)
    told = t("Nothing unusual; not at their default: {count}.", count=len(set_names))
    return Check("settings", title, State.OK, told, "", numbers)
