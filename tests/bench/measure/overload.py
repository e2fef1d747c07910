"""What becomes of checks when twice as many are asked as can be answered."""

import statistics
from pathlib import Path

from .cases import ALLOWED
from .deployment import Deployment, Placed
from .figures import Figure
from .latency import sustained
from .servers import Server
from .tools import Programs, fail
from .turns import SHED, count, only, open_loop

# Checks that cost the server much more than the client, which shares the machine: each is signed anew. So many
# at once as the server answers in about a quarter of a millisecond.
SIGNING = {"assertion_reuse": "0s"}
LIMITED = {"max_concurrent_checks": 8}
REFUSED = "7 403"
UNLOADED, TOO_MUCH = 0.25, 2.0


def measure(programs: Programs, scratch: Path, checks: int, rounds: int, seconds: float) -> list[Figure]:
    """What it keeps up with; then a server whose checks are all good, and one whose are all to be refused."""
    free = Placed(Deployment("free", settings=SIGNING), programs, scratch)
    good = Placed(Deployment("good", settings=SIGNING | LIMITED), programs, scratch)
    bad = Placed(Deployment("bad", last=None, settings=LIMITED), programs, scratch)
    with free.server() as server:
        rate = sustained(programs, server, free.asked("token"), checks, seconds)
    with good.server() as server:
        request = good.asked("token")
        quiet = [asked(programs, server, request, rate * UNLOADED, seconds) for _ in range(rounds)]
        loud = [asked(programs, server, request, rate * TOO_MUCH, seconds) for _ in range(rounds)]
    only(quiet, {ALLOWED, SHED})
    only(loud, {ALLOWED, SHED})
    with bad.server() as server:
        refused = [asked(programs, server, bad.asked("token"), rate * TOO_MUCH, seconds) for _ in range(rounds)]
    mistakes = sum(count(told, ALLOWED) for told in refused)
    only(refused, {REFUSED, SHED, ALLOWED})

    unloaded, loaded = (statistics.median(told["answers"][ALLOWED]["p99"] for told in of) for of in (quiet, loud))
    share = statistics.median(count(told, ALLOWED) / told["checks"] for told in loud)
    print(f"\noverload: keeps up with {rate:,.0f} checks/s, each signed anew; asked {rate * TOO_MUCH:,.0f}")
    print(f"  p99 of those answered: {loaded:,.0f} µs; at {rate * UNLOADED:,.0f} checks/s: {unloaded:,.0f} µs;"
          f" answered: {share:.0%}", flush=True)
    return [Figure("overload.p99_ratio", loaded / unloaded, "of the admitted at twice what it keeps up with"),
            Figure("overload.allowed_by_mistake", mistakes, "of checks that are to be refused"),
            Figure("overload.answered_share", share, main=True), Figure("overload.rate", rate * TOO_MUCH)]


def asked(programs: Programs, server: Server, request: Path, rate: float, seconds: float) -> dict:
    told = open_loop(programs, server, request, rate, seconds)
    return told if not told["unanswered"] else fail(f"{told['unanswered']} checks had no answer")
