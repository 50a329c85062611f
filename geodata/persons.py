"""Personal fields as ciphertext under a key per subject; destroying the key erases the person.

AES-256-GCM with a random 96-bit nonce per value. The subject's key is itself wrapped by the
master secret, so that a copy of the database alone opens nothing.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import os
import re
import uuid
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ARRAY, Text, any_, literal, select, update
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import NotFound, SourceUnavailable
from core.settings import secret_key
from geodata.bulk import copy_rows
from geodata.erasure_log import log_at_commit
from geodata.tables import PersonKey

NONCE_BYTES = 12
KEY_BYTES = 32


@functools.lru_cache(maxsize=4)
def derived_key(purpose: str) -> bytes:
    """Return the 32-byte key for one purpose, derived from the master secret."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"gridkeeper {purpose}".encode()).derive(secret_key())


def _encrypt(key: bytes, plain: bytes, bound_to: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())


def _decrypt(key: bytes, cipher: bytes, bound_to: str) -> bytes:
    return AESGCM(key).decrypt(cipher[:NONCE_BYTES], cipher[NONCE_BYTES:], bound_to.encode())


def _unwrap(subject_id: str, wrapped: bytes) -> bytes:
    try:
        return _decrypt(derived_key("person keys"), wrapped, subject_id)
    except InvalidTag as error:
        raise SourceUnavailable(
            "The keys of persons were made with another master secret.",
            hint="Restore the file `secret` of the state folder, or set GRIDKEEPER_SECRET.",
        ) from error


def new_subject(session: Session) -> str:
    """Make a key for a new subject and return the subject's id."""
    return new_subjects(session, 1)[0]


def new_subjects(session: Session, count: int) -> list[str]:
    """Make keys for ``count`` new subjects and return their ids."""
    return [subject for subject, _ in _new_keys(session, count)]


def _new_keys(session: Session, count: int) -> list[tuple[str, bytes]]:
    keys = [(str(uuid.uuid4()), os.urandom(KEY_BYTES)) for _ in range(count)]
    wrapping = derived_key("person keys")
    subjects = [subject for subject, _ in keys]
    wrapped = [_encrypt(wrapping, key, subject) for subject, key in keys]
    copy_rows(session, "person_key", {"subject_id": subjects, "wrapped_key": wrapped})
    return keys


def seal(session: Session, subject_id: str, plain: str) -> bytes:
    """Return ``plain`` as ciphertext under the subject's key; raise `NotFound` after erasure."""
    wrapped = session.scalar(select(PersonKey.wrapped_key).where(PersonKey.subject_id == subject_id))
    if wrapped is None:
        raise NotFound("The person was erased or never existed.")
    return _encrypt(_unwrap(subject_id, wrapped), plain.encode(), subject_id)


def seal_bytes(session: Session, plain: bytes) -> tuple[str, bytes]:
    """Return a new subject id and ``plain`` as ciphertext under its key."""
    (subject_id,), (cipher,) = seal_bytes_many(session, [plain])
    return subject_id, cipher


def seal_bytes_many(session: Session, plains: Sequence[bytes]) -> tuple[list[str], list[bytes]]:
    """Return a new subject id and the ciphertext under its key for each of ``plains``."""
    keys = _new_keys(session, len(plains))
    ciphers = [_encrypt(key, plain, subject) for (subject, key), plain in zip(keys, plains, strict=True)]
    return [subject for subject, _ in keys], ciphers


def unseal_bytes(session: Session, subject_id: str, cipher: bytes) -> bytes | None:
    """Return the plain bytes; None when the key was destroyed."""
    wrapped = session.scalar(select(PersonKey.wrapped_key).where(PersonKey.subject_id == subject_id))
    return None if wrapped is None else _decrypt(_unwrap(subject_id, wrapped), cipher, subject_id)


def seal_many(session: Session, texts: Sequence[str | None]) -> tuple[list[str], list[bytes | None]]:
    """Return a new subject id and the ciphertext for each text; None stays None but gets a subject."""
    keys = _new_keys(session, len(texts))
    ciphers = [
        None if plain is None else _encrypt(key, plain.encode(), subject)
        for (subject, key), plain in zip(keys, texts, strict=True)
    ]
    return [subject for subject, _ in keys], ciphers


def seal_columns(session: Session, *columns: Sequence[str | None]) -> tuple[list[str], tuple[list[bytes | None], ...]]:
    """Return one new subject id per row and each column's ciphertexts under the row's key."""
    keys = _new_keys(session, len(columns[0]))
    sealed = tuple(
        [
            None if plain is None else _encrypt(key, plain.encode(), subject)
            for (subject, key), plain in zip(keys, column, strict=True)
        ]
        for column in columns
    )
    return [subject for subject, _ in keys], sealed


def unseal(session: Session, subject_id: str, cipher: bytes | None) -> str | None:
    """Return the plain text; None when there is none or the person was erased."""
    return unseal_many(session, [subject_id], [cipher])[0]


def unseal_many(session: Session, subject_ids: Sequence[str], ciphers: Sequence[bytes | None]) -> list[str | None]:
    """Return the plain texts in order; None where there is none or the person was erased."""
    wanted = set(subject_ids)
    rows = session.execute(select(PersonKey.subject_id, PersonKey.wrapped_key).where(PersonKey.subject_id.in_(wanted)))
    keys = {subject: _unwrap(subject, wrapped) for subject, wrapped in rows if wrapped is not None}
    return [
        None if cipher is None or subject not in keys else _decrypt(keys[subject], cipher, subject).decode()
        for subject, cipher in zip(subject_ids, ciphers, strict=True)
    ]


def erase(session: Session, subject_id: str, *, purpose: str = "draft") -> None:
    """Destroy the subject's key: every ciphertext of the person, in tables and record, is lost for good.

    Raises
    ------
    NotFound
        When there is no such subject.
    """
    if session.scalar(select(PersonKey.subject_id).where(PersonKey.subject_id == subject_id)) is None:
        raise NotFound("There is no such person.")
    destroy_keys(session, [subject_id], purpose=purpose)


def destroy_keys(session: Session, subject_ids: Sequence[str], *, purpose: str) -> int:
    """Destroy the keys of subjects, and return of how many that had one.

    When the transaction commits, the erasures stand in the log outside the database, from which a
    restore of an older backup does them again.
    """
    destroyed = session.scalars(
        update(PersonKey)
        .where(
            PersonKey.subject_id == any_(literal(list(subject_ids), ARRAY(Text))), PersonKey.wrapped_key.is_not(None)
        )
        .values(wrapped_key=None, destroyed_at=now())
        .returning(PersonKey.subject_id)
    ).all()
    log_at_commit(session, destroyed, purpose)
    return len(destroyed)


def phone_hash(phone: str) -> bytes:
    """Return the keyed hash that finds a phone number again without storing it.

    Digits only, full-width ones included; a leading + or 00 is dropped, so the same number written
    with or without it is found.
    """
    digits = re.sub(r"\D", "", phone.translate(str.maketrans("０１２３４５６７８９", "0123456789")))
    return hmac.new(derived_key("phone numbers"), digits.removeprefix("00").encode(), hashlib.sha256).digest()


def keyed_digest(text: str) -> str:
    """Return a digest of text that may hold personal fields; without the master secret it says nothing."""
    return hmac.new(derived_key("digests"), text.encode(), hashlib.sha256).hexdigest()
