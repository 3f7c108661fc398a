"""Sealing what a complainant says of himself: Fernet under the field keys, the first of which seals, all of which open."""

from collections.abc import Mapping, Sequence

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import select

from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.texts import Text
from patrol.public.models import ReporterContact

_NO_KEY_FITS = Text(
    "现有的 XUNHE_FIELD_KEY 无法解开联系方式，请管理员补上原来的密钥",
    "No key in XUNHE_FIELD_KEY opens this contact: the old key has to be added again",
)
_ROWS_AT_ONCE = 500


def seal(contact: Mapping[str, str], keys: Sequence[str]) -> bytes:
    """Return `contact` sealed under the first of `keys`."""
    return _fernet(keys).encrypt(orjson.dumps(dict(contact), option=orjson.OPT_SORT_KEYS))


def unseal(sealed: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return what was sealed. Raises Unavailable (503) when none of `keys` fits."""
    try:
        contact: dict[str, str] = orjson.loads(_fernet(keys).decrypt(sealed))
    except InvalidToken as error:
        raise Unavailable(_NO_KEY_FITS) from error
    return contact


def rotate_field_key(keys: Sequence[str]) -> int:
    """Seal every stored contact anew under the first of `keys`; return how many there are.

    Raises Unavailable when one of them opens with none of `keys`; then nothing is changed.
    """
    fernet, after, count = _fernet(keys), None, 0
    while True:
        statement = select(ReporterContact).order_by(ReporterContact.complaint_id).limit(_ROWS_AT_ONCE)
        if after is not None:
            statement = statement.where(ReporterContact.complaint_id > after)
        rows = db.session.scalars(statement.with_for_update()).all()
        if not rows:
            return count
        for row in rows:
            try:
                row.sealed = fernet.rotate(row.sealed)
            except InvalidToken as error:
                raise Unavailable(_NO_KEY_FITS) from error
        db.session.flush()
        after, count = rows[-1].complaint_id, count + len(rows)


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
