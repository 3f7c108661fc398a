"""A command that is refused ends by words for people."""

import click
import pytest
from click.testing import CliRunner

from patrol.foundation.errors import Conflict
from patrol.foundation.shell import CommandGroup
from patrol.foundation.texts import Text

commands = CommandGroup("things")


@commands.command("refuse", with_appcontext=False)
def refuse():
    raise Conflict(Text("已经有了", "It is there already"))


@commands.command("fail", with_appcontext=False)
def fail():
    raise LookupError("no refusal")


def test_a_refusal_ends_the_command_in_both_languages():
    ended = CliRunner().invoke(commands, ["refuse"])
    assert (ended.exit_code, ended.output) == (1, "Error: It is there already / 已经有了\n")


def test_any_other_fault_stays_a_fault():
    with pytest.raises(LookupError):
        commands.main(["fail"], standalone_mode=False)


def test_every_command_of_the_service_ends_so(app):
    groups = [group for group in app.cli.commands.values() if isinstance(group, CommandGroup)]
    assert len(groups) >= 8
    assert {type(command) for group in groups for command in group.commands.values()} == {groups[0].command_class}
    assert isinstance(app.cli.commands["import"], click.Command)
