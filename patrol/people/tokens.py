"""Opaque tokens: random, handed out once, kept as hashes; a refresh token's successor can be made again from itself."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode


def new_token() -> str:
    """Return a fresh token of 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """Return the hash under which a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def successor_of(token: str, *, kind: str, secret: str) -> str:
    """Return the token of `kind` that follows refresh token `token`.

    It is derived rather than drawn, so that a phone which lost the answer gets the same successor when it asks
    again, although only hashes are stored. Nobody can derive it without the server's secret.
    """
    return urlsafe_b64encode(hmac.digest(secret.encode(), f"{kind}\0{token}".encode(), "sha256")).decode().rstrip("=")


def keyed_hash(text: str, *, purpose: str, secret: str) -> str:
    """Return a hash that says nothing about `text` to those who lack the secret."""
    return hmac.digest(secret.encode(), f"{purpose}\0{text}".encode("utf-8", "surrogatepass"), "sha256").hex()
