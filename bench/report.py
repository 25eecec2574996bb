# SPDX-License-Identifier: BSD-2-Clause
"""From measurements to medians, ratios and tables."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Goal:
    """A ratio and what it should be."""
    what: str
    ratio: float
    limit: float
    at_least: bool = False

    @property
    def met(self):
        return self.ratio >= self.limit if self.at_least else self.ratio <= self.limit

    def row(self):
        bound = "at least" if self.at_least else "at most"
        return [self.what, f"{self.ratio:.3f}", f"{bound} {self.limit:.2f}",
                "goal met" if self.met else "missed"]


def medians(rounds):
    """[{server: {figure: value}}] -> {server: {figure: median}}"""
    return {server: {figure: median(r[server][figure] for r in rounds)
                     for figure in rounds[0][server]}
            for server in rounds[0]}


def ratio(rounds, figure, one, other):
    """Median over the rounds of one server's figure by the other's in the same round.

    The machine may be busy with other things and its clock may change: what two servers
    had in the same second is comparable, what they had minutes apart is not.
    """
    return median(r[one][figure] / r[other][figure] for r in rounds)


def spread(rounds, figure, one, other):
    """The middle half of these ratios."""
    return middle_half(r[one][figure] / r[other][figure] for r in rounds)


def middle_half(ratios):
    """Its ends."""
    ratios = sorted(ratios)
    quarter = len(ratios) // 4
    return ratios[quarter], ratios[-1 - quarter]


def table(title, head, rows):
    """Print it: the first column to the left, numbers to the right."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]

    def line(row):
        cells = [str(cell).rjust(width) for cell, width in zip(row, widths)]
        return "  " + "  ".join([str(row[0]).ljust(widths[0]), *cells[1:]]).rstrip()

    print(f"\n{title}\n\n{line(head)}\n  {'-' * (sum(widths) + 2 * len(widths) - 2)}")
    for row in rows:
        print(line(row))
    print(flush=True)


def goals_table(goals):
    table("Goals (nothing fails where one is missed)", ["ratio", "measured", "goal", ""],
          [goal.row() for goal in goals])


def goals_json(goals):
    return [{"what": g.what, "ratio": round(g.ratio, 4), "limit": g.limit,
             "bound": "at least" if g.at_least else "at most", "met": g.met} for g in goals]
