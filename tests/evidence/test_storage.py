import errno
import hashlib
import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from patrol.evidence import storage
from patrol.evidence.storage import open_store, original_key, rendition_key
from patrol.foundation.errors import NotFound, Unavailable

PHOTO = b"\xff\xd8\xff photo \xff\xd9" * 1_000
DIGEST = hashlib.sha256(PHOTO).hexdigest()
OTHER = b"another photo"
OTHER_DIGEST = hashlib.sha256(OTHER).hexdigest()
S3_URL = os.environ.get("XUNHE_TEST_S3_URL")


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def store(request, tmp_path):
    if request.param == "folder":
        return open_store(str(tmp_path / "uploads"))
    if not S3_URL:
        reason = "XUNHE_TEST_S3_URL is not set (s3://bucket?endpoint=http://127.0.0.1:9000)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    bucket, _, query = S3_URL.partition("?")
    return open_store(f"{bucket}/{os.urandom(8).hex()}?{query}")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "uploads"


def all_known(digests):
    return digests


def none_known(digests):
    return []


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_kept_photo_is_read_back(store):
    key = store.keep(DIGEST, PHOTO)
    assert key == f"originals/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"
    assert store.read(key) == PHOTO
    assert store.exists(key)


def test_a_photo_is_kept_from_a_file(store, tmp_path):
    (tmp_path / "received").write_bytes(PHOTO)
    assert store.read(store.keep(DIGEST, tmp_path / "received")) == PHOTO


def test_keeping_twice_changes_nothing(store):
    assert store.keep(DIGEST, PHOTO) == store.keep(DIGEST, PHOTO)
    assert store.read(original_key(DIGEST)) == PHOTO


def test_a_stream_gives_size_and_pieces(store):
    large = bytes(range(256)) * 8_000
    digest = hashlib.sha256(large).hexdigest()
    stream = store.open_stream(store.keep(digest, large))
    pieces = list(stream.chunks)
    assert stream.size_bytes == len(large)
    assert b"".join(pieces) == large
    assert len(pieces) > 1


def test_what_is_not_there_is_not_found(store):
    store.keep(DIGEST, PHOTO)
    key = original_key(OTHER_DIGEST)
    assert not store.exists(key)
    with pytest.raises(NotFound):
        store.read(key)
    with pytest.raises(NotFound):
        store.open_stream(key)


def test_renditions_lie_apart_and_can_be_replaced(store):
    key = store.put_rendition(DIGEST, "thumb", b"small")
    assert key == rendition_key(DIGEST, "thumb") == f"renditions/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}/thumb.jpg"
    store.put_rendition(DIGEST, "thumb", b"SMALL")
    assert store.read(key) == b"SMALL"


def test_a_reachable_store_passes_the_check(store):
    store.check()


def test_orphans_are_swept_and_known_photos_stay(store):
    later = datetime.now(UTC) + timedelta(hours=25)
    kept, orphan = store.keep(DIGEST, PHOTO), store.keep(OTHER_DIGEST, OTHER)
    drawn, orphan_drawn = store.put_rendition(DIGEST, "thumb", b"1"), store.put_rendition(OTHER_DIGEST, "thumb", b"2")
    assert store.sweep_orphans(none_known) == []
    assert sorted(store.sweep_orphans(lambda digests: {DIGEST} & set(digests), now=later)) == [orphan, orphan_drawn]
    assert store.exists(kept)
    assert store.exists(drawn)
    assert not store.exists(orphan)
    assert not store.exists(orphan_drawn)


def test_keeping_again_saves_an_orphan_from_the_sweep(store):
    key = store.keep(DIGEST, PHOTO)
    if store._folder:
        os.utime(store._folder / key, (0, 0))
    store.keep(DIGEST, PHOTO)
    assert store.sweep_orphans(none_known, minimum_age=timedelta(minutes=5)) == []
    assert store.exists(key)


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", DIGEST.upper(), DIGEST[:-1], DIGEST + "\n", "g" * 64])
def test_only_digests_become_names(digest):
    for name in (original_key, lambda digest: rendition_key(digest, "thumb")):
        with pytest.raises(ValueError, match="SHA-256"):
            name(digest)


def test_only_plain_size_names_become_names(folder):
    with pytest.raises(ValueError, match="size"):
        rendition_key(DIGEST, "../thumb")
    for method in (open_store(str(folder)).read, open_store(str(folder)).exists, open_store(str(folder)).open_stream):
        with pytest.raises(ValueError, match="key"):
            method("originals/../../secret")


def test_content_with_another_digest_is_not_kept(folder):
    with pytest.raises(ValueError, match="digest"):
        open_store(str(folder)).keep(DIGEST, OTHER)
    assert not folder.exists()


@pytest.mark.parametrize("setting", [
    "ftp://bucket", "s3://", "s3://key:secret@bucket", "s3://bucket?endpiont=http://127.0.0.1", "file:///tmp/uploads",
])
def test_settings_that_name_no_store_are_refused(setting):
    with pytest.raises(ValueError, match="uploads setting"):
        open_store(setting)


def test_opening_touches_nothing(folder):
    open_store(str(folder))
    assert not folder.exists()


@pytest.fixture
def steps(monkeypatch, folder):
    """What reaches the disk, in order, by the part below the folder."""
    seen, fsync, replace = [], os.fsync, Path.replace

    def below(path):
        path = Path(path)
        return str(path.relative_to(folder)).split("/")[0] if path.is_relative_to(folder) else "above"

    def watched_fsync(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        seen.append(("fsync folder" if path.is_dir() else "fsync file", below(path)))
        fsync(descriptor)

    def watched_replace(self, target):
        seen.append(("rename", f"{below(self)} to {below(target)}"))
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    return seen


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are named from /proc")


@needs_proc
def test_a_file_is_on_the_disk_before_it_has_its_name(folder, steps):
    open_store(str(folder)).keep(DIGEST, PHOTO)
    assert steps[:4] == [
        ("fsync folder", "above"), ("fsync folder", "."), ("fsync folder", "originals"), ("fsync folder", "originals")]
    assert steps[4:] == [
        ("fsync file", "incoming"), ("rename", "incoming to originals"), ("fsync folder", "originals")]
    assert files(folder) == [original_key(DIGEST)]


@needs_proc
def test_a_photo_that_another_process_just_named_is_made_durable_too(folder, steps):
    open_store(str(folder)).keep(DIGEST, PHOTO)
    steps.clear()
    open_store(str(folder)).keep(DIGEST, PHOTO)
    assert steps[-1] == ("fsync folder", "originals")
    assert "rename" not in dict(steps)


def test_a_half_written_file_under_the_name_is_written_again(folder):
    store = open_store(str(folder))
    store.keep(DIGEST, PHOTO)
    (folder / original_key(DIGEST)).write_bytes(PHOTO[:100])
    store.keep(DIGEST, PHOTO)
    assert store.read(original_key(DIGEST)) == PHOTO


@pytest.mark.parametrize("fault", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("call", ["fsync", "replace", "mkdir"])
def test_a_fault_of_the_disk_at_any_point_is_never_taken_for_success(folder, monkeypatch, call, fault):
    owner = os if call == "fsync" else Path
    real, count, failing = getattr(owner, call), 0, 0

    def faulty(*args, **kwargs):
        nonlocal count
        count += 1
        if count == failing:
            raise OSError(fault, os.strerror(fault))
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, call, faulty)
    refused = 0
    for failing in range(1, 20):
        count = 0
        digest = hashlib.sha256(data := PHOTO + bytes([failing])).hexdigest()
        store = open_store(str(folder / str(failing)))
        with suppress(Unavailable):
            store.keep(digest, data)
            break
        refused += 1
        assert not list((folder / str(failing)).glob("incoming/*"))
        store.keep(digest, data)
        assert store.read(original_key(digest)) == data
    assert 1 <= refused < 19


def test_a_full_disk_while_writing_is_unavailable_and_leaves_nothing(folder):
    store = open_store(str(folder))
    store.check()
    program = (
        "import resource, signal, sys\n"
        "from patrol.evidence.storage import open_store\n"
        "from patrol.foundation.errors import Unavailable\n"
        "import hashlib\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))\n"
        "data = bytes(50_000)\n"
        "try:\n    open_store(sys.argv[1]).keep(hashlib.sha256(data).hexdigest(), data)\n"
        "except Unavailable:\n    print('unavailable')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True,
                          cwd=Path(storage.__file__).parents[2], timeout=60)
    assert done.stdout == "unavailable\n"
    assert files(folder) == []


def test_a_folder_that_cannot_be_is_unavailable(tmp_path):
    (tmp_path / "uploads").write_text("a file")
    store = open_store(str(tmp_path / "uploads"))
    for call in (store.check, lambda: store.keep(DIGEST, PHOTO), lambda: store.read(original_key(DIGEST))):
        with pytest.raises(Unavailable):
            call()


def test_an_unreachable_s3_is_unavailable(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    store = open_store("s3://bucket?endpoint=http://127.0.0.1:9&region=us-east-1")
    for call in (store.check, lambda: store.keep(DIGEST, PHOTO), lambda: store.exists(original_key(DIGEST))):
        with pytest.raises(Unavailable) as caught:
            call()
        assert caught.value.retry_after_s == storage.RETRY_AFTER_S


def test_a_folder_swept_by_hand_is_made_again(folder):
    store = open_store(str(folder))
    store.keep(DIGEST, PHOTO)
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert store.read(store.keep(DIGEST, PHOTO)) == PHOTO


def test_what_a_crash_left_behind_is_swept(folder):
    store = open_store(str(folder))
    store.keep(DIGEST, PHOTO)
    left, busy = folder / "incoming" / "left", folder / "incoming" / "busy"
    left.write_bytes(b"half")
    busy.write_bytes(b"half")
    os.utime(left, (0, 0))
    store.sweep_orphans(all_known)
    assert files(folder) == ["incoming/busy", original_key(DIGEST)]


def test_a_store_used_before_a_fork_says_so_instead_of_hanging(folder, monkeypatch):
    store = open_store(str(folder))
    store.read(store.keep(DIGEST, PHOTO))
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with pytest.raises(RuntimeError, match="fork"):
        store.read(original_key(DIGEST))
