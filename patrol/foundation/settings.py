"""Every setting: one table of rows, read from the environment once, at start. `docs/settings.md` is generated from it."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from patrol.foundation.true_type import READERS_OWN, is_true_type

# Known to everybody who reads this file: good for a demo on one's own machine, refused in production.
DEMO_SECRET = "xunhe-demo-secret-not-for-production"
DEMO_FIELD_KEY = "eHVuaGUtZGVtby1maWVsZC1rZXktbm90LXNlY3JldCE="

_HOST_PORT = re.compile(r"(?:[\w.-]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?")


class UnusableSetting(SystemExit):
    """A setting that cannot be used: stops the start with one line that names it."""


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError("1 or 0 expected")


def _environment(text: str) -> str:
    if text not in {"production", "development", "demo", "test"}:
        raise ValueError("production, development, demo or test expected")
    return text


def _timezone(text: str) -> str:
    ZoneInfo(text)
    return text


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise ValueError("a number of at least 1 expected")
    return number


def _not_negative(text: str) -> int:
    if (number := int(text)) < 0:
        raise ValueError("a number of at least 0 expected")
    return number


def _expiry_days(text: str) -> int:
    if (number := int(text)) < 14:
        raise ValueError("at least 14 days expected: phones come back late, and take an ended upload as final")
    return number


def _hours_of_day(text: str) -> tuple[time, time]:
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError("two times expected, such as 21:00-08:00")
    return time.fromisoformat(start.strip()), time.fromisoformat(end.strip())


def _sms_url(text: str) -> str:
    if text and "{phone}" not in text:
        raise ValueError("{phone} must stand where the gateway expects the number")
    return text


def _mail_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"mailto", "mailtos"} or not urlsplit(text).hostname):
        raise ValueError("mailtos://user:password@smtp.example.cn?from=river@example.cn expected")
    return text


def _database_url(text: str) -> str:
    if text and urlsplit(text).scheme.partition("+")[0] not in {"postgres", "postgresql", "sqlite"}:
        raise ValueError("postgresql://user:password@host/name expected, or nothing for SQLite in the data folder")
    return text


def _redis_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"redis", "rediss"} or not urlsplit(text).hostname):
        raise ValueError("redis://host:6379/0 expected")
    return text


def _public_url(text: str) -> str:
    if text and (urlsplit(text).scheme not in {"http", "https"} or not urlsplit(text).hostname):
        raise ValueError("an address such as https://river.example.org expected")
    return text


def _bind(text: str) -> str:
    """Read what gunicorn listens on, several separated by commas; sockets of other kinds than host and port pass."""
    for address in filter(None, text.split(",")):
        host_port = _HOST_PORT.fullmatch(address.strip())
        if not address.strip().startswith(("unix:", "fd://")) and (host_port is None or int(host_port[1] or 0) > 65535):
            raise ValueError("an address and port expected, such as 0.0.0.0:8000")
    return text


def _log_level(text: str) -> str:
    if text.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise ValueError("DEBUG, INFO, WARNING or ERROR expected")
    return text


def _public_photos(text: str) -> str:
    if text not in {"at_once", "after_a_look"}:
        raise ValueError("at_once or after_a_look expected")
    return text


def _font(text: str) -> str:
    if text not in {"", READERS_OWN} and not is_true_type(Path(text)):
        raise ValueError(f"the path of a .ttf or .ttc file with TrueType outlines expected, or {READERS_OWN}")
    return text


def _field_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for key in keys:
        Fernet(key)
    if not keys:
        raise ValueError("at least one Fernet key expected")
    return keys


@dataclass(frozen=True)
class Setting:
    """One row: the variable's name after `XUNHE_`, how it is read, what holds without it, and what it is for."""

    name: str
    read: Callable[[str], Any]
    default: str
    purpose: str
    unsafe_in_production: str | None = None


SETTINGS = (
    Setting("ENV", _environment, "production", "`production`, or `development` / `demo` / `test`, where unsafe defaults may stand."),
    Setting("DATA", str, "./var", "Folder of what the server itself keeps: the SQLite database, the work queue, locks."),
    Setting("DATABASE_URL", _database_url, "", "`postgresql://user:password@host/name`. Empty: SQLite in the data folder."),
    Setting("UPLOADS", str, "./uploads", "Where photos live: a folder, or `s3://bucket?endpoint=https://…` with the "
            "usual `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`."),
    Setting("REDIS_URL", _redis_url, "", "`redis://host:6379/0`: work queue and request limits shared by several machines. "
            "Empty: the queue is a SQLite file and limits are counted in each process."),
    Setting("SECRET_KEY", str, DEMO_SECRET, "Signs tokens and challenges. At least 32 characters.", DEMO_SECRET),
    Setting("FIELD_KEY", _field_keys, DEMO_FIELD_KEY, "Encrypts reporters' personal data: Fernet keys separated by "
            "commas, the first encrypts, all decrypt. Make one with `XUNHE_ENV=development flask --app app people make-field-key`.", DEMO_FIELD_KEY),
    Setting("DEMO", _flag, "0", "`1` lets `flask --app app demo load`, which `make run` calls, load the demo district, with accounts "
            "whose password everybody knows.", "1"),
    Setting("TIMEZONE", _timezone, "Asia/Shanghai", "Where the district lies: days, deadlines and weekdays are local."),
    Setting("WORKERS", _positive, "2", "Web processes."),
    Setting("THREADS", _positive, "8", "Threads of each web process."),
    Setting("BACKGROUND", _flag, "0", "`1`: the server of the web processes runs the background worker too, as one process more that shares their memory. "
            "`0`: it runs by itself (`flask --app app service worker`)."),
    Setting("BIND", _bind, "", "Address and port to listen on. Empty: `127.0.0.1:$PORT`, port 8000."),
    Setting("PUBLIC_URL", _public_url, "", "Address under which citizens reach this server, for the QR codes on boards and the links in messages: "
            "`https://river.example.org`. Empty: the codes lead to the address of the request that asks for one, and citizens get no messages."),
    Setting("TRUSTED_PROXIES", _not_negative, "0", "How many proxies in front set `X-Forwarded-For` and `-Proto`. 0: the "
            "headers are ignored."),
    Setting("CHALLENGE_COST", _not_negative, "50000", "Effort of the proof of work asked of anonymous writers, as the "
            "largest number to search; 0 asks for none."),
    Setting("PUBLIC_WRITES_PER_BLOCK", str, "30 per hour", "Anonymous writes allowed to one address block (IPv4 /24, "
            "IPv6 /48); without Redis each web process counts by itself."),
    Setting("PUBLIC_WRITES_TOTAL", str, "600 per hour", "Anonymous writes allowed to everybody together."),
    Setting("PUBLIC_READS_PER_BLOCK", str, "600 per minute", "Anonymous reads by tracking code and of public data "
            "allowed to one address block."),
    Setting("MAX_BODY_MB", _positive, "64", "Largest request body in megabytes; larger ones are answered 413."),
    Setting("MAX_PHOTO_MB", _positive, "25", "Largest photo file in megabytes."),
    Setting("PARTIAL_UPLOADS", str, "", "Folder of photo uploads under way, shared by all web processes. Several machines need one folder that "
            "they all mount, or a proxy that keeps a phone on one machine. Empty: `partial` in the data folder."),
    Setting("UPLOAD_DAYS", _expiry_days, "14", "Days after its last byte in which an upload can be resumed; at least 14."),
    Setting("OPEN_UPLOADS", _positive, "100", "Uploads that one account may have under way at once."),
    Setting("OPEN_UPLOADS_MB", _positive, "1000", "Megabytes that one account's uploads under way may come to together."),
    Setting("COMPLAINT_DAYS", _positive, "366", "How many days ago a citizen may have seen what a complaint tells."),
    Setting("PUBLIC_PHOTOS", _public_photos, "at_once", "When a citizen's photo of a trouble is open to everybody: `at_once`, or `after_a_look`, once "
            "somebody with an account has done something about the case since it came. Its sender sees it at once."),
    Setting("NOT_FIXED_DAYS", _positive, "15", "Days after a closing in which its complainant may say that it is not fixed."),
    Setting("ACCESS_TOKEN_MINUTES", _positive, "30", "How long an access token lives."),
    Setting("REFRESH_TOKEN_DAYS", _positive, "90", "How long a phone may stay away before it must sign in again."),
    Setting("ROUTING_TOLERANCE_M", _positive, "60", "Set distance added to the accuracy of a position when a reach "
            "has no tolerance of its own."),
    Setting("MAIL_URL", _mail_url, "", "Mail server for messages, as apprise writes it: `mailtos://user:password@smtp.example.cn?from=river@example.cn`. "
            "Empty: no mail is sent."),
    Setting("SMS_URL", _sms_url, "", "Text message gateway for citizens who left only a telephone number, as apprise writes it, with `{phone}` "
            "where the number goes: `jsons://sms.example.cn/send?:to={phone}`. Empty: no text message is sent."),
    Setting("CITIZEN_QUIET", _hours_of_day, "21:00-08:00", "Local hours in which no message goes to a citizen."),
    Setting("CITIZEN_PAUSE_HOURS", _positive, "4", "Hours between two messages to one citizen: what happens meanwhile comes together in the next."),
    Setting("WEBHOOKS_INSIDE", _flag, "0", "`1` lets webhooks lead into the inner network and use plain http, for an intranet."),
    Setting("PDF_FONT", _font, "", "Font that case files (PDF) hold: the path of a .ttf or .ttc file with Chinese letters and TrueType outlines. "
            f"Empty: the first known one that is installed, such as Debian's `fonts-wqy-microhei`, else `{READERS_OWN}`, which is the reader's "
            "own and not in the file."),
    Setting("HEADS", str, "", "Folder for the daily heads of the histories; best one that the database's administrator cannot write to. "
            "Empty: `heads` in the data folder."),
    Setting("TRACK_DAYS", _positive, "180", "How many days after their arrival the raw points of a patrol's track are kept."),
    Setting("CONTACT_DAYS", _positive, "365", "Days after the last thing that happened to an ended case in which the contacts of its complainant and "
            "followers are kept."),
    Setting("UNCONFIRMED_DAYS", _positive, "7", "Days in which a follower may confirm an address before it is deleted."),
    Setting("DELIVERED_DAYS", _positive, "30", "Days in which it stays written down what was delivered: rows of the outbox, deliveries, webhook calls."),
    Setting("MESSAGE_DAYS", _positive, "365", "Days in which staff's messages are kept, read or not."),
    Setting("SIGN_IN_DAYS", _positive, "90", "Days in which an ended or expired sign-in is still listed."),
    Setting("OPEN_PATROL_HOURS", _positive, "12", "After how many hours without anything new a patrol that nobody "
            "ended is ended by the system."),
    Setting("METRICS_TOKEN", str, "", "Bearer token for `/metrics`. Empty: only callers on this machine may read it."),
    Setting("LOG_LEVEL", _log_level, "INFO", "`DEBUG`, `INFO`, `WARNING` or `ERROR`."),
)

_ROWS = {row.name: row for row in SETTINGS}
# A password that a command reads, and a library that a test finds.
_OF_OTHERS = {"XUNHE_NEW_PASSWORD", "XUNHE_TUS_JS"}


class Settings:
    """The settings in force, as attributes in lower case: `settings.database_url`, `settings.workers` and so on."""

    def __init__(self, environment: Mapping[str, str] | None = None, **overrides: Any) -> None:
        """Read `XUNHE_*` of `environment` (default: the process's); `overrides` replace single values, for tests.

        Raises UnusableSetting that names the setting when a value cannot be read or is unsafe in production.
        """
        environment = os.environ if environment is None else environment
        self._values: dict[str, Any] = {}
        texts = {row.name: environment.get(f"XUNHE_{row.name}") or row.default for row in SETTINGS}
        for row in SETTINGS:
            try:
                self._values[row.name.lower()] = row.read(texts[row.name])
            except (ValueError, OSError, KeyError) as error:
                raise UnusableSetting(f"XUNHE_{row.name} cannot be used: {error} / 设置 XUNHE_{row.name} 无效") from error
        unknown = overrides.keys() - self._values.keys()
        if unknown:
            raise UnusableSetting(f"no such settings: {sorted(unknown)}")
        if self._values["env"] == "production":
            self._refuse_unsafe(texts)
        self._values.update(overrides)
        self._values["port"] = environment.get("PORT") or 8000

    def _refuse_unsafe(self, texts: Mapping[str, str]) -> None:
        for row in SETTINGS:
            if row.unsafe_in_production is None:
                continue
            value, unsafe = self._values[row.name.lower()], row.read(row.unsafe_in_production)
            # Read, not compared as text: "true" is "1", and a demo key is unsafe as the second key too.
            if value == unsafe or (isinstance(value, tuple) and not set(unsafe).isdisjoint(value)):
                must, zh = (
                    ("must be set", f"必须设置 XUNHE_{row.name}") if texts[row.name] == row.default
                    else ("must have another value", f"不得使用 XUNHE_{row.name} 现有的值")
                )  # fmt: skip
                raise UnusableSetting(
                    f"XUNHE_{row.name} {must} in production: {row.purpose} (XUNHE_ENV=development or `make run` for a try) / 生产环境{zh}"
                )
        if len(texts["SECRET_KEY"]) < 32:
            raise UnusableSetting("XUNHE_SECRET_KEY must have at least 32 characters / XUNHE_SECRET_KEY 至少 32 个字符")

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        return Path(self._values["data"]).resolve()

    @property
    def heads(self) -> Path:
        """The folder of the histories' daily heads, absolute."""
        return Path(self._values["heads"] or self.data / "heads").resolve()

    @property
    def partial_uploads(self) -> Path:
        """The folder of uploads under way, absolute."""
        return Path(self._values["partial_uploads"] or self.data / "partial").resolve()

    @property
    def sqlalchemy_url(self) -> str:
        """The database's address as SQLAlchemy wants it: psycopg 3 for PostgreSQL, else the file in the data folder."""
        url = str(self._values["database_url"])
        if not url:
            return f"sqlite:///{self.data / 'xunhe.db'}"
        return url.replace("postgres://", "postgresql://", 1)

    @property
    def database_shown(self) -> str:
        """Where the database is, for people: without user and password."""
        url = make_url(self.sqlalchemy_url)
        return url.database or "" if url.get_backend_name() == "sqlite" else f"{url.host or 'localhost'}:{url.port or 5432}/{url.database}"

    @property
    def tells_by_mail(self) -> bool:
        """Whether citizens can be told by mail: there is a server for it, and an address for the links in it."""
        return bool(self._values["mail_url"] and self._values["public_url"])

    @property
    def tells_by_sms(self) -> bool:
        """Whether citizens can be told by text message."""
        return bool(self._values["sms_url"] and self._values["public_url"])

    @property
    def bind_address(self) -> str:
        """Where the server listens."""
        return self._values["bind"] or f"127.0.0.1:{self._values['port']}"


def unknown_names(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return each `XUNHE_*` of an environment that is no setting, with the setting that was probably meant; those of tests are passed over."""
    names = sorted(name for name in environment if name.startswith("XUNHE_") and not name.startswith("XUNHE_TEST_") and name not in _OF_OTHERS)
    # Compared without what all begin with, which would make everything alike.
    strange = {name: name.removeprefix("XUNHE_") for name in names if name.removeprefix("XUNHE_") not in _ROWS}
    meant = {name: next(iter(get_close_matches(rest, _ROWS, 1)), None) for name, rest in strange.items()}
    return {name: found and f"XUNHE_{found}" for name, found in meant.items()}


def settings_document() -> str:
    """Render the table of docs/settings.md."""
    lines = [
        "# Settings", "", "All of them are environment variables. Generated from `patrol/foundation/settings.py`.", "",
        "| variable | default | what it is for |", "|---|---|---|",
    ]
    for row in SETTINGS:
        default = "(a demo value; production refuses it)" if row.name in {"SECRET_KEY", "FIELD_KEY"} else f"`{row.default}`"
        lines.append(f"| `XUNHE_{row.name}` | {default if row.default else '(empty)'} | {row.purpose} |")
    return "\n".join(lines) + "\n"
