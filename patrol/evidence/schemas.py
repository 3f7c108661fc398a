"""The JSON shapes of photos."""

import marshmallow as ma
from flask_smorest.fields import Upload

from patrol.foundation.moments import Moment

KINDS = ("before", "during", "after", "receipt", "other")


class PhotoFactsIn(ma.Schema):
    kind = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(KINDS))
    recorded_at = Moment(load_default=None, allow_none=True)
    latitude = ma.fields.Float(load_default=None, allow_none=True, validate=ma.validate.Range(-90, 90))
    longitude = ma.fields.Float(load_default=None, allow_none=True, validate=ma.validate.Range(-180, 180))


class PhotoFormIn(PhotoFactsIn):
    file = Upload(required=True)
    id = ma.fields.UUID(load_default=None, allow_none=True)


class PhotoBodyArgs(PhotoFactsIn):
    sha256 = ma.fields.String(
        load_default=None, validate=ma.validate.Regexp(r"^[0-9a-fA-F]{64}$"),
        metadata={"description": "Digest of the body, so that half an upload is noticed; or the header `Digest`."},
    )


class UploadMetadataIn(PhotoFactsIn):
    """What Upload-Metadata may say. The names that clients add by themselves are kept and mean nothing here."""

    class Meta:
        unknown = ma.RAISE

    photo_id = ma.fields.UUID(load_default=None)
    evidence_uuid = ma.fields.UUID(load_default=None)
    sha256 = ma.fields.String(load_default=None, validate=ma.validate.Regexp(r"^[0-9a-fA-F]{64}$"))
    filename = ma.fields.String(load_default=None)
    filetype = ma.fields.String(load_default=None)
    name = ma.fields.String(load_default=None)
    type = ma.fields.String(load_default=None)
    relativePath = ma.fields.String(load_default=None)  # noqa: N815 - Uppy names it so


class ExifOut(ma.Schema):
    local_time = ma.fields.String(required=True, allow_none=True, metadata={"example": "2026-05-01T08:30:00"})
    taken_at = Moment(required=True, allow_none=True)
    latitude = ma.fields.Float(required=True, allow_none=True)
    longitude = ma.fields.Float(required=True, allow_none=True)
    camera = ma.fields.String(required=True, allow_none=True)
    software = ma.fields.String(required=True, allow_none=True)


class PhotoOut(ma.Schema):
    id = ma.fields.UUID(required=True)
    sha256 = ma.fields.String(required=True)
    media_type = ma.fields.String(required=True, metadata={"example": "image/jpeg"})
    size_bytes = ma.fields.Integer(required=True)
    width = ma.fields.Integer(required=True)
    height = ma.fields.Integer(required=True)
    kind = ma.fields.String(required=True, allow_none=True)
    recorded_at = Moment(required=True, allow_none=True)
    received_at = Moment(required=True)
    latitude = ma.fields.Float(required=True, allow_none=True)
    longitude = ma.fields.Float(required=True, allow_none=True)
    exif = ma.fields.Nested(ExifOut, required=True)
    ready = ma.fields.Boolean(required=True, metadata={"description": "Whether `thumb` and `screen` are there."})
    broken = ma.fields.String(required=True, allow_none=True, metadata={"description": "Why it cannot be drawn."})
    thumb = ma.fields.String(required=True)
    screen = ma.fields.String(required=True)
