from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from patrol.issues.chain import Entry, FaultKind, Head, canonical_bytes, entry_hash, first_fault, genesis_hash

ISSUE, OTHER = UUID(int=1), UUID(int=2)
START = datetime(2026, 3, 2, 1, 0, 0, 123456, tzinfo=UTC)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(WORDS, parts, max_size=3),
    max_leaves=5,
)
BARE_ENTRIES = st.builds(
    Entry,
    issue_id=st.just(ISSUE), seq=st.just(0), verb=st.sampled_from(["accept", "progress", "verify"]),
    from_state=st.none() | st.just("accepted"), to_state=st.sampled_from(["accepted", "closed"]),
    actor_id=st.none() | st.uuids(), happened_at=st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1)),  # noqa: DTZ001
    details=st.dictionaries(st.sampled_from(["note", "reason", "lead"]), JSON, max_size=2),
    photo_digests=st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), max_size=2),
)  # fmt: skip


def chained(entries):
    previous, whole = genesis_hash(ISSUE), []
    for seq, entry in enumerate(entries, start=1):
        previous = entry_hash(replace(entry, seq=seq), previous)
        whole.append(replace(entry, seq=seq, hash=previous))
    return whole


HISTORIES = st.lists(BARE_ENTRIES, min_size=1, max_size=8).map(chained)


def head_of(history):
    return Head(len(history), history[-1].hash)


def simple(count):
    return chained([
        Entry(ISSUE, 0, "progress", "in_progress", "in_progress", None, START + timedelta(hours=n), {"note": f"n{n}"})
        for n in range(count)
    ])


def flip(text):
    return ("1" if text[0] == "0" else "0") + text[1:]


MUTATIONS = {
    "verb": lambda e: replace(e, verb=e.verb + "x"),
    "from_state": lambda e: replace(e, from_state="suspended"),
    "to_state": lambda e: replace(e, to_state="rejected"),
    "actor_id": lambda e: replace(e, actor_id=UUID(int=7)),
    "happened_at": lambda e: replace(e, happened_at=e.happened_at + timedelta(microseconds=1)),
    "details": lambda e: replace(e, details={**e.details, "added": None}),
    "unhashable details": lambda e: replace(e, details={"note": 0.5}),
    "photo added": lambda e: replace(e, photo_digests=[*e.photo_digests, "00" * 32]),
    "hash": lambda e: replace(e, hash=flip(e.hash)),
    "no hash": lambda e: replace(e, hash=""),
}


@given(HISTORIES)
def test_what_was_written_is_sound(history):
    assert first_fault(ISSUE, history, None) is None
    assert first_fault(ISSUE, history, head_of(history)) is None


@given(history=HISTORIES, mutation=st.sampled_from(sorted(MUTATIONS)), data=st.data())
def test_any_change_is_found_where_it_is(history, mutation, data):
    at = data.draw(st.integers(0, len(history) - 1))
    history[at] = MUTATIONS[mutation](history[at])
    fault = first_fault(ISSUE, history, None)
    assert (fault.seq, fault.kind) == (at + 1, FaultKind.ALTERED)


@given(history=HISTORIES.filter(lambda h: any(e.photo_digests for e in h)), data=st.data())
def test_a_photo_taken_away_or_exchanged_is_found_where_it_was(history, data):
    at = data.draw(st.sampled_from([n for n, entry in enumerate(history) if entry.photo_digests]))
    first, *rest = history[at].photo_digests
    history[at] = replace(history[at], photo_digests=data.draw(st.sampled_from([rest, [flip(first), *rest]])))
    fault = first_fault(ISSUE, history, None)
    assert (fault.seq, fault.kind) == (at + 1, FaultKind.ALTERED)


@given(history=HISTORIES, data=st.data())
def test_any_deletion_is_found_where_it_was(history, data):
    head = head_of(history)
    at = data.draw(st.integers(0, len(history) - 1))
    del history[at]
    fault = first_fault(ISSUE, history, head)
    assert (fault.seq, fault.kind) == (at + 1, FaultKind.MISSING)


@given(history=HISTORIES, data=st.data())
def test_a_deletion_hidden_by_new_numbers_is_found_too(history, data):
    head = head_of(history)
    at = data.draw(st.integers(0, len(history) - 1))
    shorter = [replace(e, seq=n) for n, e in enumerate(history[:at] + history[at + 1 :], start=1)]
    fault = first_fault(ISSUE, shorter, head)
    assert fault.seq == at + 1
    assert fault.kind is (FaultKind.MISSING if at == len(shorter) else FaultKind.ALTERED)


@given(history=HISTORIES.filter(lambda h: len(h) > 1), data=st.data())
def test_any_swap_of_places_is_found_at_the_first_of_the_two(history, data):
    one = data.draw(st.integers(0, len(history) - 2))
    two = data.draw(st.integers(one + 1, len(history) - 1))
    history[one], history[two] = history[two], history[one]
    fault = first_fault(ISSUE, history, None)
    assert (fault.seq, fault.kind) == (one + 1, FaultKind.OUT_OF_ORDER)


@given(history=HISTORIES.filter(lambda h: len(h) > 1), data=st.data())
def test_any_swap_of_contents_is_found_at_the_first_of_the_two(history, data):
    one = data.draw(st.integers(0, len(history) - 2))
    two = data.draw(st.integers(one + 1, len(history) - 1))
    a, b = history[one], history[two]
    history[one], history[two] = replace(b, seq=a.seq), replace(a, seq=b.seq)
    fault = first_fault(ISSUE, history, None)
    assert (fault.seq, fault.kind) == (one + 1, FaultKind.ALTERED)


@given(history=HISTORIES, stranger=BARE_ENTRIES, data=st.data())
def test_any_insertion_is_found(history, stranger, data):
    head = head_of(history)
    at = data.draw(st.integers(0, len(history)))
    before = history[at - 1].hash if at else genesis_hash(ISSUE)
    forged = replace(stranger, seq=at + 1)
    forged = replace(forged, hash=entry_hash(forged, before))
    fault = first_fault(ISSUE, [*history[:at], forged, *history[at:]], head)
    if at == len(history):
        assert (fault.seq, fault.kind) == (at + 1, FaultKind.BEYOND_HEAD)
    else:
        assert (fault.seq, fault.kind) == (at + 1, FaultKind.REPEATED)
    moved_up = [replace(entry, seq=entry.seq + 1) for entry in history[at:]]
    fault = first_fault(ISSUE, [*history[:at], forged, *moved_up], None if moved_up else head)
    assert fault.seq == at + (2 if moved_up else 1)


@pytest.mark.parametrize("length", [1, 4])
def test_a_whole_rewrite_is_found_by_the_head_alone(length):
    true = simple(length)
    rewritten = chained([replace(entry, details={"note": "all well"}) for entry in true])
    assert first_fault(ISSUE, rewritten, None) is None
    fault = first_fault(ISSUE, rewritten, head_of(true))
    assert (fault.seq, fault.kind) == (length, FaultKind.HEAD_DIFFERS)


def test_details_too_deep_to_have_been_hashed_are_a_fault_and_no_crash():
    deep = []
    for _ in range(5000):
        deep = [deep]
    history = simple(2)
    history[1] = replace(history[1], details={"note": deep})
    assert first_fault(ISSUE, history, None).seq == 2


def test_losing_all_is_found_by_the_head_alone():
    assert first_fault(ISSUE, [], None) is None
    assert first_fault(ISSUE, [], Head(0, "")) is None
    assert first_fault(ISSUE, [], Head(3, "ab")).seq == 1


def test_another_issues_history_does_not_pass_for_this_ones():
    assert first_fault(OTHER, simple(2), None).kind is FaultKind.FOREIGN
    claimed = [replace(entry, issue_id=OTHER) for entry in simple(2)]
    fault = first_fault(OTHER, claimed, None)
    assert (fault.seq, fault.kind) == (1, FaultKind.ALTERED)


def test_a_fault_says_in_words_where_it_is():
    history = simple(3)
    history[1] = replace(history[1], details={})
    assert first_fault(ISSUE, history, None).text.zh == "第2条或其照片被改动"


def test_the_canonical_form_is_fixed():
    at = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    details = {"note": "清运完毕", "count": 2}
    entry = Entry(ISSUE, 2, "rectify", "in_progress", "rectified", OTHER, at, details, ("bb", "aa"))
    expected = (
        '{"actor_id":"00000000-0000-0000-0000-000000000002","details":{"count":2,"note":"清运完毕"},"form":"xunhe-history-1",'
        '"from_state":"in_progress","happened_at":"2026-03-02T01:00:00.000000+00:00",'
        '"issue_id":"00000000-0000-0000-0000-000000000001","photo_digests":["aa","bb"],"previous_hash":"ff","seq":2,'
        '"to_state":"rectified","verb":"rectify"}'
    )
    assert canonical_bytes(entry, "ff").decode() == expected
    assert entry_hash(entry, "ff") == sha256(expected.encode()).hexdigest()


@given(BARE_ENTRIES)
def test_an_entry_that_went_through_a_database_hashes_the_same(entry):
    stored = replace(
        entry, details=orjson.loads(orjson.dumps(entry.details)),
        photo_digests=sorted(entry.photo_digests, reverse=True),
        happened_at=entry.happened_at.astimezone(timezone(timedelta(hours=8))),
    )  # fmt: skip
    assert entry_hash(stored, "00") == entry_hash(entry, "00")


UNSTABLE = [{"n": 0.5}, {"n": [1e16]}, {"at": START}, {1: "x"}, {"n": {"m": b"x"}}, {"n": "\ud800"}, {"n": 2**70}]


@pytest.mark.parametrize("details", UNSTABLE)
def test_what_a_database_may_bend_is_refused(details):
    with pytest.raises(TypeError):
        entry_hash(replace(simple(1)[0], details=details), "00")


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        entry_hash(replace(simple(1)[0], happened_at=datetime(2026, 3, 2)), "00")  # noqa: DTZ001
