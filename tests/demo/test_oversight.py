from collections import Counter

from tests.demo.test_stories import MIDNIGHT


def _moments(told):
    seen = told.oversight
    yield from (row.at for row in (*seen.order_answers, *seen.extensions, *seen.not_fixed, *seen.parts_done, *seen.followers))
    yield from (row.decided_at for row in (*seen.extensions, *seen.not_fixed) if row.decided_at)
    yield from (moment for row in seen.checks for moment in (row.chosen_at, row.at) if moment)
    yield from (at for _, at in seen.drawn)
    yield from (at for _, at, _ in seen.watched)


def test_everything_happens_before_today_and_after_what_it_is_about(told):
    assert max(_moments(told)) < MIDNIGHT
    by_id = {issue.id: issue for issue in told.issues}
    seen = told.oversight
    for row in (*seen.extensions, *seen.not_fixed, *seen.followers, *seen.parts_done):
        assert row.at > by_id[row.issue_id].steps[-1].at
    for row in (*seen.extensions, *seen.not_fixed):
        assert row.decided_at is None or row.decided_at > row.at
    for check in seen.checks:
        assert by_id[check.issue_id].steps[-1].at < check.chosen_at
        assert check.at is None or check.chosen_at < check.photos[0].recorded_at < check.at


def test_of_each_kind_some_is_decided_and_some_waits(told):
    seen = told.oversight
    for requests in (seen.extensions, seen.not_fixed):
        assert Counter((row.decided_at is not None, row.granted) for row in requests) == {(True, True): 1, (True, False): 1, (False, False): 1}
    assert {check.result for check in seen.checks} == {"cured", "relapsed", ""}
    assert {bool(row.text) for row in seen.order_answers} == {True, False}
    assert sum(bool(step.co_handlers) for issue in told.issues for step in issue.steps) >= 2
    assert len(seen.followers) >= 12


def test_the_ledger_has_one_that_was_taken_off_and_one_to_be_reviewed_by_now(told):
    kept = [step for issue in told.issues if issue.state == "suspended" for step in issue.steps if step.verb == "suspend"]
    assert len(kept) == 2
    assert any(step.review_on < MIDNIGHT.date() for step in kept)
    assert all(step.milestones for step in kept)
    assert any(step.verb == "resume" for issue in told.issues for step in issue.steps)


def test_no_issue_is_used_for_two_things(told):
    seen = told.oversight
    rows = (*seen.extensions, *seen.not_fixed, *seen.parts_done, *seen.checks)
    rows = [row.issue_id for row in rows] + [issue_id for issue_id, _, _ in seen.watched]
    assert len(set(rows)) == len(rows)
