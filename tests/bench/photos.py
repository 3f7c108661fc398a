"""Taking in photos over HTTP, beside a bare view that only receives them; and drawing their sizes, beside bare Pillow."""

import struct
import time
from collections.abc import Iterator, Sequence
from io import BytesIO

from PIL import Image

from patrol.evidence.renditions import JPEG_QUALITY, LONGEST_SIDE_PX, derive
from patrol.foundation.database import db, new_id
from patrol.foundation.outbox import pending_and_stuck
from tests.bench.clients import request_bytes
from tests.bench.registers import District, load_district
from tests.bench.servers import Site, background_worker, peak_memory_mb, site, web_server
from tests.bench.table import Row, alternating, measured
from tests.evidence.material import exif, saved, scene

CLIENTS, REQUESTS_EACH, ROUNDS = 4, 3, 5
WIDTH, HEIGHT, MEGABYTES = 4000, 3000, 3.0
WORKER_PATIENCE_S = 30


def rows(engines: Sequence[str]) -> Iterator[Row]:
    """Measure intake and worker on the first engine, and the drawing by itself."""
    photo = camera_photo()
    yield from drawing(photo)
    with site(engines[0]) as place:
        with place.application():
            district = load_district(200)
        yield from intake(place, district, photo)
        yield from worker_memory(place)


def camera_photo() -> bytes:
    """Return a JPEG of 12 megapixels and about 3 MB, with Exif, as a phone makes it."""
    image = scene(11, (WIDTH, HEIGHT))
    by_quality = (saved(image, "JPEG", exif=exif(), quality=quality) for quality in (95, 90, 85, 80, 75, 70, 60, 50, 40, 30))
    return min(by_quality, key=lambda data: abs(len(data) - MEGABYTES * 1e6))


def another(photo: bytes) -> bytes:
    """Return the same picture as another file: with a comment of its own."""
    comment = new_id().bytes
    return photo[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + photo[2:]


def intake(place: Site, district: District, photo: bytes) -> Iterator[Row]:
    """Compare the two ways in with receiving the same bytes and forgetting them."""
    token = district.tokens["patroller0"]

    def as_body() -> list[list[bytes]]:
        return _requests(lambda data: request_bytes(
            "PUT", f"/api/v1/photos/{new_id()}", body=data, token=token, content_type="image/jpeg"), photo)

    def as_form() -> list[list[bytes]]:
        return _requests(lambda data: request_bytes(
            "POST", "/api/v1/photos", body=_form(data), token=token,
            content_type="multipart/form-data; boundary=xunhe-bench"), photo)

    def to_bare_view() -> list[list[bytes]]:
        return _requests(lambda data: request_bytes(
            "PUT", f"/bodies/{new_id()}", body=data, content_type="image/jpeg"), photo)

    with web_server(place) as ours, web_server(place, "tests.bench.bare_app:app") as bare:
        ours.run(as_body()), ours.run(as_form()), bare.run(to_bare_view())
        found = alternating(ROUNDS, {
            "body": lambda: ours.run(as_body()), "bare": lambda: bare.run(to_bare_view()), "form": lambda: ours.run(as_form()),
        })  # fmt: skip
        peak = max(peak_memory_mb(worker.pid) for worker in ours.family()[1:])
    receiving = measured((cost.cpu_ms for cost in found["bare"]), "ms")
    for name, what in (("body", "PUT of the bytes"), ("form", "POST of a form")):
        costs = measured((cost.cpu_ms for cost in found[name]), "ms")
        yield Row(f"photo intake, {what}: request CPU", costs, receiving, "bare receiving", note=f"{len(photo) / 1e6:.1f} MB, 12 MP")
        beyond = [mine.cpu_ms - theirs.cpu_ms for mine, theirs in zip(found[name], found["bare"], strict=True)]
        yield Row(f"photo intake, {what}: CPU beyond receiving", measured(beyond, "ms"), most=30)
    yield Row("largest web worker while taking in photos", measured([peak], "MiB"), most=350)


def _requests(make: object, photo: bytes) -> list[list[bytes]]:
    return [[make(another(photo)) for _ in range(REQUESTS_EACH)] for _ in range(CLIENTS)]  # type: ignore[operator]


def _form(data: bytes) -> bytes:
    head = (b'--xunhe-bench\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n'
            b"Content-Type: image/jpeg\r\n\r\n")
    return head + data + b"\r\n--xunhe-bench--\r\n"


def worker_memory(place: Site) -> Iterator[Row]:
    """Let the worker draw sizes of what was taken in for a while, and tell its highest memory."""
    with place.application(), background_worker(place) as worker:
        waiting, end = _pending(), time.monotonic() + WORKER_PATIENCE_S
        while (left := _pending()) and time.monotonic() < end:
            time.sleep(0.5)
        yield Row("the worker while drawing the sizes", measured([peak_memory_mb(worker.process.pid)], "MiB"),
                  most=350, note=f"of {waiting - left} photos")


def _pending() -> int:
    db.session.rollback()
    return pending_and_stuck()[0]


def drawing(photo: bytes) -> Iterator[Row]:
    """Compare `derive` with Pillow asked for the same two sizes by the shortest way."""
    derive(photo), bare_sizes(photo)
    found = alternating(7, {"ours": lambda: _cpu_ms(derive, photo), "bare": lambda: _cpu_ms(bare_sizes, photo)})
    yield Row("draw both sizes of a 12 MP photo: CPU", measured(found["ours"], "ms"), measured(found["bare"], "ms"),
              "bare Pillow with draft", most_ratio=1.3)


def bare_sizes(photo: bytes) -> list[bytes]:
    """Draw the two sizes with nothing but Pillow."""
    image = Image.open(BytesIO(photo))
    image.draft("RGB", (LONGEST_SIDE_PX["screen"], LONGEST_SIDE_PX["screen"] * 3 // 4))
    sizes = []
    for side_px in LONGEST_SIDE_PX.values():
        image.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
        file = BytesIO()
        image.save(file, "JPEG", quality=JPEG_QUALITY)
        sizes.append(file.getvalue())
    return sizes


def _cpu_ms(draw: object, photo: bytes) -> float:
    started = time.process_time()
    draw(photo)  # type: ignore[operator]
    return (time.process_time() - started) * 1000
