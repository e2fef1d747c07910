"""What becomes of checks when twice as many are asked as can be answered."""

import contextlib
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from .cases import ALLOWED
from .deployment import Deployment, Placed
from .figures import Figure
from .latency import sustained
from .servers import Server
from .tools import Programs, fail
from .turns import SHED, count, only, open_loop

# Checks that cost the server much more than to be refused: each is signed anew.
SIGNING = {"assertion_reuse": "0s"}
# As many as there are processors for them.
LIMITED = {"max_concurrent_checks": 1}
REFUSED = "7 403"
UNLOADED, TOO_MUCH = 0.25, 2.0


def measure(programs: Programs, scratch: Path, checks: int, rounds: int, seconds: float) -> list[Figure]:
    """What it keeps up with, and with the default limit what becomes of more; then a server with a low limit whose
    checks are all good, and one whose are all to be refused."""
    free = Placed(Deployment("free", settings=SIGNING), programs, scratch)
    good = Placed(Deployment("good", settings=SIGNING | LIMITED), programs, scratch)
    bad = Placed(Deployment("bad", last=None, settings=LIMITED), programs, scratch)
    with on_its_own(free.server()) as server:
        request = free.asked("token")
        rate = sustained(programs, server, request, checks, seconds)
        default = [asked(programs, server, request, rate * TOO_MUCH, seconds) for _ in range(rounds)]
    only(default, {ALLOWED, SHED})
    with on_its_own(good.server()) as server:
        request = good.asked("token")
        quiet = [asked(programs, server, request, rate * UNLOADED, seconds) for _ in range(rounds)]
        loud = [asked(programs, server, request, rate * TOO_MUCH, seconds) for _ in range(rounds)]
    only(quiet, {ALLOWED, SHED})
    only(loud, {ALLOWED, SHED})
    with on_its_own(bad.server()) as server:
        refused = [asked(programs, server, bad.asked("token"), rate * TOO_MUCH, seconds) for _ in range(rounds)]
    mistakes = sum(count(told, ALLOWED) for told in refused)
    only(refused, {REFUSED, SHED, ALLOWED})

    unloaded, loaded, by_default = (
        statistics.median(told["answers"][ALLOWED]["p99"] for told in of) for of in (quiet, loud, default))
    share = statistics.median(count(told, ALLOWED) / told["checks"] for told in loud)
    print(f"\noverload: keeps up with {rate:,.0f} checks/s, each signed anew; asked {rate * TOO_MUCH:,.0f}")
    print(f"  p99 of those answered: {loaded:,.0f} µs; at {rate * UNLOADED:,.0f} checks/s: {unloaded:,.0f} µs;"
          f" answered: {share:.0%}")
    print(f"  p99 of those answered with the default of max_concurrent_checks: {by_default / 1e3:,.0f} ms", flush=True)
    return [Figure("overload.p99_ratio", loaded / unloaded, "of the admitted at twice what it keeps up with"),
            Figure("overload.allowed_by_mistake", mistakes, "of checks that are to be refused"),
            Figure("overload.answered_share", share, main=True),
            Figure("overload.default_p99_ms", by_default / 1e3, "with the default limit, on one processor", main=True),
            Figure("overload.rate", rate * TOO_MUCH)]


@contextlib.contextmanager
def on_its_own(server: Server) -> Iterator[Server]:
    """The server while it runs, on one processor, and whoever asks it meanwhile on another: with too much to do for
    both, they would else wait for each other's turn, and longer than for any answer."""
    first, *others = sorted(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        with on({first}):
            stack.enter_context(server)
        stack.enter_context(on({*others[:1]} or {first}))
        yield server


@contextlib.contextmanager
def on(processors: set[int]) -> Iterator[None]:
    """What is started meanwhile runs on these alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def asked(programs: Programs, server: Server, request: Path, rate: float, seconds: float) -> dict:
    told = open_loop(programs, server, request, rate, seconds)
    return told if not told["unanswered"] else fail(f"{told['unanswered']} checks had no answer")
