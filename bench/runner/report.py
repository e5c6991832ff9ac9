# SPDX-License-Identifier: Apache-2.0
"""A run as Markdown: medians with their range, ratios to the peers of the same rounds, targets met or missed."""

from . import cells, targets
from .samples import spread

SHAPES = {cell.name: cell for cell in cells.ALL}


def _range(values, form):
    s = spread(values)
    return f"{s['median']:{form}} ({s['min']:{form}} – {s['max']:{form}})"


def _count(value, form=".2f"):
    return "–" if value is None else f"{value:{form}}"


def _targets_table(document):
    yield "| target | limit | aim | measured | |"
    yield "|---|---:|---:|---:|---|"
    for target, value in targets.outcomes(document):
        sign = "≥" if target.at_least else "≤"
        verdict = ""
        if value is not None:
            met, aimed = target.met(value, target.limit), target.met(value, target.aim)
            verdict = "aim met" if aimed else "met" if met else "**missed**"
        yield (f"| {target.says} | {sign} {target.limit:.3g} | {sign} {target.aim:.3g} | {_count(value, '.3g')} "
               f"| {verdict} |")


def _cell_rows(name, servers, counts):
    ours = servers.get(cells.OURS)
    for peer, samples in servers.items():
        ratio = ""
        if ours and peer != cells.OURS:
            ratio = f"{targets.paired({'cells': {name: servers}}, name, cells.OURS, peer, lambda s: s['server_us']):.3f}"
        rate = _range([s["per_second"] for s in samples], ",.0f")
        cpu = _range([s["server_us"] for s in samples], ".2f")
        load = spread([s["load_us"] for s in samples])["median"]
        latencies = [s["latency_us"] for s in samples if s["latency_us"]]
        tail = " / ".join(f"{spread([l[q] for l in latencies])['median']:,.0f}" for q in ("p50", "p99")) if latencies else "–"
        counted = counts.get(name, {}).get(peer, {})
        yield (f"| {peer} | {rate} | {cpu} | {ratio} | {load:.2f} | {_count(counted.get('system_calls'), '.3f')} "
               f"| {_count(counted.get('allocations'))} | {tail} |")


def _cells_sections(document):
    for name, servers in document["cells"].items():
        cell = SHAPES[name]
        yield f"### {name}: {cell.shape}"
        if cell.says:
            yield f"\n{cell.says[0].upper()}{cell.says[1:]}."
        yield "\n| server | operations/s | server CPU µs | ours ÷ its CPU | load CPU µs | system calls | allocations | p50 / p99 µs |"
        yield "|---|---:|---:|---:|---:|---:|---:|---:|"
        yield from _cell_rows(name, servers, document["counts"])
        yield ""


def _latency_table(document):
    yield "| cell | server | load | rate | p50 µs | p99 µs | p99.9 µs | max µs | never sent |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, servers in document["latency"].items():
        for peer, by_share in servers.items():
            for share, reports in by_share.items():
                figures = " | ".join(f"{spread([r['latency_us'][q] for r in reports])['median']:,.0f}"
                                     for q in ("p50", "p99", "p99.9", "max"))
                unsent = spread([r["never_sent"] for r in reports])["median"]
                yield f"| {name} | {peer} | {share} | {reports[0]['rate']:,.0f} | {figures} | {unsent:,.0f} |"


def _overload_table(document):
    yield "| server | most answers/s | at three times that rate, within 1 s | share | within 100 ms | share |"
    yield "|---|---:|---:|---:|---:|---:|"
    for peer, found in document["overload"].items():
        late = " | ".join(f"{rate:,.0f} | {rate / found['peak']:.2f}" for rate in found["overloaded"].values())
        yield f"| {peer} | {found['peak']:,.0f} | {late} |"


def _memory_table(document):
    yield "| server | KiB per idle connection | KiB per open stream |"
    yield "|---|---:|---:|"
    for peer in dict.fromkeys([*document["idle_bytes"], *document["stream_bytes"]]):
        sizes = [document[what].get(peer) for what in ("idle_bytes", "stream_bytes")]
        yield f"| {peer} | " + " | ".join("–" if size is None else f"{size / 1024:.1f}" for size in sizes) + " |"


def markdown(document):
    """The whole report."""
    lines = [f"{key}: {value}  " for key, value in document["setting"].items()]
    found = targets.holes(document)
    sections = [("Targets", _targets_table(document))]
    if document["cells"]:
        sections.append(("No hole", [f"- {sentence}" for sentence in found] or ["grpc++ is faster in no cell."]))
    if document["latency"]:
        sections.append(("Latency at a constant rate, from the intended time of sending", _latency_table(document)))
    if document["overload"]:
        sections.append(("Overload: a handler that computes for 20 µs, 10,000 calls in flight", _overload_table(document)))
    if document["idle_bytes"] or document["stream_bytes"]:
        sections.append(("Memory", _memory_table(document)))
    if document["failures"]:
        sections.append(("Couldn't be measured", [f"- {sentence}" for sentence in document["failures"]]))
    sections.append(("Cells", _cells_sections(document)))
    for title, section in sections:
        lines += ["", f"## {title}", "", *section]
    return "\n".join(lines) + "\n"
