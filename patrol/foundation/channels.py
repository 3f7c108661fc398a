"""Ways out of the house to people: mail and the group robots of WeCom, DingTalk and Feishu, all through apprise."""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import quote, urlencode

from patrol.foundation.errors import Invalid, Unavailable
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text


class Way(StrEnum):
    """How a message reaches somebody outside of this software."""

    MAIL = "mail"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


WAY_NAME: dict[Way, Text] = {
    Way.MAIL: Text("电子邮件", "E-mail"), Way.WECOM: Text("企业微信群机器人", "WeCom group robot"),
    Way.DINGTALK: Text("钉钉群机器人", "DingTalk group robot"), Way.FEISHU: Text("飞书群机器人", "Feishu group robot"),
}

_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,200}")
_SECRET_AND_KEY = re.compile(r"([A-Za-z0-9]{8,200}@)?[A-Za-z0-9]{8,200}")
_NOT_MAIL = Text("不是有效的邮箱地址", "It is not an e-mail address")
_NOT_KEY = Text("不是有效的机器人密钥：只填 Webhook 地址中的密钥部分", "It is not a robot's key: give only the key from its webhook address")
_NO_MAIL = Text("尚未设置 XUNHE_MAIL_URL，无法发送邮件", "XUNHE_MAIL_URL is not set: no mail can be sent")
_NO_SMS = Text("尚未设置 XUNHE_SMS_URL，无法发送短信", "XUNHE_SMS_URL is not set: no text message can be sent")
_SMS = Text("短信网关", "the text message gateway")
_NOT_SENT = Text("消息未能送达{way}", "The message was not taken by {way}")


def refuse_bad_address(way: Way, address: str, *, field: str = "address") -> None:
    """Raise Invalid (422) at `field` for an address that cannot be one of this way.

    A mail address, a robot's key (WeCom, Feishu), or a robot's token with its signing secret before an `@` (DingTalk).
    """
    form = {Way.MAIL: _MAIL, Way.DINGTALK: _SECRET_AND_KEY}.get(way, _KEY)
    if not form.fullmatch(address):
        fault = _NOT_MAIL if way is Way.MAIL else _NOT_KEY
        raise Invalid(fault, errors={field: [fault]})


def can_send(way: Way, settings: Settings) -> bool:
    """Tell whether anything can go out this way as the service is set up: mail needs a server."""
    return way is not Way.MAIL or bool(settings.mail_url)


def address_for_apprise(way: Way, address: str, mail_url: str, headers: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return the address as apprise writes it, `headers` of a mail in it. Raises Unavailable (503) for mail while no server is set."""
    if way is Way.MAIL:
        if not mail_url:
            raise Unavailable(_NO_MAIL)
        # A plus sign before its name makes a parameter a header of the mail.
        parameters = {"to": address} | {f"+{name}": value for name, value in headers.items()}
        return f"{mail_url}{'&' if '?' in mail_url else '?'}{urlencode(parameters)}"
    schema = {Way.WECOM: "wecombot", Way.DINGTALK: "dingtalk", Way.FEISHU: "feishu"}[way]
    return f"{schema}://{quote(address, safe='@')}"


def _apprise(url: str, title: str, body: str) -> bool:
    # Only the worker sends; the web processes are spared the library's memory.
    import apprise  # noqa: PLC0415

    out = apprise.Apprise()
    return bool(out.add(url) and out.notify(body=body, title=title, body_format=apprise.NotifyFormat.TEXT))


# A list, so that tests can put another sender into the place of the real one.
sender: list[Callable[[str, str, str], bool]] = [_apprise]


def send(way: Way, address: str, *, title: str, body: str, mail_url: str, headers: Mapping[str, str] = MappingProxyType({})) -> None:
    """Send one message now. Raises Unavailable when it was not taken; the outbox tries again later."""
    if not sender[-1](address_for_apprise(way, address, mail_url, headers), title, body):
        raise Unavailable(_NOT_SENT.format(way=WAY_NAME[way]))


def send_sms(phone: str, *, body: str, sms_url: str) -> None:
    """Send one text message now through the gateway that is set. Raises Unavailable as `send` does."""
    if not sms_url:
        raise Unavailable(_NO_SMS)
    if not sender[-1](sms_url.replace("{phone}", quote(phone, safe="")), "", body):
        raise Unavailable(_NOT_SENT.format(way=_SMS))


def is_mail_address(text: str) -> bool:
    """Tell whether mail can be sent to `text`."""
    return _MAIL.fullmatch(text) is not None
