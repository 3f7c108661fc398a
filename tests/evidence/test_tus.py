"""Headers of tus: what is well formed is read back whole, anything else is a refusal and never another fault."""

import base64
import hashlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.evidence import tus
from patrol.foundation.errors import BadRequest, Refusal

NAMES = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz_-0123456789"), min_size=1, max_size=20)
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)


def encoded(pairs):
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in pairs.items())


@given(st.dictionaries(NAMES, VALUES, max_size=8))
def test_metadata_is_read_as_clients_write_it(pairs):
    assert tus.metadata_in(encoded(pairs)) == pairs


@given(st.text(max_size=60))
def test_any_header_is_read_or_refused(text):
    for read in (tus.metadata_in, tus.checksum_in, lambda value: tus.number_in("Upload-Length", value)):
        try:
            read(text)
        except Refusal as refusal:
            assert refusal.status in {400, 422}


@pytest.mark.parametrize("value", ["a", "a,a", "a YQ==,a YQ==", "a Y", "é YQ==", "a /w==", ",", "a YQ==,", "x" * 101])
def test_malformed_metadata(value):
    if value == "a":
        assert tus.metadata_in(value) == {"a": ""}
        return
    with pytest.raises(BadRequest):
        tus.metadata_in(value)


def test_metadata_has_a_limit():
    assert tus.metadata_in("a " + base64.b64encode(b"x" * 2_000).decode())
    with pytest.raises(BadRequest):
        tus.metadata_in("a " + base64.b64encode(b"x" * 3_000).decode())


@pytest.mark.parametrize("algorithm", tus.ALGORITHMS)
def test_a_checksum_is_read_and_can_be_reckoned(algorithm):
    digest = hashlib.new(algorithm, b"river").digest()
    checksum = tus.checksum_in(f"{algorithm} {base64.b64encode(digest).decode()}")
    reckoned = checksum.started()
    reckoned.update(b"river")
    assert reckoned.digest() == checksum.digest == digest


@pytest.mark.parametrize("value", ["md5 YQ==", "sha1", "sha1 YQ==", "sha1 ?", "", "SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="])
def test_other_checksums_are_refused(value):
    with pytest.raises(BadRequest):
        tus.checksum_in(value)


@pytest.mark.parametrize("value", [None, "", "-1", "1.0", "+1", " 1", "1e3", "1" * 16, "\u0661"])
def test_what_is_no_number(value):
    with pytest.raises(BadRequest):
        tus.number_in("Upload-Offset", value)


def test_a_date_is_written_as_http_writes_it():
    assert tus.http_date(datetime(2026, 5, 1, 8, 30, tzinfo=UTC)) == "Fri, 01 May 2026 08:30:00 GMT"
