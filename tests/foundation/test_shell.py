"""A command that is refused ends by words for people."""

import click
import pytest

from patrol.foundation.errors import Conflict
from patrol.foundation.shell import refusals_told
from patrol.foundation.texts import Text


def test_a_refusal_ends_the_command_in_both_languages():
    with pytest.raises(click.ClickException) as ended, refusals_told():
        raise Conflict(Text("已经有了", "It is there already"))
    assert ended.value.message == "It is there already / 已经有了"
    assert ended.value.exit_code == 1


def test_any_other_fault_stays_a_fault():
    with pytest.raises(LookupError), refusals_told():
        raise LookupError("no refusal")
