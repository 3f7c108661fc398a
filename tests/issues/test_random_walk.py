"""Random steps as random people: the application does what the law of `law.py`, written down a second time, says."""

from tests.issues.walking import Walk


def test_a_random_walk_goes_as_the_law_says(app, database):
    # `make soak` walks ten thousand rounds (M1); these are as many as the ordinary suite has time for.
    walk = Walk(app.test_client(), seed=26)
    walk.run(90)
    assert not walk.faults, "\n".join(walk.faults[:10])
    assert walk.counts["taken"] > 10
    assert walk.counts["refused"] > 10
    assert min(walk.counts[name] for name in ("merged", "unmerged", "relapses")) > 0
    # What may be in a list was there, and read as it does alone.
    assert min(walk.counts[name] for name in ("photos", "relapse_of", "relapsed_in", "reach")) > 0
