"""Memory, and the time until the first answer."""

import json
import statistics
from pathlib import Path

from .cases import ALLOWED
from .deployment import EVERYBODY, Deployment, Placed, empty
from .figures import Figure
from .tools import Programs, output
from .turns import closed_loop, cpu_of_many

MANY = 10_000


def memory(programs: Programs, scratch: Path) -> list[Figure]:
    """Resident memory: hardly used, and with everything that there is in use."""
    idle = Placed(Deployment("idle", routes=10, rules=1), programs, scratch)
    with idle.server() as server:
        closed_loop(programs, server, idle.asked("token"), 1, ALLOWED)
        little = server.resident_mb()
    full = Placed(Deployment("full", routes=MANY, rules=1, last=EVERYBODY, sessions=MANY), programs, scratch)
    with full.server() as server:
        cold = cpu_of_many(programs, server, full.asked("session", count=MANY, hosts=MANY), MANY, ALLOWED)
        much = server.resident_mb()
    print(f"\nresident memory: {little:.1f} MB with 10 routes, {much:.1f} MB with {MANY:,} routes and sessions;"
          f" CPU of the first check of a session {cold:.1f} µs", flush=True)
    return [Figure("cold.session.cpu_us_lictor", cold, "each session seen for the first time", main=True),
            Figure("memory.idle_10_routes.rss_mb", little),
            Figure(f"memory.{MANY}_routes_{MANY}_sessions.rss_mb", much)]


def start(programs: Programs, scratch: Path, times: int) -> list[Figure]:
    """From the start of the process to the first right answer; what that check took, and what it takes later."""
    placed = Placed(Deployment("start", routes=1_000, rules=1), programs, scratch)
    theirs = empty(programs)
    commands = [(placed.address, placed.command()), (theirs.address, theirs.command)]
    request = placed.asked("token")
    told = [[one_start(programs, address, request, command) for address, command in commands] for _ in range(times)]

    def median(which: int, what: str) -> float:
        return statistics.median(both[which][what] for both in told)
    print(f"\nstart to first right answer with 1,000 routes: {median(0, 'ready_ms'):.1f} ms"
          f" (the empty server {median(1, 'ready_ms'):.1f} ms); that check took {median(0, 'first_us'):.0f} µs"
          f" ({median(1, 'first_us'):.0f}), alone and warm {median(0, 'warm_us'):.0f} µs ({median(1, 'warm_us'):.0f})",
          flush=True)
    return [Figure("start.1000_routes.ms", median(0, "ready_ms")),
            Figure("cold.first_check.latency_us_lictor", median(0, "first_us"), main=True),
            Figure("cold.first_check.latency_us_empty", median(1, "first_us"), main=True),
            Figure("warm.single_check.latency_us_lictor", median(0, "warm_us"), main=True),
            Figure("warm.single_check.latency_us_empty", median(1, "warm_us"), main=True)]


def one_start(programs: Programs, address: str, request: Path, command: list) -> dict:
    return json.loads(output(programs.load, "start", "--address", address, "--requests", request,
                             "--expect", ALLOWED, "--", *command))
