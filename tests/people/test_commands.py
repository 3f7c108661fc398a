"""Accounts by the shell."""

from patrol.foundation.settings import Settings


def test_the_first_account_before_the_tables_says_what_to_run(another_app, tmp_path):
    app = another_app(Settings({"XUNHE_ENV": "test"}, data=str(tmp_path)))
    made = app.test_cli_runner().invoke(
        args=["people", "add", "boss", "--name", "何管理", "--region", "990100", "--region-name", "清溪区", "--password", "a long password"])
    assert made.exit_code == 1
    assert "db upgrade" in made.output
