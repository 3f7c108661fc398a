"""The thresholds of the integrity rules and of the verdict: one versioned set that a row of a table can carry."""

from dataclasses import dataclass

from patrol.patrols.thresholds import Thresholds

VERSION = "2026-11"


@dataclass(frozen=True, kw_only=True)
class IntegrityPolicy(Thresholds):
    """What a new installation starts with. Metres, seconds, metres a second; shares run from 0 to 1.

    "Catalogue n" is check n of the list gathered from field-data systems (SMART, ODK, Traccar, OwnTracks) and what their
    users complain of; "national" is the default of the river chiefs' validity rules; "project" is a number of our own
    from the labelled set (tests/patrols/labelled.py). All are to be tuned on a district's own patrols.
    """

    version: str = VERSION

    # Which fixes count at all. Catalogue 3: first fixes come from the network with 500 to 3,000 m.
    worst_accuracy_m: float = 100.0
    # What an accuracy that nobody told is taken as when it is subtracted: generous, so that it never accuses. Project.
    assumed_accuracy_m: float = 30.0

    # Catalogue 1.
    mock_share_high: float = 0.2
    mock_near_check_in_s: float = 60.0
    # Catalogue 2: sustained for `speed_window_s`, and measured over windows of that length against single spikes.
    walk_soft_mps: float = 3.0
    walk_hard_mps: float = 7.0
    ride_soft_mps: float = 15.0
    ride_hard_mps: float = 40.0
    speed_window_s: float = 60.0
    speed_longest_window_s: float = 180.0
    # Catalogue 3; that an excursion which comes back is the receiver's, and fixes in the first seconds too: project.
    teleport_m: float = 500.0
    teleport_mps: float = 40.0
    teleport_return_s: float = 180.0
    teleport_least_fixes: float = 3.0
    # Catalogue 4.
    mode_median_mps: float = 3.5
    mode_window_s: float = 300.0
    # So much of what was covered, and more than this part of it, passed faster than anybody walks was driven along; up to
    # so little of it nothing was gained: project.
    mode_driven_m: float = 200.0
    mode_driven_share: float = 0.5
    mode_little_share: float = 0.1
    # Catalogue 5.
    clock_future_s: float = 300.0
    clock_skew_noted_s: float = 120.0
    clock_skew_high_s: float = 86_400.0
    # Zones are multiples of half an hour up to 14 hours; how near to one counts as one is the project's.
    clock_zone_slack_s: float = 180.0
    clock_zone_most_s: float = 50_400.0
    # Catalogue 6; that two deliveries on each side must agree, since a single one may have been under way: project.
    clock_moved_s: float = 60.0
    clock_agree_s: float = 15.0
    # Catalogue 7.
    overlap_s: float = 120.0
    overlap_m: float = 300.0
    # Catalogue 8: the number of fixes. A pace that varies by 0.1 m/s alone makes the third differences of places 5 s
    # apart about a metre, without any error of the receiver; rounding to a millionth of a degree makes 0.14 m. Project.
    clean_least_fixes: float = 30.0
    clean_step_s: float = 5.0
    clean_roughness_m: float = 0.25
    clean_on_line_m: float = 2.0
    # Catalogue 9; the share and the alignment in time instead of a Fréchet distance, which good receivers on one path
    # also come under: project.
    replay_m: float = 5.0
    replay_least_m: float = 500.0
    replay_share: float = 0.95
    replay_identical_share: float = 0.5
    replay_together_s: float = 120.0
    # Catalogue 11.
    photo_alike_bits: float = 4.0
    photo_alike_days: float = 0.5
    # Catalogue 12; the medium distance, beyond any shift of a Chinese map datum, is the project's.
    exif_place_m: float = 150.0
    exif_place_accuracies: float = 3.0
    exif_place_medium_m: float = 1_000.0
    # Catalogue 13 and 15; a day before the start is no matter of zones any more: project.
    exif_time_s: float = 600.0
    photo_before_s: float = 300.0
    photo_before_high_s: float = 86_400.0
    # Catalogue 16; 150 m in narrow valleys is for a district's own row.
    geofence_m: float = 100.0
    geofence_best_fix_s: float = 60.0
    # Catalogue 17.
    off_track_m: float = 100.0
    off_track_s: float = 180.0
    # Catalogue 18.
    gap_s: float = 600.0
    gap_m: float = 300.0
    # Catalogue 19 and 20.
    planned_share: float = 0.8
    perfunctory_share: float = 0.4
    strolling_mps: float = 1.4
    # Catalogue 25 has 10 minutes, the national rule 12 hours: the nearer is graver.
    shared_device_soft_s: float = 43_200.0
    shared_device_medium_s: float = 600.0

    # The verdict: national, DEFAULT.
    least_duration_s: float = 600.0
    least_distance_m: float = 1_000.0
    least_distance_share: float = 0.6
    least_coverage_share: float = 0.6
    least_fixes_per_minute: float = 4.0
    most_accuracy_m: float = 50.0
    most_walking_p95_mps: float = 3.0
    most_gap_s: float = 300.0
    # Project: below it a step is as likely the receiver's as a person's.
    moving_mps: float = 0.5
    # Project: of 100 points. All but the coverage can be missed alone, the coverage cannot.
    valid_score: float = 80.0


DEFAULT_POLICY = IntegrityPolicy()
