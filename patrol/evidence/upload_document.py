"""What an upload by tus says of its photo: in the API's description and in docs/uploads.md, both from the schema that reads it."""

from typing import Any

import marshmallow as ma

from patrol.evidence.schemas import IGNORED, UploadMetadataIn
from patrol.evidence.tus import ALGORITHMS, EXTENSIONS, LONGEST_METADATA, VERSION
from patrol.foundation.service import document_named

_ORDER = ("photo_id", "evidence_uuid", "sha256", "kind", "recorded_at", "latitude", "longitude", "from_gallery")
_LINKS = (
    "An upload names no patrol, check-in or issue: a check-in names its photos by their ids, before or after these are here, a report or a step "
    "once they are."
)
_SHAPE = (
    f"Pairs of a name and its value in Base64 (the value's UTF-8), separated by commas; each name once, at most {LONGEST_METADATA:,} characters in all. "
    "Everything may be left out; other names are refused (422)."
)
_DOCUMENT = """# Resumable uploads of photos
Photos can be sent by [tus](https://tus.io/protocols/resumable-upload) {version} at `/uploads` (also `/api/v1/uploads`), by any of its clients, \
with the usual `Authorization: Bearer`. Extensions: {extensions}; checksums: {algorithms}. Generated from `patrol/evidence/schemas.py`; how it \
runs on several machines stands in [running](running.md).

1. `POST /uploads` with `Tus-Resumable: {version}`, `Upload-Length` and `Upload-Metadata`. The answer is 201, with the address in `Location` and \
the photo's id in `Photo-Id`; the same creation again is the same upload (200).
2. `PATCH /uploads/{{id}}` with `Upload-Offset` and a chunk (`application/offset+octet-stream`). After a break `HEAD` tells the offset from which \
to go on.
3. With the last byte the photo enters as by `PUT /photos/{{id}}`. {links}

## Upload-Metadata
{shape}

| name | what |
|---|---|
{rows}

In a shell:
```
META="photo_id $(printf %s 0193f7a0-7b1a-7cc0-a4d8-6c1f09b3e2d1 | base64 -w0)"
META="$META,sha256 $(printf %s "$(sha256sum photo.jpg | cut -c1-64)" | base64 -w0),kind $(printf %s before | base64 -w0)"
curl -i -X POST "$HOST/uploads" -H "Authorization: Bearer $TOKEN" -H "Tus-Resumable: {version}" \\
  -H "Upload-Length: $(stat -c %s photo.jpg)" -H "Upload-Metadata: $META"
```
"""


def _described() -> list[tuple[str, str]]:
    """Return each name that means something with what it means, and those that clients add by themselves together."""
    fields: dict[str, ma.fields.Field[Any]] = UploadMetadataIn().fields
    ignored = [f"`{name}`" for name, field in fields.items() if field.metadata["description"] == IGNORED]
    return [*((f"`{name}`", fields[name].metadata["description"]) for name in _ORDER), (", ".join(ignored), IGNORED)]


def metadata_described() -> str:
    """Return what the header Upload-Metadata may say, as the API's description tells it."""
    return f"{_SHAPE} {_LINKS}\n\n" + "\n".join(f"- {name}: {what}" for name, what in _described())


@document_named("uploads.md")
def uploads_document() -> str:
    """Render the document."""
    return _DOCUMENT.format(
        version=VERSION, extensions=EXTENSIONS.replace(",", ", "), algorithms=", ".join(ALGORITHMS), links=_LINKS, shape=_SHAPE,
        rows="\n".join(f"| {name} | {what} |" for name, what in _described()),
    )  # fmt: skip
