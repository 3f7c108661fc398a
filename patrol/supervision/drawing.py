"""Drawing what is checked, so that nobody can choose and everybody can draw it again: one recorded seed, plain sums. Pure."""

import hashlib
import math
from collections.abc import Mapping
from uuid import UUID


def chance_of(seed: str, subject_id: UUID) -> float:
    """Return the number in [0, 1) that belongs to a subject under a seed: the first 8 bytes of SHA-256 over both."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{subject_id}".encode()).digest()[:8], "big") / 2**64


def is_drawn(seed: str, subject_id: UUID, share_percent: float) -> bool:
    """Tell whether a subject falls into the share that is checked; a larger share draws all that a smaller one draws."""
    return chance_of(seed, subject_id) < share_percent / 100


def drawn_by_weight(seed: str, weights: Mapping[UUID, float], count: int) -> list[UUID]:
    """Return `count` subjects without repetition, each the likelier the larger its weight; those of weight 0 never.

    Each gets the key `log(chance) / weight`, the largest keys are drawn (Efraimidis and Spirakis 2006): the same seed
    and weights give the same draw, in whatever order they are named.
    """
    keys = {
        subject_id: math.log(max(chance_of(seed, subject_id), 2**-64)) / weight
        for subject_id, weight in weights.items() if weight > 0
    }  # fmt: skip
    return sorted(keys, key=lambda subject_id: (-keys[subject_id], str(subject_id)))[:count]
