"""Open311 GeoReport v2 with mySociety's updates extension: a face over complaints and issues, with no rules of its own."""

from typing import Any
from uuid import UUID

from flask import current_app, request

from patrol.foundation import clock
from patrol.foundation.errors import NotAllowed
from patrol.foundation.problems import language
from patrol.foundation.settings import Settings
from patrol.foundation.texts import Text
from patrol.foundation.throttle import public_read, public_write
from patrol.issues.models import Issue, number_of
from patrol.public import open311_actions, open311_queries
from patrol.public.models import PartnerKey
from patrol.public.open311_queries import partner_with_key
from patrol.public.open311_reception import receive_request, sent_request
from patrol.public.open311_requests import range_of, shown_request, shown_update
from patrol.public.open311_room import BASE, Open311Room, Shape, as_open311, sent_values, tolerate_double_slashes
from patrol.public.open311_schemas import (
    DefinitionOut,
    DiscoveryOut,
    PageArgs311,
    PlainArgs,
    ReceiptOut311,
    RequestsArgs,
    ServiceOut,
    ServiceRequestIn,
    ServiceRequestOut,
    TokenOut,
    UpdateIn,
    UpdateOut,
    UpdateReceiptOut,
)
from patrol.public.open311_services import BLACKBOX, SERVICES, service_with_code, shown_definition, shown_service
from patrol.public.progress import answer_to
from patrol.public.queries import complaint_with_code, issue_of

room = Open311Room("open311", __name__, url_prefix=BASE, description="Open311 GeoReport v2 for partner systems")
room.after_app_request(as_open311)
room.record_once(lambda state: tolerate_double_slashes(state.app))

# The moment at which this face last changed, as discovery has to tell it.
_CHANGESET = "2026-11-26T00:00:00+08:00"
_SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
_CONTACT = Text("请联系本地河长制办公室", "The river chief office of this district")
_KEYS = Text(
    "向河长制办公室申请 api_key；无 api_key 时须求解 GET /api/v1/public/challenge",
    "Ask the river chief office for an api_key; without one, solve GET /api/v1/public/challenge",
)
_NEEDS_KEY = Text("请提供 api_key", "Send an api_key")
_NOT_THEIRS = Text(
    "这一请求不是用此 api_key 提交的，不能补充说明", "This request did not come by this api_key: only whoever sent it may add to it"
)
_NOTICE = Text("{message} 进度：{address}", "{message} Progress: {address}")

SERVICE_LIST = Shape(ServiceOut(many=True), "services", "service")
REQUESTS = Shape(ServiceRequestOut(many=True), "service_requests", "request")
RECEIPTS = Shape(ReceiptOut311(many=True), "service_requests", "request")
TOKENS = Shape(TokenOut(many=True), "service_requests", "request")
UPDATES = Shape(UpdateOut(many=True), "service_request_updates", "request_update")
UPDATE_RECEIPTS = Shape(UpdateReceiptOut(many=True), "service_request_updates", "request_update")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _home() -> str:
    return str(_settings().public_url or request.host_url).rstrip("/")


@room.call("/discovery", Shape(DiscoveryOut(), "discovery"), asks=PlainArgs)
@public_read
def show_discovery(_args: dict[str, Any]) -> dict[str, Any]:
    """Say where the service is and which formats it speaks."""
    formats = ["text/xml", "application/json"]
    endpoint = {"specification": _SPECIFICATION, "url": _home() + BASE, "changeset": _CHANGESET, "type": "production", "formats": formats}
    return {
        "changeset": _CHANGESET, "contact": _CONTACT.in_language(language()), "key_service": _KEYS.in_language(language()),
        "endpoints": [endpoint],
    }  # fmt: skip


@room.call("/services", SERVICE_LIST, asks=PlainArgs)
@public_read
def list_services(_args: dict[str, Any]) -> list[dict[str, Any]]:
    """List what can be reported: the categories that citizens may choose."""
    return [shown_service(row, language()) for row in SERVICES.values()]


@room.call("/services/<service_code>", Shape(DefinitionOut(), "service_definition"), asks=PlainArgs)
@public_read
def show_service_definition(_args: dict[str, Any], service_code: str) -> dict[str, Any]:
    """Show the attributes of a service whose `metadata` is true."""
    return shown_definition(service_with_code(service_code), language())


@room.call("/requests", RECEIPTS, asks=ServiceRequestIn, methods=("POST",), refuses=(403,), read=sent_request)
@public_write
def send_service_request(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Report something, as a form (urlencoded, or multipart with photos).

    `service_notice` holds the tracking code, the only key to the complaint. `media_url` is handed to the handlers as it
    is; nothing is fetched.
    """
    account_id = data["account_id"]
    complaint, issue = receive_request(data)
    message = answer_to(complaint, issue, language())["message"]
    notice = _NOTICE.format(message=message, address=f"{_home()}/t/{complaint.tracking_code}").in_language(language())
    key = {"token": complaint.tracking_code} if issue.category in BLACKBOX else {"service_request_id": issue.number}
    return [{**key, "service_notice": notice, "account_id": account_id}]


@room.call("/tokens/<token>", TOKENS, asks=PlainArgs)
@public_read
def show_token(_args: dict[str, Any], token: str) -> list[dict[str, str]]:
    """Give the id of the request that a tracking code stands for; none for services whose requests are not shown."""
    complaint = complaint_with_code(token)
    issue = issue_of(complaint)
    shown = {} if issue.category in BLACKBOX else {"service_request_id": issue.number}
    return [{**shown, "token": complaint.tracking_code}]


@room.call("/requests", REQUESTS, asks=RequestsArgs, refuses=(403,))
@public_read
def list_service_requests(args: dict[str, Any]) -> list[dict[str, Any]]:
    """List requests, the newest first: of the last 90 days when nothing else is asked. Nothing personal is in them."""
    partner = partner_with_key(args["api_key"])
    if args["service_request_id"]:
        return _shown(open311_queries.requests_with_numbers(args["service_request_id"]), partner)
    between = range_of(args["start_date"], args["end_date"], clock.now())
    found = open311_queries.list_requests(
        between=between, services=args["service_code"], statuses=args["status"], page=args["page"], page_size=args["page_size"]
    )
    return _shown(found, partner)


@room.call("/requests/<service_request_id>", REQUESTS, asks=PlainArgs, refuses=(403,))
@public_read
def show_service_request(args: dict[str, Any], service_request_id: str) -> list[dict[str, Any]]:
    """Show one request, as a list of one."""
    return _shown([open311_queries.request_with_number(service_request_id)], partner_with_key(args["api_key"]))


@room.call("/servicerequestupdates", UPDATES, asks=PageArgs311, refuses=(403,))
@public_read
def list_service_request_updates(args: dict[str, Any]) -> list[dict[str, Any]]:
    """List the steps taken on requests within a range, the oldest first (mySociety's extension)."""
    partner_with_key(args["api_key"])
    between = range_of(args["start_date"], args["end_date"], clock.now())
    rows = open311_queries.list_updates(between=between, page=args["page"], page_size=args["page_size"])
    return [
        shown_update(
            entry, number_of(serial), state, proof, language=language(), timezone=_settings().timezone,
            photo_address=lambda photo_id, serial=serial: _photo_address(number_of(serial), photo_id),  # type: ignore[misc]
        )
        for entry, serial, state, proof in rows
    ]  # fmt: skip


@room.call("/servicerequestupdates", UPDATE_RECEIPTS, asks=UpdateIn, methods=("POST",), refuses=(403,),
           read=sent_values)
@public_write
def send_service_request_update(data: dict[str, Any]) -> list[dict[str, str]]:
    """Pass on what a partner's user said of a request that came by its key (mySociety's extension).

    It changes no state; lead and office are told, and read it in the history of what is dealt with: of a merged request
    the original's.
    """
    partner = partner_with_key(data["api_key"])
    if partner is None:
        raise NotAllowed(_NEEDS_KEY)
    issue = open311_queries.request_with_number(data["service_request_id"])
    if issue.id not in open311_queries.sent_by(partner, [issue]):
        raise NotAllowed(_NOT_THEIRS)
    text = "\n".join([*filter(None, [data["description"]]), *(f"照片：{address}" for address in data["media_url"])])[:4000]
    row = open311_actions.keep_update(
        partner, issue, update_id=data["update_id"], status=data["status"], said_at=data["updated_datetime"], text=text
    )
    return [{"update_id": str(row.id)}]


def _photo_address(number: str, photo_id: UUID | str) -> str:
    return f"{_home()}/api/v1/public/issues/{number}/photos/{photo_id}/screen"


def _shown(issues: "list[Issue] | Any", partner: PartnerKey | None) -> list[dict[str, Any]]:
    last, own = open311_queries.last_entries(issues), open311_queries.sent_by(partner, issues)
    return [
        shown_request(
            issue, last_at=last[issue.id][0], ground=last[issue.id][1], own=issue.id in own, language=language(),
            timezone=_settings().timezone,
            photo_address=lambda photo_id, number=issue.number: _photo_address(number, photo_id),  # type: ignore[misc]
        )
        for issue in issues
    ]  # fmt: skip
