"""Settings: read once, refused by name, safe in production."""

import pytest

from patrol.application import create_app
from patrol.foundation.settings import DEMO_FIELD_KEY, DEMO_SECRET, SETTINGS, Settings, UnusableSetting, unknown_names

SAFE = {
    "XUNHE_SECRET_KEY": "s" * 40, "XUNHE_FIELD_KEY": "ZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmY=",
}


def test_production_is_the_default_and_refuses_unsafe_defaults():
    with pytest.raises(UnusableSetting, match="XUNHE_SECRET_KEY"):
        Settings({})
    with pytest.raises(UnusableSetting, match="XUNHE_FIELD_KEY"):
        Settings({**SAFE, "XUNHE_FIELD_KEY": DEMO_FIELD_KEY})
    with pytest.raises(UnusableSetting, match="XUNHE_DEMO"):
        Settings({**SAFE, "XUNHE_DEMO": "1"})
    for yes in ("true", "yes", "on"):
        with pytest.raises(UnusableSetting, match="XUNHE_DEMO"):
            Settings({**SAFE, "XUNHE_DEMO": yes})
    for keys in (f"{DEMO_FIELD_KEY},", f"{SAFE['XUNHE_FIELD_KEY']},{DEMO_FIELD_KEY}"):
        with pytest.raises(UnusableSetting, match="XUNHE_FIELD_KEY"):
            Settings({**SAFE, "XUNHE_FIELD_KEY": keys})
    with pytest.raises(UnusableSetting, match="XUNHE_ENV"):
        Settings({**SAFE, "XUNHE_ENV": "prod"})
    with pytest.raises(UnusableSetting, match="XUNHE_SECRET_KEY"):
        Settings({**SAFE, "XUNHE_SECRET_KEY": "short"})
    assert Settings(SAFE).env == "production"


def test_what_was_set_to_something_unsafe_is_not_told_to_be_set():
    with pytest.raises(UnusableSetting, match=r"XUNHE_DEMO must have another value .*生产环境不得使用 XUNHE_DEMO 现有的值"):
        Settings({**SAFE, "XUNHE_DEMO": "1"})
    with pytest.raises(UnusableSetting, match=r"XUNHE_SECRET_KEY must be set .*生产环境必须设置 XUNHE_SECRET_KEY"):
        Settings({})


def test_a_try_may_use_the_defaults():
    settings = Settings({"XUNHE_ENV": "demo"})
    assert settings.secret_key == DEMO_SECRET
    assert settings.sqlalchemy_url.startswith("sqlite:///")
    assert settings.bind_address == "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("name", "value"),
    [("WORKERS", "0"), ("WORKERS", "many"), ("TIMEZONE", "Mars/Base"), ("FIELD_KEY", "rubbish"), ("DEMO", "perhaps"),
     ("CHALLENGE_COST", "-1"), ("REDIS_URL", "http://x"), ("REDIS_URL", "redis:"), ("LOG_LEVEL", "foo"), ("PUBLIC_URL", "foo"), ("PUBLIC_URL", "http://["),
     ("BIND", "::::"), ("BIND", "0.0.0.0:99999"), ("BIND", "0.0.0.0:http")],
)
def test_a_value_that_cannot_be_used_stops_with_the_settings_name(name, value):
    with pytest.raises(UnusableSetting, match=f"XUNHE_{name}"):
        Settings({"XUNHE_ENV": "test", f"XUNHE_{name}": value})


@pytest.mark.parametrize(("name", "value"), [
    ("BIND", "0.0.0.0:80"), ("BIND", "[::]:80"), ("BIND", "localhost:80,127.0.0.1:81"), ("BIND", "unix:/run/x.sock"), ("LOG_LEVEL", "debug"),
    ("REDIS_URL", "rediss://user:word@host:6379/0"), ("PUBLIC_URL", "https://river.example.org/xunhe"),
])  # fmt: skip
def test_what_can_be_used_is_taken_as_it_stands(name, value):
    assert getattr(Settings({"XUNHE_ENV": "test", f"XUNHE_{name}": value}), name.lower()) == value


@pytest.mark.parametrize("value", ["ftp://x", "s3://bucket?colour=blue"])
def test_a_store_that_cannot_be_is_refused_by_name(tmp_path, value):
    with pytest.raises(UnusableSetting, match=r"XUNHE_UPLOADS .*设置 XUNHE_UPLOADS 无效"):
        create_app(Settings({"XUNHE_ENV": "test", "XUNHE_UPLOADS": value}, data=str(tmp_path), log_level="ERROR"))


def test_an_override_must_exist():
    with pytest.raises(UnusableSetting, match="colour"):
        Settings({"XUNHE_ENV": "test"}, colour="blue")


def test_every_setting_says_what_it_is_for():
    assert all(len(row.purpose) > 10 for row in SETTINGS)
    assert len({row.name for row in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(("name", "value"), [
    ("MAIL_URL", "smtp.example.cn"), ("MAIL_URL", "mailtos://"), ("MAIL_URL", "https://smtp.example.cn"), ("DATABASE_URL", "mysql://x"),
    ("DATABASE_URL", "xunhe.db"),
])
def test_what_leads_nowhere_is_refused_by_name(name, value):
    with pytest.raises(UnusableSetting, match=f"XUNHE_{name}"):
        Settings({**SAFE, f"XUNHE_{name}": value})


def test_a_folder_that_cannot_be_is_refused_by_name():
    with pytest.raises(UnusableSetting, match="XUNHE_DATA"):
        create_app(Settings({**SAFE, "XUNHE_DATA": "/proc/nope"}))


def test_the_database_is_shown_without_its_password():
    for url in ("postgres://xunhe:geheim@db/xunhe", "postgresql://db/xunhe?user=xunhe&password=geheim"):
        assert Settings({**SAFE, "XUNHE_DATABASE_URL": url}).database_shown == "db:5432/xunhe"


def test_a_misspelt_name_is_told_with_the_one_that_was_meant():
    names = {"XUNHE_WEBHOOK_INSIDE": "1", "XUNHE_TEST_ENGINE": "sqlite", "XUNHE_DATA": "x", "XUNHE_QQQQ": "", "XUNHE_NEW_PASSWORD": "x", "PATH": ""}
    assert unknown_names(names) == {"XUNHE_WEBHOOK_INSIDE": "XUNHE_WEBHOOKS_INSIDE", "XUNHE_QQQQ": None}
