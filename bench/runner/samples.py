# SPDX-License-Identifier: Apache-2.0
"""What one measured run gives, whichever generator made the load."""

from dataclasses import dataclass, field
from statistics import median


class LoadFailed(Exception):
    """A generator ended badly, or counted other answers than those expected."""


@dataclass(frozen=True)
class Sample:
    operations: int  # calls, or messages of streams
    per_second: float
    server_us: float  # CPU per operation
    load_us: float  # the same of the generator
    latency_us: dict = field(default_factory=dict)  # p50, p90, p99, p99.9, max; of generators that measure it


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)}
