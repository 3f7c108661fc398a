"""Examples in the API's description: one table by the names of properties, for all that brings none of its own.

A name means the same wherever it stands, as far as the glossary goes; where it does not, `Schema.name` goes before it.
"""

import re
from collections.abc import Mapping
from typing import Any

_ID, _DIGEST, _DAY, _MOMENT = "0196a1f2-3c4d-7e5f-8a6b-9c0d1e2f3a4b", "9f86d081884c7d659a2feaa0c55ad015" * 2, "2026-05-01", "2026-05-01T08:30:00+08:00"
_PICTURE = f"/api/v1/photos/{_ID}"
_PUBLIC_PICTURE = f"/api/v1/public/complaints/7K3D-0V9M-W2QH-5TXA/photos/{_ID}"
_OPEN_PICTURE = f"/api/v1/public/issues/XH0000123/photos/{_ID}"
_FORMATS: Mapping[str, str] = {"uuid": _ID, "date": _DAY, "date-time": _MOMENT, "email": "wang@example.com"}
_COUNT = 3

_TEXTS: Mapping[str, str] = {
    # Names, places and codes
    "HistoryActorOut.name": "王建国", "PersonIn.name": "王建国", "PersonChangesIn.name": "王建国", "RevealedOut.name": "李明",
    "AllowedStepOut.name": "派单", "CategoryOut.name": "漂浮物", "PolicyKindOut.name": "办理期限", "ProfileReachOut.name": "清溪柳岸段",
    "PublicCountOut.name": "办理中", "ValueOut.name": "漂浮物", "first_name": "明", "last_name": "李", "username": "wangjianguo", "person": "wangjianguo",
    "lead": "wangjianguo", "approved_by": "liqiang", "phone": "13800000000", "email": _FORMATS["email"], "contact": "清溪区河长办，0571-8888 0000",
    "ProfileReachOut.code": "QX-01-03", "PublicCountOut.code": "in_progress", "ImportChangeOut.code": "QX-01-03", "parent": "C", "category": "C1",
    "region": "990100", "region_code": "990100", "department": "water", "agency_responsible": "清溪区河长办", "address": "清溪柳岸段",
    "address_string": "清溪柳岸段，木桥下游", "address_id": "QX-01-03", "zipcode": "310000", "level": "village", "bank": "both",
    "title": "村级河长", "ImportProblemOut.title": "Invalid", "target": "dispatched", "receiver": "Garmin GLO 2", "number": "XH0000123",
    # What somebody wrote
    "description": "木桥下游漂着塑料袋和树枝", "ServiceOut.description": "水面或岸边的漂浮垃圾", "AttributeOut.description": "看到的是哪一种情况",
    "datatype_description": "请选一项", "UpdateOut.description": "已派单给村级河长，5月16日前办结", "UpdateIn.description": "已到现场打捞",
    "note": "水面清洁，无异味", "summary": "全程巡查，发现漂浮物一处", "comment": "清理得很干净", "reason": "现场核实属实",
    "decision": "同意，连日降雨无法施工", "answer": "已督促整改，附现场照片", "text": "请于三日内完成清理并回复", "public_summary": "漂浮物已打捞，河面恢复清洁",
    "label": "手机上的 OsmAnd", "keywords": "漂浮物", "zh": "水面漂浮物", "en": "Floating litter", "about": "等待我受理、派单、核查或办结的问题",
    "ground_name": "不属于涉水问题", "applies": "一般问题，自受理起计", "PolicyWarningOut.text": "2027 年的节假日尚未导入",
    "FindingOut.text": "照片拍摄地点距问题位置 320 米", "ranking": "先按距离，再按照片相似度",
    "status_notes": "已派单给村级河长，5月16日前办结", "service_notice": "清溪区河长办将在两个工作日内受理", "key_service": "向清溪区河长办申请接口密钥",
    "message": "没有编码为 QX-09-99 的河段", "detail": "文件有 2 处错误，未导入任何内容", "last_error": "HTTP 503 Service Unavailable", "broken": "图像数据不完整",
    "warning": "公示牌距其河段 320 米，请核对坐标", "AppointmentDetailOut.warning": "该河段在这些日子已有河长：李强（村级河长，2026-01-01 起）",
    # Words of the system
    "state": "dispatched", "from_state": "accepted", "to_state": "dispatched", "verb": "dispatch", "severity": "general", "source": "patrol",
    "ground": "not_a_water_matter", "rule": "patrol_to_chief", "OrderOut.rule": "general_overdue_3_wd", "kind": "before", "field": "reach_code",
    "end_reason": "no_more_points", "OwnershipOut.end_reason": "职责划转", "period": "2026-05", "language": "zh", "camera": "HUAWEI P60", "software": "HarmonyOS 4.2",
    "device": "xunhe-pwa/3f2a", "subject": _ID, "precedent_of": "XH0000123", "version": "2026-12.2", "id": _ID, "account_id": "citizen-4711",
    "SyncResultOut.id": _ID, "update_id": "partner-update-17",
    # Proofs, keys and addresses
    "sha256": _DIGEST, "hash": _DIGEST, "previous_hash": _DIGEST, "facts": _DIGEST, "seed": _DIGEST, "signature": _DIGEST,
    "access_token": "J6vYt0NcZ5mLb2HsD7fGePxAuT8Jq3RkWwYt1Zr7KjL", "refresh_token": "8Jq3RkW6vYt0NcZ5mLb2HsD7fGePxAuT4dHs9BfGePx", "token": "7K3D-0V9M-W2QH-5TXA",
    "api_key": "3Hs9BfGePxA5N0cVQm2T8uYw1Zr7KjL4", "key": "1Zr7KjL4dHs9BfGePxA5N0cV", "secret": "5N0cVQm2T8uYw1Zr7KjL4dHs9BfGePxA3Hs9BfGePxA",
    "challenge": "eyJjaGFsbGVuZ2UiOnsicGFyYW1ldGVycyI6eyJhbGdvcml0aG0iOiJTSEEtMjU2In19fQ==",
    "password": "qing-xi-he-2026", "current_password": "qing-xi-he-2025", "new_password": "qing-xi-he-2026",
    "next": "WyJuZXdlc3QiLCIyMDI2LTA1LTAxVDAwOjMwOjAwKzAwOjAwIiwiMDE5NmExZjIiXQ", "check_ins_next": "WyJsYXRlc3QiLCIyMDI2LTA1LTAxVDAwOjMwOjAwKzAwOjAwIl0",
    "PublicPhotoOut.thumb": f"{_PUBLIC_PICTURE}/thumb", "PublicPhotoOut.screen": f"{_PUBLIC_PICTURE}/screen",
    "SuggestedPhotoOut.thumb": f"{_OPEN_PICTURE}/thumb", "SuggestedPhotoOut.screen": f"{_OPEN_PICTURE}/screen",
    "thumb": f"{_PICTURE}/thumb", "screen": f"{_PICTURE}/screen", "media_url": "https://river.example.org/open311/v2/photos/1.jpg",
    "url": "https://partner.example.org/hooks/river", "updated_datetime": _MOMENT, "expected_datetime": "2026-05-16T00:00:00+08:00",
}  # fmt: skip
_DAYS: Mapping[str, str] = {"valid_to": "2026-12-31", "not_fixed_until": "2026-06-10", "due_on": "2026-05-16", "last_day": "2026-05-15"}
_MOMENTS: Mapping[str, str] = {
    "due_at": "2026-05-16T00:00:00+08:00", "until": "2026-05-23T00:00:00+08:00", "expires_at": "2026-05-01T08:50:00+08:00",
    "ended_at": "2026-05-01T09:40:00+08:00", "finished_at": "2026-05-01T09:40:00+08:00", "received_at": "2026-05-01T08:30:04+08:00",
    "dispatched_at": "2026-05-01T08:30:04+08:00", "rectified_at": "2026-05-06T15:20:00+08:00", "verified_at": "2026-05-07T10:05:00+08:00",
    "closed_at": "2026-05-08T09:00:00+08:00", "rated_at": "2026-05-09T19:12:00+08:00", "next_attempt_at": "2026-05-01T08:35:00+08:00",
}  # fmt: skip
_NUMBERS: Mapping[str, float] = {
    "latitude": 29.60312, "lat": 29.60312, "longitude": 119.80745, "long": 119.80745, "accuracy_m": 12.0, "distance_m": 12.4, "radius_m": 100,
    "photo_score": 0.93, "least_share": 0.8, "index": 0, "row": 2, "seq": 4, "width": 4032, "height": 3024, "size_bytes": 2_418_733,
    "last_status": 503, "position": 10, "page": 1, "first_page": 1, "last_page": 6, "next_page": 2, "previous_page": 1, "total_pages": 6, "total": 128,
    "score": 5, "within_days": 30, "times": 1, "amount": 10, "order": 1, "denominator": 40, "numerator": 37, "looked_at": 128, "drawn_before": 12,
    "drawn_after": 14, "cursor": 500, "pending": 12, "version": 4, "reopened_times": 0, "returned_times": 1, "attempts": 2, "more_errors": 0,
    "more_changes": 0, "more_warnings": 0, "updated": 12, "unchanged": 85, "received": 128, "closed": 96, "closed_in_time": 91, "dropped": 0, "refused": 0,
}  # fmt: skip
_TRUE = frozenset({
    "arrived", "can_add_photos", "counts", "current", "enabled", "following", "granted", "has_contact", "inside", "metadata", "on_site", "public",
    "reached", "ready", "required", "satisfied", "straight", "whole", "within_tolerance", "works", "working_days_only", "withdrawable",
})  # fmt: skip


def with_examples(document: dict[str, Any]) -> dict[str, Any]:
    """Return the OpenAPI document with an example for each property of one value that had none."""
    schemas = {name: _with_examples(name, schema) for name, schema in document["components"]["schemas"].items()}
    return {**document, "components": {**document["components"], "schemas": schemas}}


def _with_examples(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if "properties" not in schema:
        return schema
    properties = {}
    for key, own in schema["properties"].items():
        example = None if "example" in own else example_of(name, key, own)
        properties[key] = own if example is None else {**own, "example": example}
    return {**schema, "properties": properties}


def example_of(schema: str, name: str, own: Mapping[str, Any]) -> Any:
    """Return an example of a property that its own description `own` allows; None where the table has none."""
    kinds = own.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "enum" in own:
        options = [option for option in own["enum"] if option is not None]
        said = _TEXTS.get(f"{schema}.{name}", _TEXTS.get(name))
        return said if said in options else next(iter(options), None)
    if "string" in kinds:
        return _text(schema, name, own)
    if "boolean" in kinds:
        return name in _TRUE
    return _number(name, own, whole="integer" in kinds) if kinds & {"integer", "number"} else None


def _text(schema: str, name: str, own: Mapping[str, Any]) -> str | None:
    form = own.get("format", "")
    if form == "binary":
        return None
    if form in _FORMATS:
        return {"date": _DAYS, "date-time": _MOMENTS}.get(form, {}).get(name, _FORMATS[form])
    text = _TEXTS.get(f"{schema}.{name}", _TEXTS.get(name))
    if text is None or not own.get("minLength", 0) <= len(text) <= own.get("maxLength", len(text)):
        return None
    return text if re.search(own.get("pattern", ""), text) else None


def _number(name: str, own: Mapping[str, Any], *, whole: bool) -> float:
    number = _NUMBERS.get(name, _COUNT)
    number = max(number, own.get("minimum", number))
    bounded = min(number, own.get("maximum", number))
    return int(bounded) if whole else bounded
