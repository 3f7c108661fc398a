"""The worker's part: sizes and likeness of an original, made from the stored file as often as it takes."""

from io import BytesIO
from typing import Any

import numpy as np
from flask import current_app
from PIL import Image
from sqlalchemy import update

from patrol.evidence.events import PhotoDerived
from patrol.evidence.likeness import bands_of, grey_of
from patrol.evidence.models import LikenessBand, Photo
from patrol.evidence.renditions import BrokenImage, derive
from patrol.evidence.storage import PhotoStore, original_key, rendition_key
from patrol.foundation import clock, events, outbox
from patrol.foundation.database import db, insert_unless_there
from patrol.foundation.errors import NotFound, Unavailable


def photo_store() -> PhotoStore:
    """Return the application's store."""
    store: PhotoStore = current_app.extensions["photo_store"]
    return store


def grey_of_original(sha256: str) -> np.ndarray | None:
    """Return the grey values of an original's small size (`likeness.grey_of`); None while it has not been drawn."""
    try:
        return grey_of(Image.open(BytesIO(photo_store().read(rendition_key(sha256, "thumb")))))
    except (NotFound, Unavailable, FileNotFoundError):
        return None


@outbox.delivers("evidence.derive")
def derive_sizes(payload: dict[str, Any]) -> outbox.Write:
    """Derive and store the sizes of one original; an image that cannot be drawn is marked broken, which ends the work."""
    sha256, store = payload["sha256"], photo_store()
    likeness = broken = None
    try:
        renditions = derive(store.read(original_key(sha256)))
    except BrokenImage as fault:
        broken = fault.reason[:300]
    else:
        likeness = renditions.phash
        for size, data in renditions.sizes.items():
            store.put_rendition(sha256, size, data)

    def write() -> None:
        db.session.execute(
            update(Photo).where(Photo.sha256 == sha256).values(derived_at=clock.now(), likeness=likeness, broken=broken)
        )
        if likeness:
            for band in bands_of(likeness):
                insert_unless_there(LikenessBand, {"band": band, "sha256": sha256})
        events.record(PhotoDerived(sha256=sha256))

    return write
