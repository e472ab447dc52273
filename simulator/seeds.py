"""Seeds, which decide everything that looks random."""

import numpy as np

from totes.errors import UserError


def seeded(seed: int) -> np.random.SeedSequence:
    """The sequence that a seed stands for.

    Raises:
        UserError: the seed is negative.
    """
    if seed < 0:
        raise UserError(f"a seed is 0 or more, not {seed}")
    return np.random.SeedSequence(seed)
