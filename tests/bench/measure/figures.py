"""Figures, and what they are held to."""

import json
from dataclasses import dataclass
from pathlib import Path

# At most so much; of those in AT_LEAST, at least.
TARGETS = {
    "check.reuse.cpu_ratio": 1.0,
    "check.new_token.cpu_ratio": 3.5,
    "check.sign_each.cpu_ratio": 3.0,
    "check.denied.cpu_ratio": 1.1,
    "check.redirect.cpu_ratio": 1.1,
    "envoy.requests_ratio": 0.95,
    "latency.half_saturation.p99_ratio": 1.3,
    "overload.p99_ratio": 3.0,
    "overload.allowed_by_mistake": 0.0,
    "scale.routes_10000.cpu_ratio": 1.05,
    "scale.accounts_1000000.cpu_ratio": 1.1,
    "scale.rules_100.cpu_ratio": 1.5,
    "memory.idle_10_routes.rss_mb": 25.0,
    "memory.10000_routes_10000_sessions.rss_mb": 120.0,
    "start.1000_routes.ms": 150.0,
}
AT_LEAST = {"envoy.requests_ratio"}


@dataclass(frozen=True)
class Figure:
    """A number with its name; `None` where it was not measured."""

    name: str
    value: float | None
    about: str = ""
    main: bool = False
    """It stands in the table at the end, even without a target."""

    @property
    def part(self) -> str:
        """The case, or the other part of the benchmark, that it comes from."""
        kind, what = self.name.split(".")[:2]
        if kind == "check":
            return what
        return what.split("_")[0] if kind == "scale" else kind

    @property
    def target(self) -> float | None:
        return TARGETS.get(self.name)

    @property
    def holds(self) -> bool | None:
        """Judged as it is written down, rounded."""
        if self.target is None or self.value is None:
            return None
        value = rounded(self.value)
        return value >= self.target if self.name in AT_LEAST else value <= self.target

    def told(self) -> dict:
        value = None if self.value is None else rounded(self.value)
        return {"figure": self.name, "value": value, "target": self.target, "holds": self.holds}


def rounded(value: float) -> float:
    """Ratios and other small numbers to two digits, large ones to one: more would be noise."""
    return round(value, 2 if abs(value) < 100 else 1)


def write_json(figures: list[Figure], file: Path):
    file.write_text(json.dumps([figure.told() for figure in figures], indent=1) + "\n")


def print_table(figures: list[Figure]):
    """Every figure with a target, and the others that say most."""
    shown = [figure for figure in figures if figure.target is not None or figure.main]
    if not shown:
        return
    print(f"\n{'figure':<46}{'value':>9}{'target':>9}  holds")
    for figure in shown:
        value = "–" if figure.value is None else f"{rounded(figure.value):g}"
        bound = "≥" if figure.name in AT_LEAST else "≤"
        target = "" if figure.target is None else f"{bound} {figure.target:g}"
        holds = {True: "yes", False: "NO", None: ""}[figure.holds]
        print(f"{figure.name:<46}{value:>9}{target:>9}  {holds:<6}{figure.about}".rstrip())
