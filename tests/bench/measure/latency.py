"""How long a check takes at fixed rates, against the empty server."""

import statistics
from pathlib import Path

from .cases import ALLOWED
from .deployment import Deployment, Placed, empty
from .figures import Figure
from .servers import Server
from .tools import Programs, fail
from .turns import SHED, closed_loop, count, only, open_loop

PERCENTILES = ("p50", "p90", "p99", "p999")
# A server that falls behind makes checks wait longer and longer: within a second far longer than this.
KEPT_UP_US = 10_000
STEPS = 20
NAMES = {0.25: "quarter", 0.5: "half", 0.75: "three_quarters"}


def measure(shares: tuple[float, ...], programs: Programs, scratch: Path, checks: int, rounds: int,
            seconds: float) -> list[Figure]:
    """All servers at these shares of what both Lictor and the empty server keep up with, in turns."""
    placed = Placed(Deployment("latency"), programs, scratch)
    with placed.server() as lictor, empty(programs) as theirs, placed.others() as others:
        request = placed.asked("token")
        servers = [lictor, theirs, *others]

        most = [sustained(programs, server, request, checks, seconds) for server in servers]
        print(f"\nlatency, µs; Lictor keeps up with {most[0]:,.0f} checks/s, the empty server with {most[1]:,.0f}")
        figures = [Figure("latency.saturation.rate_ratio", most[0] / most[1], main=True),
                   Figure("latency.saturation.rate_lictor", most[0]), Figure("latency.saturation.rate_empty", most[1])]
        lower = min(most[:2])
        for share in shares:
            told = [[open_loop(programs, server, request, lower * share, seconds, ALLOWED) for server in servers]
                    for _ in range(rounds)]
            figures += at_share(share, lower * share, told)
    return figures


def sustained(programs: Programs, server: Server, request: Path, checks: int, seconds: float) -> float:
    """The highest fixed rate that it keeps up with. A closed loop does more: with many checks on the way each
    one wakes nobody, which is cheap. So it is where the search begins, in steps of a tenth downwards. Who refuses some for there being too many does not keep up."""
    closed_loop(programs, server, request, checks, ALLOWED)
    rate = closed_loop(programs, server, request, checks, ALLOWED)["rate"]

    def keeps_up() -> bool:
        told = open_loop(programs, server, request, rate, min(seconds, 2))
        only([told], {ALLOWED, SHED})
        return not told["unanswered"] and not count(told, SHED) and told["latency_us"]["p90"] < KEPT_UP_US
    for _ in range(STEPS):
        # Once may be luck.
        if keeps_up() and keeps_up():
            return rate
        rate *= 0.9
    return fail(f"{server.name} does not keep up with {rate:.0f} checks/s")


def at_share(share: float, rate: float, told: list[list[dict]]) -> list[Figure]:
    """Of what was told in each round by each server."""
    name, figures = f"latency.{NAMES[share]}_saturation", []
    late = statistics.median(each["sent_late_us"]["p99"] for all_of_them in told for each in all_of_them)
    print(f"  at {rate:,.0f} checks/s (p99 of how late they were sent: {late:.0f})")
    for percentile in PERCENTILES:
        times = [statistics.median(each["latency_us"][percentile] for each in of_one) for of_one in zip(*told)]
        ours, theirs, *others = times
        beside = "".join(f"   other {each:.0f}" for each in others)
        print(f"    {percentile:<6}{ours:>10.0f}{theirs:>10.0f}{ours / theirs:>8.2f}{beside}", flush=True)
        figures += [Figure(f"{name}.{percentile}_ratio", ours / theirs, main=True),
                    Figure(f"{name}.{percentile}_us_lictor", ours), Figure(f"{name}.{percentile}_us_empty", theirs),
                    *(Figure(f"{name}.{percentile}_ratio_to_other", ours / each) for each in others)]
    return figures
