"""What commands of the shell say when something is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from patrol.foundation.errors import Refusal


@contextmanager
def refusals_told() -> Iterator[None]:
    """End a command, with 1, by the words of a refusal of the body in both languages, instead of a stack of calls."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.detail.en} / {refusal.detail.zh}") from refusal
