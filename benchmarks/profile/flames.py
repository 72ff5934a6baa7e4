"""A flame graph: who calls whom, as wide as it takes time."""

from collections import Counter
from pathlib import Path

from benchmarks.profile.stacks import ARRAYS, OTHER, OURS, Stacks, own_part, owner

DEPTH = 14  # functions below are too narrow for a name
NARROWEST = 0.004  # of the width; narrower ones are left out
_CHARACTERS = 150  # over the whole width, at the size of the names

COLOURS = {OURS: "#d9822b", ARRAYS: "#5b8db8", OTHER: "#b8b8b8"}


def levels(stacks: Stacks) -> list[list[tuple[float, float, str]]]:
    """Return for each depth the functions as (left edge, width, function), in shares of all."""
    total = sum(stacks.values())
    found: list[list[tuple[float, float, str]]] = []
    open_at: dict[tuple[str, ...], float] = {(): 0.0}
    for depth in range(1, DEPTH + 1):
        widths: Counter[tuple[str, ...]] = Counter()
        for stack, samples in stacks.items():
            if len(stack) >= depth:
                widths[stack[:depth]] += samples
        places: dict[tuple[str, ...], float] = {}
        next_left = dict(open_at)
        row = []
        for stack, samples in sorted(widths.items()):
            if (left := next_left.get(stack[:-1])) is None:
                continue
            width = samples / total
            places[stack] = left
            next_left[stack[:-1]] = left + width
            if width >= NARROWEST:
                row.append((left, width, stack[-1]))
        if not row:
            break
        found.append(row)
        open_at = places
    return found


def draw(stacks: Stacks, title: str, file: Path) -> None:
    """Draw the stacks of one process; needs matplotlib."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.patches import Patch

    rows = levels(own_part(stacks))
    figure, axes = plt.subplots(figsize=(14, 0.8 + 0.28 * len(rows)), layout="constrained")
    for depth, row in enumerate(rows):
        for left, width, function in row:
            axes.barh(
                depth,
                width,
                left=left,
                height=0.94,
                color=COLOURS[owner(function)],
                edgecolor="white",
            )
            name = function.partition(" (")[0]
            room = int(width * _CHARACTERS)
            if room >= 3:
                text = name if len(name) <= room else name[: room - 1] + "…"
                axes.text(left + 0.002, depth, text, va="center", fontsize=8, clip_on=True)
    axes.set(xlim=(0, 1), ylim=(-0.6, len(rows) - 0.4), yticks=[])
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100 %"])
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.legend(
        handles=[Patch(color=c, label=n) for n, c in COLOURS.items()],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=3,
        frameon=False,
        fontsize=8,
    )
    figure.savefig(file, dpi=80)
    plt.close(figure)
