"""A picture of the figures, for the documentation: bars against the empty server, which is 1."""

from html import escape
from pathlib import Path

from .figures import Figure, rounded

WIDTH, LEFT, RIGHT, ROW = 760, 190, 70, 24
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.small { fill: #59636e; font-size: 12px }
.bar { fill: #0969da }
.grid { stroke: #d1d9e0 }
.one { stroke: #bc4c00; stroke-width: 2 }
.value { stroke: #ffffff; stroke-width: 4; paint-order: stroke }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9198a1 }
  .bar { fill: #4493f8 }
  .grid { stroke: #3d444d }
  .one { stroke: #db6d28 }
  .value { stroke: #0d1117 }
}
"""


def write(figures: list[Figure], machine: str, file: Path):
    """Draws the cases that were measured; readable on light and on dark."""
    panels = [
        ("CPU per check, the empty server = 1", bars(figures, "check.", ".cpu_ratio")),
        ("Latency at half of the saturation rate, the empty server = 1",
         bars(figures, "latency.half_saturation.", "_ratio")),
        ("CPU per check as things grow, few = 1", bars(figures, "scale.", ".cpu_ratio")),
    ]
    drawn, top = [], 12
    for title, rows in panels:
        if rows:
            lines, top = panel(title, rows, top)
            drawn += lines
    drawn.append(text(LEFT, top + 8, machine, "small"))
    height = top + 24
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
            f' height="{height}" role="img" aria-label="Cost of a check against the empty server">')
    file.write_text("\n".join([head, f"<style>{STYLE}</style>", *drawn, "</svg>"]) + "\n")


def bars(figures: list[Figure], prefix: str, suffix: str) -> list[tuple[str, float]]:
    """What lies between prefix and suffix, and the value."""
    named = [figure for figure in figures if figure.value is not None
             and figure.name.startswith(prefix) and figure.name.endswith(suffix)]
    return [(figure.name[len(prefix):-len(suffix)].replace("_", " "), figure.value) for figure in named]


def panel(title: str, rows: list[tuple[str, float]], top: int) -> tuple[list[str], int]:
    """The lines of a panel, and where the next one begins."""
    most = max(1.2, *(value for _, value in rows)) * 1.05
    scale = (WIDTH - LEFT - RIGHT) / most
    first, last = top + 30, top + 30 + ROW * len(rows)
    lines = [text(LEFT, top + 14, title, "title")]
    for tick in ticks(most):
        x = LEFT + tick * scale
        kind = "one" if tick == 1 else "grid"
        lines.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{first - 4}" y2="{last}"/>')
        lines.append(text(x, last + 14, f"{tick:g}", "small", "middle"))
    for number, (name, value) in enumerate(rows):
        y = first + ROW * number
        lines.append(text(LEFT - 8, y + 14, name, anchor="end"))
        lines.append(f'<rect class="bar" x="{LEFT}" y="{y + 3}" width="{value * scale:.1f}" height="{ROW - 8}" rx="2"/>')
        lines.append(text(LEFT + value * scale + 6, y + 14, f"{rounded(value):g}", "small value"))
    return lines, last + 36


def ticks(most: float) -> list[float]:
    step = 0.5 if most < 4 else 1 if most < 8 else 5
    return sorted({1, *(number * step for number in range(int(most / step) + 1))})


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'
