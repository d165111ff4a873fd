"""The plot of ratings against the time of a fit, each point with its name beside it."""

import numpy as np

# where a name may stand beside its point, in points, the nearest first
SIDES = [
    (alignment, across, up)
    for up in (0, 9, -9, 18, -18, 27, -27)
    for alignment, across in (("left", 7), ("right", -7))
]


def diagram(lines, ours, title, path):
    """Plot Elo ratings against seconds of a fit, with their intervals.

    Parameters
    ----------
    lines : list of dict
        With the keys "model", "Elo", "low", "high" and "fit s".
    ours : sequence of str
        Models drawn in colour and joined by a line, the quickest first.
    title : str
    path : path-like
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.8), layout="constrained")
    axes = figure.subplots()
    efforts = [line for name in ours for line in lines if line["model"] == name]
    others = [line for line in lines if line not in efforts]
    for group, colour, marks in ((others, "C0", "o"), (efforts, "C3", "o-")):
        x, y, low, high = (np.array([line[key] for line in group]) for key in
                           ("fit s", "Elo", "low", "high"))  # fmt: skip
        axes.errorbar(x, y, (y - low, high - y), fmt=marks, color=colour, elinewidth=0.8)
    axes.set(xscale="log", xlabel="seconds of a fit (median table, one thread)", ylabel="Elo")
    axes.set_title(title)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.margins(x=0.2)
    axes.grid(alpha=0.3)
    label(axes, efforts, weight="bold", color="C3")
    label(axes, others)
    figure.savefig(path, dpi=120)


def label(axes, lines, **style):
    """Write names beside points, each where it covers least of what is drawn by then."""
    axes.figure.draw_without_rendering()  # settles where the axes are
    frame = axes.get_window_extent()
    for line in lines:
        solid, thin = _solid(axes), _thin(axes)
        text = axes.annotate(line["model"], (line["fit s"], line["Elo"]), (0, 0), va="center",
                             textcoords="offset points", size=9, **style)  # fmt: skip
        costs = [_cost(_move(text, side), frame, solid, thin) for side in SIDES]
        _move(text, SIDES[int(np.argmin(costs))])


def _move(text, side):
    """Put a name to a side of its point; the box that it fills there."""
    alignment, *offset = side
    text.set(ha=alignment, position=offset)
    return text.get_window_extent()


def _cost(box, frame, solid, thin):
    """Area that is covered or outside the axes; thin lines count little."""
    lost = box.width * box.height - _shared(box, frame)
    lost += sum(_shared(box, other) for other in solid)
    return round(10 * lost + sum(_shared(box, other) for other in thin), 3)


def _solid(axes):
    """Boxes of names and of points."""
    corners = [xy for points, *_ in axes.containers for xy in points.get_xydata()]
    points = [_box(x, y - 6, y + 6, 6) for x, y in axes.transData.transform(corners)]
    return [*points, *(text.get_window_extent() for text in axes.texts)]


def _thin(axes):
    """Boxes of intervals and along the line through ours."""
    boxes = []
    for points, _, bars in axes.containers:
        for segment in bars[0].get_segments():
            (x, low), (_, high) = axes.transData.transform(segment)
            boxes.append(_box(x, low, high, 2))
        if points.get_linestyle() != "None":
            line = _between(axes.transData.transform(points.get_xydata()))
            boxes += [_box(x, y - 1, y + 1, 1) for x, y in line]
    return boxes


def _between(corners, steps=100):
    """Positions along the line through `corners`."""
    at = np.linspace(0, len(corners) - 1, steps)
    return np.column_stack([np.interp(at, range(len(corners)), axis) for axis in corners.T])


def _box(x, low, high, half_width):
    from matplotlib.transforms import Bbox

    return Bbox([[x - half_width, low], [x + half_width, high]])


def _shared(one, other):
    """Area that two boxes share."""
    from matplotlib.transforms import Bbox

    both = Bbox.intersection(one, other)
    return 0.0 if both is None else both.width * both.height
