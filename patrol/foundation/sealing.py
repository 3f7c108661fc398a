"""Sealing personal data and secrets: Fernet under the field keys, the first of which seals, all of which open."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import inspect, select
from sqlalchemy.orm import InstrumentedAttribute

from patrol.foundation.database import db
from patrol.foundation.errors import Unavailable
from patrol.foundation.texts import Text

_NO_KEY_FITS = Text(
    "现有的 XUNHE_FIELD_KEY 无法解开已加密的内容，请管理员补上原来的密钥",
    "No key in XUNHE_FIELD_KEY opens what is sealed: the old key has to be added again",
)
_ROWS_AT_ONCE = 500
_sealed_columns: list[InstrumentedAttribute[bytes]] = []


def keeps_sealed(column: InstrumentedAttribute[bytes]) -> None:
    """Note that `column` holds sealed values, so that a change of keys reaches it."""
    if column not in _sealed_columns:
        _sealed_columns.append(column)


def seal(facts: Mapping[str, str], keys: Sequence[str]) -> bytes:
    """Return `facts` sealed under the first of `keys`."""
    return _fernet(keys).encrypt(orjson.dumps(dict(facts), option=orjson.OPT_SORT_KEYS))


def unseal(sealed: bytes, keys: Sequence[str]) -> dict[str, str]:
    """Return what was sealed. Raises Unavailable (503) when none of `keys` fits."""
    try:
        facts: dict[str, str] = orjson.loads(_fernet(keys).decrypt(sealed))
    except InvalidToken as error:
        raise Unavailable(_NO_KEY_FITS) from error
    return facts


def rotate_field_key(keys: Sequence[str]) -> dict[str, int]:
    """Seal every stored value anew under the first of `keys`; return how many there are, by table.

    Raises Unavailable when one of them opens with none of `keys`; then the caller's transaction must not be committed.
    """
    fernet = _fernet(keys)
    return {column.class_.__tablename__: _rotate_column(column, fernet) for column in _sealed_columns}


def _rotate_column(column: InstrumentedAttribute[bytes], fernet: MultiFernet) -> int:
    key = getattr(column.class_, inspect(column.class_).primary_key[0].key)
    after, count = None, 0
    while True:
        statement = select(column.class_).order_by(key).limit(_ROWS_AT_ONCE)
        if after is not None:
            statement = statement.where(key > after)
        rows: Sequence[Any] = db.session.scalars(statement.with_for_update()).all()
        if not rows:
            return count
        for row in rows:
            try:
                setattr(row, column.key, fernet.rotate(getattr(row, column.key)))
            except InvalidToken as error:
                raise Unavailable(_NO_KEY_FITS) from error
        db.session.flush()
        after, count = getattr(rows[-1], key.key), count + len(rows)


def _fernet(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
