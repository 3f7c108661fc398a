"""The only place that commits."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError

from patrol.foundation import appending, events, outbox
from patrol.foundation.database import begin_anew, db, will_write
from patrol.foundation.errors import Refusal, Unavailable
from patrol.foundation.migrations import Unmigrated, is_unmigrated
from patrol.foundation.texts import Text

_DATABASE_BUSY = Text("数据库正忙或不可用，内容没有保存，请稍后重试", "The database is busy or away; nothing was saved, try again")


@contextmanager
def transaction() -> Iterator[None]:
    """Run the body as one transaction: everything in it is durable when this returns, nothing when anything is raised.

    Whatever was read before is read anew: the transaction begins at the body's first statement, so that parsing a
    request or storing a photo holds no lock. The outbox rows written inside are handed to the worker after the commit;
    if that fails they are found by its sweep.
    """
    begin_anew()
    token = will_write.set(True)
    refusal = None
    try:
        try:
            yield
        except Refusal as error:
            if not error.keeps_changes:
                raise
            refusal = error
        db.session.flush()
        events.tell_subscribers()
        db.session.flush()
        written = outbox.written_now()
        db.session.commit()
    except DBAPIError as error:
        _undo()
        if is_unmigrated(error):
            raise Unmigrated from error
        if isinstance(error, OperationalError) or error.connection_invalidated:
            raise Unavailable(_DATABASE_BUSY, retry_after_s=5) from error
        raise
    except BaseException:
        _undo()
        raise
    finally:
        will_write.reset(token)
    outbox.hand_over(written)
    if refusal is not None:
        raise refusal


@contextmanager
def savepoint() -> Iterator[None]:
    """Run the body as a part of the transaction under way that can fail alone: what it wrote and recorded is then undone."""
    marks = events.mark(), outbox.mark()
    appending.write_appended()
    try:
        with db.session.begin_nested():
            yield
            db.session.flush()
    except BaseException:
        events.back_to(marks[0])
        outbox.back_to(marks[1])
        raise


def _undo() -> None:
    events.forget()
    outbox.forget()
    appending.forget()
    db.session.rollback()
