"""How a figure went from run to run: the numbers as text, and as a line small enough to stand in a row of text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

#: The box a line is drawn in, and how far it keeps from its edges.
WIDTH, HEIGHT, _EDGE = 96, 24, 3


@dataclass(frozen=True)
class Trend:
    """The figures of one question, oldest first; the last is that of the run looked at."""

    figures: tuple[Decimal, ...]
    is_share: bool

    @property
    def told(self) -> str:
        """Every figure, for whoever does not see the line."""
        return ", ".join(figure_text(one, self.is_share) for one in self.figures)

    @property
    def span(self) -> str:
        """Where it came from and where it is now."""
        first, last = (figure_text(one, self.is_share) for one in (self.figures[0], self.figures[-1]))
        return f"{first} → {last}" if first != last else f"steady at {last}"

    @property
    def points(self) -> list[tuple[float, float]]:
        """Where the line goes, from left to right; the smallest figure lies at the bottom."""
        low, high = min(self.figures), max(self.figures)
        step = (WIDTH - 2 * _EDGE) / (len(self.figures) - 1)
        return [
            (round(_EDGE + number * step, 1), round(HEIGHT - _EDGE - _height(one, low, high), 1))
            for number, one in enumerate(self.figures)
        ]


def trend_of(earlier: Iterable[Mapping[str, str]], question: str, figure: Decimal | None, *, share: bool) -> Trend:
    """The trend of one question. ``earlier``: the figures of earlier runs by question, the last run first."""
    told = [Decimal(figures[question]) for figures in earlier if question in figures]
    return Trend((*reversed(told), *(() if figure is None else (figure,))), share)


def figure_text(figure: Decimal, is_share: bool) -> str:
    """A figure as it is read: a share in percent, and no more digits than tell it apart from none."""
    shown = figure * 100 if is_share else figure
    rounded = round(shown, 2) if abs(shown) >= 1 else shown
    return f"{rounded.normalize():,f}" + ("%" if is_share else "")


def _height(figure: Decimal, low: Decimal, high: Decimal) -> float:
    inside = HEIGHT - 2 * _EDGE
    return inside / 2 if low == high else float((figure - low) / (high - low)) * inside
