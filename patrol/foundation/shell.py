"""What commands of the shell say when something is refused, or the database is not as it should be."""

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from patrol.foundation.errors import Refusal
from patrol.foundation.migrations import UNMIGRATED_PLACE, Unmigrated, is_unmigrated
from patrol.foundation.texts import Text


class Command(click.Command):
    """A command that a refusal ends, with 1, by words in both languages instead of a stack of calls."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; of a database without tables it says which one that is, and what to run."""
        try:
            return super().invoke(ctx)
        except Unmigrated as error:
            raise _ended_by(_unmigrated()) from error
        except Refusal as refusal:
            raise _ended_by(refusal.detail) from refusal
        except DBAPIError as error:
            if not is_unmigrated(error):
                raise
            raise _ended_by(_unmigrated()) from error


class CommandGroup(AppGroup):
    """The commands of a room."""

    command_class = Command


def _unmigrated() -> Text:
    return UNMIGRATED_PLACE.format(database=current_app.extensions["settings"].database_shown)


def _ended_by(words: Text) -> click.ClickException:
    return click.ClickException(f"{words.en} / {words.zh}")
