# SPDX-License-Identifier: Apache-2.0
"""Plots of a run as SVG, with the standard library alone: server CPU per call along each factor, and latency."""

import math
from html import escape

from . import cells
from .samples import spread

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 40, 50
COLOURS = ("#c2410c", "#1d4ed8", "#60a5fa", "#15803d", "#7e22ce", "#6b7280", "#111827", "#b91c1c", "#a16207")


class Plot:
    """Lines over named places on the x axis; the y axis is logarithmic, since peers differ by magnitudes."""

    def __init__(self, title, places, unit, series):
        self.title, self.places, self.unit = title, places, unit
        self.series = {name: points for name, points in series.items() if points}  # {name: {place: (median, min, max)}}
        values = [value for points in self.series.values() for point in points.values() for value in point if value > 0]
        self.low = math.floor(math.log10(min(values))) if values else 0
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1) if values else 1

    def _x(self, place):
        return LEFT + (self.places.index(place) + 0.5) * (WIDTH - LEFT - RIGHT) / len(self.places)

    def _y(self, value):
        share = (math.log10(max(value, 10 ** self.low)) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def _axes(self):
        for power in range(self.low, self.high + 1):
            y = self._y(10 ** power)
            yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10 ** power:g}</text>'
        for place in self.places:
            yield f'<text x="{self._x(place):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{escape(place)}</text>'
        yield f'<text x="{LEFT}" y="{TOP - 16}" font-size="15">{escape(self.title)} ({escape(self.unit)})</text>'

    def _line(self, number, name, points):
        colour = COLOURS[number % len(COLOURS)]
        path = [(self._x(place), *map(self._y, points[place])) for place in self.places if place in points]
        dots = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in path)
        yield f'<polyline points="{dots}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y, least, greatest in path:
            yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{least:.1f}" y2="{greatest:.1f}" stroke="{colour}"/>'
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        label = TOP + 18 * number
        yield f'<rect x="{WIDTH - RIGHT + 16}" y="{label - 9}" width="12" height="12" fill="{colour}"/>'
        yield f'<text x="{WIDTH - RIGHT + 34}" y="{label + 2}">{escape(name)}</text>'

    def svg(self):
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
                 'font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *self._axes()]
        for number, (name, points) in enumerate(self.series.items()):
            parts += self._line(number, name, points)
        return "\n".join([*parts, "</svg>"]) + "\n"


def _three(values):
    s = spread(values)
    return s["median"], s["min"], s["max"]


def _axis_plot(document, axis, place_of):
    chosen = sorted((cell for cell in cells.AXES if cell.axis in (axis, "base") and cell.name in document["cells"]),
                    key=lambda cell: getattr(cell, axis))
    series = {}
    for cell in chosen:
        for peer, samples in document["cells"][cell.name].items():
            if peer in cells.EVERYBODY:
                series.setdefault(peer, {})[place_of(cell)] = _three([s["server_us"] for s in samples])
    return Plot(f"Server CPU per call, by {axis}", [place_of(cell) for cell in chosen], "µs", series)


def _latency_plot(document, cell, quantile):
    by_peer = document["latency"].get(cell, {})
    shares = list(dict.fromkeys(share for found in by_peer.values() for share in found))
    series = {peer: {share: _three([r["latency_us"][quantile] for r in reports]) for share, reports in found.items()}
              for peer, found in by_peer.items()}
    return Plot(f"{quantile} at shares of the server's greatest rate, {cell}", shares, "µs", series)


def all_plots(document):
    """{name: svg}, of what was measured."""
    plots = {
        "connections": _axis_plot(document, "connections", lambda cell: f"{cell.connections}×100"),
        "streams": _axis_plot(document, "streams", lambda cell: f"10×{cell.streams}"),
        "payload": _axis_plot(document, "payload", lambda cell: cells.size_text(cell.payload)),
        **{f"latency-{cell}-{quantile}": _latency_plot(document, cell, quantile)
           for cell in document["latency"] for quantile in ("p50", "p99")},
    }
    return {name: plot.svg() for name, plot in plots.items() if plot.series and len(plot.places) > 1}
