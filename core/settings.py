"""Settings from ``GRIDKEEPER_*`` variables: frozen, bounded, unknown names refused."""

from __future__ import annotations

import difflib
import os
import secrets
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.errors import InvalidInput

PREFIX = "GRIDKEEPER_"
CHECKOUT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """All that can be set from outside; units stand in the names."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    state_dir: Path = Field(default=CHECKOUT / ".state", description="Folder for database, keys and caches")
    port: int = Field(default=8501, ge=1, le=65535, description="Port of the web pages")
    address: str = Field(default="127.0.0.1", description="Address to listen on; localhost unless told otherwise")
    database_url: SecretStr | None = Field(default=None, description="Server instead of the embedded database")
    owner_database_url: SecretStr | None = Field(default=None, description="The same as owner, for migrations")
    admin_database_url: SecretStr | None = Field(
        default=None, description="The same as who may make databases; for backup and restore"
    )
    postgres_bin: Path | None = Field(default=None, description="Folder with initdb and postgres")
    durable: bool = Field(default=True, description="Durable writes; only tests turn them off")
    demo: bool = Field(default=True, description="Demo accounts may enter without a password")
    secret: SecretStr | None = Field(
        default=None, min_length=32, description="Key of cookies and persons; made on first use if unset"
    )
    territory: str | None = Field(default=None, description="Name of the territory, where several live together")
    overpass_url: str = Field(default="https://overpass-api.de/api", description="Server of OpenStreetMap objects")
    nominatim_url: str = Field(default="https://nominatim.openstreetmap.org/", description="Server of place names")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    session_hours: float = Field(default=12, gt=0, le=168)
    tile_cache_mib: int = Field(default=128, ge=1, le=4096)
    upload_max_mib: int = Field(default=512, ge=1, le=8192)
    planning_upload_max_mib: int = Field(
        default=256, ge=1, le=2048, description="A layer, matrix or file of cells that planners and managers bring"
    )
    list_upload_max_mib: int = Field(
        default=12, ge=1, le=256, description="A list of workers, units, shifts, components or speeds"
    )
    tls_cert: Path | None = Field(default=None, description="Certificate chain (PEM); the pages are then https only")
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of the certificate, not encrypted")
    proxies: str = Field(
        default="127.0.0.1,::1", description="Addresses of reverse proxies whose X-Forwarded-* headers are believed"
    )
    sso_header: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z][A-Za-z0-9-]{1,60}$",
        description="Header in which a proxy names the login of who is signed on; off unless set",
    )
    sso_proxies: str = Field(default="", description="Addresses or networks whose sign-on header is believed")
    outward_hosts: str = Field(
        default="", description="Hosts (name or name:port) that map services and feeds may be on; empty: any but this"
    )
    data_sources: Path | None = Field(
        default=None, description="TOML file that names the databases tables may come from: [databases] name = address"
    )
    basemap_dir: Path | None = Field(default=None, description="Folder of MBTiles, PMTiles and GeoTIFF basemaps")
    basemap_cache_mib: int = Field(default=64, ge=1, le=4096, description="Tiles of other servers kept in memory")
    keep_traffic_days: int = Field(default=90, ge=7, le=730, description="Measured speeds by the hour")
    traffic_minutes: int = Field(default=45, ge=5, le=1440, description="How old a measured speed may be")
    keep_sessions_days: int = Field(default=30, ge=1, le=365, description="Sessions, after they ended")
    keep_codes_days: int = Field(default=30, ge=1, le=365, description="One-time codes, after they ran out")
    keep_absences_days: int = Field(default=730, ge=90, le=3650, description="Absences, after their last day")
    keep_commands_days: int = Field(default=90, ge=7, le=3650, description="Answers to acts that were sent twice")
    keep_drafts_days: int = Field(default=90, ge=7, le=3650, description="Drafts, after they were last changed")
    keep_notices_days: int = Field(default=90, ge=7, le=3650, description="Messages to workers and desks")
    keep_jobs_days: int = Field(default=90, ge=7, le=3650, description="Background jobs, after they ended")
    keep_queue_days: int = Field(default=7, ge=1, le=90, description="Rows of the job queue that nothing waits for")
    keep_quarantine_days: int = Field(default=180, ge=7, le=3650, description="Rows of files that were refused")
    keep_uploads_days: int = Field(default=7, ge=1, le=90, description="Uploaded files, after they were brought in")
    keep_reporters_days: int = Field(
        default=1825, ge=180, le=18250, description="Reporter, phone and free text of an incident, after it was closed"
    )
    keep_originals_days: int = Field(
        default=365, ge=7, le=3650, description="Unblurred photos and notes on the place, after their incident ended"
    )
    keep_evidence_days: int = Field(default=1095, ge=30, le=3650, description="Blurred photos of ended incidents")
    keep_reviews_days: int = Field(
        default=1825, ge=90, le=3650, description="What was said to findings of accountability, after the decision"
    )
    keep_positions_days: int = Field(
        default=1, ge=1, le=7, description="Newest place of a worker on shift; every hour takes what is two hours old"
    )
    keep_uses_days: int = Field(default=800, ge=90, le=3650, description="Who read which data set on which day")
    keep_runs_days: int = Field(default=800, ge=90, le=3650, description="Who cleaned up when, and sizes by day")
    heads_dir: Path | None = Field(
        default=None, description="Folder of the record's signed heads; best on another machine"
    )
    backup_nightly: bool = Field(default=False, description="Take a backup every night")
    backup_dir: Path | None = Field(default=None, description="Folder of nightly backups; backups in the state folder")
    backup_keys_dir: Path | None = Field(default=None, description="Folder of the keys file; keep it apart")
    backup_keep: int = Field(default=14, ge=1, le=1000, description="Nightly backups that are kept")


def load_settings() -> Settings:
    """Return the settings of this environment.

    Raises
    ------
    InvalidInput
        Naming every variable that is unknown or out of bounds.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    wrong = []
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in known:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            wrong.append(f"{name} is not a setting" + (f" (did you mean {near[0]}?)" if near else ""))
    try:
        settings = Settings()
    except ValidationError as error:
        wrong += [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors() if e["loc"]]
        settings = None
    if wrong or settings is None:
        raise InvalidInput("; ".join(wrong) + ".", hint="Mend or unset these environment variables.")
    return settings


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read once."""
    return load_settings()


@lru_cache(maxsize=1)
def secret_key() -> bytes:
    """Return the 32-byte master secret: from settings, else from a 0600 file in the state folder, made once."""
    given = settings().secret
    if given is not None:
        return given.get_secret_value().encode()
    path = settings().state_dir / "secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text().strip())
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    return bytes.fromhex(path.read_text().strip())
