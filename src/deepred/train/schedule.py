"""The learning rate as a function of the step: a linear rise, then one of three courses."""

from __future__ import annotations

import math

from deepred.run.config import Pretrain


def learning_rate(config: Pretrain, step: int, steps: int) -> float:
    """The rate of a step counted from 0, of ``steps`` in all.

    ``cosine`` falls in half a cosine to the final share, ``wsd`` (warm-up, stable, decay; Hu et al. 2024) stays at the
    peak and falls linearly at the end, so that one run can be prolonged, ``constant`` stays.
    """
    warmup = min(config.warmup_steps, steps) or math.ceil(config.warmup * steps)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    if config.schedule == "constant":
        return config.learning_rate
    begin = warmup if config.schedule == "cosine" else max(warmup, steps - math.ceil(config.decay * steps))
    done = min(1.0, max(0.0, (step - begin) / max(1, steps - 1 - begin)))
    left = 0.5 * (1 + math.cos(math.pi * done)) if config.schedule == "cosine" else 1 - done
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * left)
