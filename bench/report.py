# SPDX-License-Identifier: Apache-2.0
"""What the samples say: medians with their range, ratios to the peers, targets met or missed, as Markdown."""

from dataclasses import dataclass
from statistics import median

OURS = "gaggle"


@dataclass(frozen=True)
class Target:
    """Our CPU per call over a peer's, at most."""
    shape: str
    peer: str
    limit: float


# Issue "three cache nodes", section 7; later issues tighten these.
TARGETS = [
    Target("10x100", "grpc++ CQ", 1 / 15),
    Target("10x100", "nghttp2", 0.55),
    Target("1x1", "nghttp2", 1.05),
]
IDLE_BYTES_LIMIT = 4096


def spread(values):
    return {"median": median(values), "min": min(values), "max": max(values)}


def ratios(cells):
    """Our CPU per call over each peer's, round by round: {shape: {peer: spread}}."""
    result = {}
    for shape, servers in cells.items():
        ours = servers.get(OURS)
        for peer, samples in servers.items():
            if ours and peer != OURS:
                pairs = zip(ours, samples)
                result.setdefault(shape, {})[peer] = spread([a.cpu_us_per_call / b.cpu_us_per_call for a, b in pairs])
    return result


def missed_targets(ratios_by_shape, idle_bytes):
    """A sentence for each target that was measured and missed, or couldn't be measured."""
    missed = []
    for target in TARGETS:
        ratio = ratios_by_shape.get(target.shape, {}).get(target.peer)
        name = f"CPU per call at {target.shape} against {target.peer}"
        if ratio is None:
            missed.append(f"{name}: not measured")
        elif ratio["median"] > target.limit:
            missed.append(f"{name}: {ratio['median']:.3f}, target {target.limit:.3f}")
    if OURS not in idle_bytes:
        missed.append("memory per idle connection: not measured")
    elif idle_bytes[OURS] > IDLE_BYTES_LIMIT:
        missed.append(f"memory per idle connection: {idle_bytes[OURS]:,.0f} bytes, target {IDLE_BYTES_LIMIT:,}")
    return missed


def _range(values, form):
    s = spread(values)
    return f"{s['median']:{form}} ({s['min']:{form}} – {s['max']:{form}})"


def _cells_table(cells):
    yield "| shape | server | calls/s | server CPU µs/call |"
    yield "|---|---|---:|---:|"
    for shape, servers in cells.items():
        for name, samples in servers.items():
            rate = _range([s.calls_per_second for s in samples], ",.0f")
            cpu = _range([s.cpu_us_per_call for s in samples], ".2f")
            yield f"| {shape} | {name} | {rate} | {cpu} |"


def _ratios_table(ratios_by_shape):
    targets = {(t.shape, t.peer): t.limit for t in TARGETS}
    yield "| shape | ours over | CPU per call | that is | target |"
    yield "|---|---|---:|---:|---:|"
    for shape, peers in ratios_by_shape.items():
        for peer, r in peers.items():
            limit = targets.get((shape, peer))
            goal = "" if limit is None else f"≤ {limit:.3f} {'met' if r['median'] <= limit else '**missed**'}"
            yield (f"| {shape} | {peer} | {r['median']:.3f} ({r['min']:.3f} – {r['max']:.3f}) "
                   f"| 1/{1 / r['median']:.1f} | {goal} |")


def _idle_table(idle_bytes):
    yield "| server | memory per idle connection |"
    yield "|---|---:|"
    for name, count in idle_bytes.items():
        yield f"| {name} | {count / 1024:.1f} KiB |"


def markdown(setting, cells, idle_bytes):
    """The whole report; figures are medians of the rounds with (min – max)."""
    lines = [f"{key}: {value}" + "  " for key, value in setting.items()]
    sections = []
    if cells:
        sections.append(_cells_table(cells))
    if ratios(cells):
        sections.append(_ratios_table(ratios(cells)))
    if idle_bytes:
        sections.append(_idle_table(idle_bytes))
    for section in sections:
        lines += ["", *section]
    return "\n".join(lines) + "\n"
