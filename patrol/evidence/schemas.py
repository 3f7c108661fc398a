"""The JSON shapes of photos."""

import marshmallow as ma

from patrol.foundation.http import UploadedFile
from patrol.foundation.moments import Moment
from patrol.foundation.numbers import PlainFloat
from patrol.foundation.patterns import Matches

KINDS = ("before", "during", "after", "receipt", "other")
IGNORED = "Added by clients by themselves; kept, and means nothing: what a file is, its bytes say."


class PhotoFactsIn(ma.Schema):
    kind = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.OneOf(KINDS), metadata={
        "description": f"What it shows: {', '.join(KINDS)}."})
    recorded_at = Moment(load_default=None, allow_none=True, metadata={
        "description": "When it was taken, by the device's clock, with offset (RFC 3339).", "example": "2026-05-01T08:30:00+08:00"})
    latitude = PlainFloat(load_default=None, allow_none=True, validate=ma.validate.Range(-90, 90), metadata={
        "description": "Where it was taken, in degrees, WGS 84.", "example": 29.6})
    longitude = PlainFloat(load_default=None, allow_none=True, validate=ma.validate.Range(-180, 180), metadata={
        "description": "As `latitude`.", "example": 119.8})
    from_gallery = ma.fields.Boolean(load_default=None, allow_none=True, metadata={
        "description": "Whether it was picked from the phone's gallery (true) or taken in the app (false); left out where the app cannot tell."})


class PhotoFormIn(PhotoFactsIn):
    file = UploadedFile(required=True)
    id = ma.fields.UUID(load_default=None, allow_none=True)


class PhotoBodyArgs(PhotoFactsIn):
    sha256 = ma.fields.String(
        load_default=None, validate=Matches(r"^[0-9a-fA-F]{64}$"),
        metadata={"description": "Digest of the body, so that half an upload is noticed; or the header `Digest`."},
    )


_IGNORED = {"description": IGNORED}


class UploadMetadataIn(PhotoFactsIn):
    """What Upload-Metadata may say. The names that clients add by themselves are kept and mean nothing here."""

    class Meta:
        unknown = ma.RAISE

    photo_id = ma.fields.UUID(load_default=None, metadata={
        "description": "The id under which the photo enters, a UUID of the client's choosing; by it check-ins, reports and steps name the photo. "
        "Without it the server chooses one and tells it in `Photo-Id`.", "example": "0193f7a0-7b1a-7cc0-a4d8-6c1f09b3e2d1"})
    evidence_uuid = ma.fields.UUID(load_default=None, metadata={"description": "Another name of `photo_id`, which goes before it."})
    sha256 = ma.fields.String(load_default=None, validate=Matches(r"^[0-9a-fA-F]{64}$"), metadata={
        "description": "SHA-256 of the whole file, 64 hexadecimal digits: what does not match is refused (422) and the upload is gone; a photo that "
        "is here already is finished at once."})
    filename = ma.fields.String(load_default=None, metadata=_IGNORED)
    filetype = ma.fields.String(load_default=None, metadata=_IGNORED)
    name = ma.fields.String(load_default=None, metadata=_IGNORED)
    type = ma.fields.String(load_default=None, metadata=_IGNORED)
    relativePath = ma.fields.String(load_default=None, metadata=_IGNORED)  # noqa: N815 - Uppy names it so


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
    from_gallery = ma.fields.Boolean(required=True, allow_none=True)
    exif = ma.fields.Nested(ExifOut, required=True)
    ready = ma.fields.Boolean(required=True, metadata={"description": "Whether `thumb` and `screen` are there."})
    broken = ma.fields.String(required=True, allow_none=True, metadata={"description": "Why it cannot be drawn."})
    thumb = ma.fields.String(required=True)
    screen = ma.fields.String(required=True)
