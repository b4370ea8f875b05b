"""The chart of the documentation: seconds by number of configurations, one panel for each latency."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple, TypeAlias

Curves: TypeAlias = Mapping[str, Sequence[float]]

COLOURS = ("#0b5fcc", "#c2571a", "#7a4fb5", "#1f8a70", "#6b7785")  # the first one's figures are written out
WIDTH, HEIGHT, TOP, BOTTOM = 870, 430, 112, 380
PANEL, PANELS_AT = 370, (60, 480)  # width and left edges
NAMES = 125  # pixels for a name above the panels
APART = 12  # pixels between the points of two contestants
STYLE = """
    text { font-family: sans-serif; font-size: 12px; fill: #44546a }
    .title { font-size: 15px; font-weight: 600; fill: #1d2733 }
    .tick { text-anchor: end }
    .group { text-anchor: middle }
    .value { font-weight: 600; fill: #0b5fcc }
    .grid { stroke: #dde3ea }
    .bound { stroke: #1d2733; stroke-dasharray: 3 4; fill: none }"""


class Axis(NamedTuple):
    """Seconds from 10 to the power of ``lowest`` to 10 to the power of ``highest``, evenly by power."""

    lowest: int
    highest: float

    def y(self, seconds: float) -> float:
        """Return the place of a time."""
        part = (math.log10(seconds) - self.lowest) / (self.highest - self.lowest)
        return round(BOTTOM - part * (BOTTOM - TOP), 1)


def draw(title: str, groups: Sequence[str], panels: Mapping[str, Curves], bound: Sequence[float]) -> str:
    """Return the chart as SVG.

    :param title: what it shows.
    :param groups: the names on the horizontal axis.
    :param panels: by name, each contestant's seconds by group, infinite where it failed.
    :param bound: seconds by group that the rate limit asks for; 0 where there is no limit.
    """
    finite = [each for curves in panels.values() for curve in curves.values() for each in curve if each < math.inf]
    axis = Axis(math.floor(math.log10(min(finite))), math.log10(1.2 * max(finite)))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}\n</style>",
        "<!-- Its own light ground: the page's may be dark. -->",
        f'<rect width="{WIDTH}" height="{HEIGHT}" rx="10" fill="#fbfcfd"/>',
        f'<text x="20" y="28" class="title">{escape(title)}</text>',
    ]
    names = list(next(iter(panels.values())))
    for x, name, colour in zip(range(24, WIDTH, NAMES), names, COLOURS, strict=False):
        lines.append(f'<circle cx="{x}" cy="50" r="4.5" fill="{colour}"/>')
        lines.append(f'<text x="{x + 10}" y="54">{escape(name)}</text>')
    x = 24 + NAMES * len(names)
    lines.append(f'<path d="M{x - 6} 50 h20" class="bound"/>')
    lines.append(f'<text x="{x + 20}" y="54">rate limit</text>')
    for left, (name, curves) in zip(PANELS_AT, panels.items(), strict=False):
        lines += [f'<text x="{left}" y="84" class="title">{escape(name)}</text>']
        lines += _panel(left, groups, curves, bound, axis)
    return "\n".join([*lines, "</svg>", ""])


def _panel(left: int, groups: Sequence[str], curves: Curves, bound: Sequence[float], axis: Axis) -> list[str]:
    lines, room = [], PANEL / len(groups)
    for power in range(axis.lowest, math.floor(axis.highest) + 1):
        y = axis.y(10.0**power)
        lines.append(f'<path d="M{left} {y} h{PANEL}" class="grid"/>')
        lines.append(f'<text x="{left - 6}" y="{y + 4}" class="tick">{10.0**power:g} s</text>')
    for number, (group, least) in enumerate(zip(groups, bound, strict=True)):
        start = left + room * number
        lines.append(f'<text x="{start + room / 2:g}" y="{BOTTOM + 22}" class="group">{escape(group)}</text>')
        if least >= 10.0**axis.lowest:
            lines.append(f'<path d="M{start + 4:g} {axis.y(least)} h{room - 8:g}" class="bound"/>')
        for place, (curve, colour) in enumerate(zip(curves.values(), COLOURS, strict=False)):
            x = start + room / 2 + APART * (place - (len(curves) - 1) / 2)
            lines.append(_point(x, curve[number], colour, axis))
        first = next(iter(curves.values()))[number]
        if first < math.inf:
            x, y = start + room / 2 - APART * (len(curves) - 1) / 2 - 4, axis.y(first) + 18
            lines.append(f'<text x="{x:g}" y="{y:g}" class="group value">{first:.2g}</text>')
    if any(math.inf in curve for curve in curves.values()):
        lines.append(f'<text x="{left + PANEL}" y="84" class="tick">✕ no complete file</text>')
    return lines


def _point(x: float, seconds: float, colour: str, axis: Axis) -> str:
    if seconds == math.inf:
        return f'<path d="M{x:g} {TOP - 12} m-4 -4 l8 8 m0 -8 l-8 8" stroke="{colour}" stroke-width="2"/>'
    return f'<circle cx="{x:g}" cy="{axis.y(seconds)}" r="4.5" fill="{colour}"/>'
