"""Tracking codes: 80 random bits that a person can read out, write down and type with the usual mistakes."""

import secrets

# Crockford's base 32: no I, L, O (read as 1, 1, 0) and no U.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SYMBOLS, GROUP = 16, 4
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
# A pasted code may carry stray hyphens and spaces; anything much longer is not one.
_LONGEST_TYPED = 64


def new_tracking_code() -> str:
    """Return a fresh code such as "7K3D-0V9M-W2QH-5TXA"."""
    # Each byte modulo 32 is as random as the byte.
    return _grouped("".join([ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(SYMBOLS)]))


def read_tracking_code(typed: str) -> str | None:
    """Return the code as it is stored for what somebody typed, or None when it cannot be one.

    Case, hyphens and spaces do not matter; O counts as 0, I and L as 1.
    """
    if len(typed) > _LONGEST_TYPED or not typed.isascii():
        return None
    symbols = typed.upper().translate(_MISREAD)
    if len(symbols) != SYMBOLS or any(symbol not in ALPHABET for symbol in symbols):
        return None
    return _grouped(symbols)


def _grouped(symbols: str) -> str:
    return "-".join(symbols[start : start + GROUP] for start in range(0, SYMBOLS, GROUP))
