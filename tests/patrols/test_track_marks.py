"""Copies of a track have many marks in common with it; walks of the same path have few."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from patrol.patrols.track import NO_TRACK
from patrol.patrols.track_marks import LEAST_COMMON, MOST_PACES, MOST_PLACES, marks_of
from tests.patrols.labelled import Case, shifted, some


def walk(seed):
    return Case(np.random.default_rng([11, seed])).walk()


def in_common(one, other):
    return len(set(marks_of(one)) & set(marks_of(other)))


def shaken(track, seed, noise_m=0.8):
    noise = np.random.default_rng(seed).normal(size=(2, len(track))) * noise_m / 111_000
    return replace(track, latitude=track.latitude + noise[0], longitude=track.longitude + noise[1])


def rounded(track):
    return replace(track, latitude=np.round(track.latitude, 5), longitude=np.round(track.longitude, 5))


def backwards(track):
    return replace(track, latitude=track.latitude[::-1], longitude=track.longitude[::-1])


COPIES = {
    "whole": lambda track: track, "half": lambda track: some(track, np.arange(len(track)) < len(track) / 2), "rounded": rounded,
    "shaken": lambda track: shaken(track, 3), "thinned out": lambda track: some(track, np.arange(len(track)) % 3 == 0),
    "backwards": backwards,
}  # fmt: skip


@pytest.mark.parametrize("how", COPIES)
def test_a_copy_has_marks_in_common_with_what_it_was_made_of(how):
    for seed in range(12):
        copy = shifted(COPIES[how](walk(seed)), timedelta(days=3, minutes=7))
        assert in_common(copy, walk(seed)) >= LEAST_COMMON


def test_hardly_any_two_walks_of_one_path_have():
    walks = [set(marks_of(walk(seed))) for seed in range(40)]
    alike = sum(len(one & other) >= LEAST_COMMON for number, one in enumerate(walks) for other in walks[:number])
    assert alike <= 0.01 * 780


def test_marks_are_few_and_the_same_whatever_the_time():
    marks = marks_of(walk(0))
    assert marks == sorted(set(marks)) == marks_of(shifted(walk(0), timedelta(days=100)))
    assert 0 < len(marks) <= MOST_PLACES + MOST_PACES
    assert all(-(2**63) <= mark < 2**63 for mark in marks)


def test_no_fix_has_no_mark_and_one_that_stays_only_places():
    assert marks_of(NO_TRACK) == marks_of(walk(0).at(np.array([0]))) == []
    track = walk(0)
    lying = replace(track, latitude=np.full(len(track), 29.6), longitude=np.full(len(track), 119.8))
    assert len(marks_of(lying)) == 1


def test_jumps_round_the_world_cross_no_lines():
    track = walk(0)
    latitude = np.where(np.arange(len(track)) % 2, -80.0, 80.0)
    assert len(marks_of(replace(track, latitude=latitude, longitude=2 * latitude))) == 2
