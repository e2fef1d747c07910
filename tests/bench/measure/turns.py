"""Measuring in turns, so that whatever else the machine does happens to all alike."""

import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path

from .servers import Server
from .tools import Programs, fail, output

METHOD = "/envoy.service.auth.v3.Authorization/Check"
CONNECTIONS, STREAMS = 4, 64
# Refused for there being too many.
SHED = "14 503"


class Rounds:
    """What was measured of each contestant, round by round. Every other round goes backwards, so that nobody always
    comes after the same."""

    def __init__(self, rounds: int, contestants: list[Callable[[], float]]):
        there, back = contestants, contestants[::-1]
        self.values = [[measure() for measure in there] if round % 2 == 0 else [measure() for measure in back][::-1]
                       for round in range(rounds)]

    def median(self, which: int) -> float:
        return statistics.median(each[which] for each in self.values)

    def ratios(self, which: int, to: int) -> list[float]:
        return [each[which] / each[to] for each in self.values]

    def ratio(self, which: int, to: int) -> float:
        """The median of the ratios of the rounds."""
        return statistics.median(self.ratios(which, to))


def spread(ratios: list[float]) -> str:
    """The least and the most of the ratios of the rounds: how far one round is to be believed."""
    return f"{min(ratios):.2f}–{max(ratios):.2f}"


def closed_loop(programs: Programs, server: Server, requests: Path, checks: int, answer: str) -> dict:
    """Asks as fast as answers come; every answer must be this one."""
    return json.loads(output(
        programs.load, "closed", "--address", server.address, "--requests", requests, "--checks", checks,
        "--connections", CONNECTIONS, "--streams", STREAMS, "--expect", answer))


def open_loop(programs: Programs, server: Server, requests: Path, rate: float, seconds: float,
              answer: str | None = None) -> dict:
    """Asks at a fixed rate; every answer must be this one, if one is given."""
    expected = [] if answer is None else ["--expect", answer]
    return json.loads(output(
        programs.load, "open", "--address", server.address, "--requests", requests, "--rate", rate,
        "--seconds", seconds, "--connections", CONNECTIONS, *expected))


def count(told: dict, answer: str) -> int:
    """How often it was this one."""
    return told["answers"].get(answer, {"count": 0})["count"]


def only(rounds: list[dict], answers: set[str]):
    """There may be no others."""
    seen = {answer for told in rounds for answer in told["answers"]}
    if not seen <= answers:
        fail(f"answers were {sorted(seen)}, only {sorted(answers)} were to be")


def cpu_of_many(programs: Programs, server: Server, requests: Path, checks: int, answer: str) -> float:
    """CPU µs per check, asked many different ones."""
    before = server.cpu_seconds()
    closed_loop(programs, server, requests, checks, answer)
    return (server.cpu_seconds() - before) / checks * 1e6


def cpu_of_one(server: Server, request: Path, checks: int) -> float:
    """CPU µs per check, asked one and the same. Nobody reads the answers: they are looked at before."""
    before = server.cpu_seconds()
    load = output("h2load", "-c", CONNECTIONS, "-m", STREAMS, "-n", checks, "-d", request,
                  "-H", "content-type: application/grpc", "-H", "te: trailers",
                  f"http://{server.address}{METHOD}")
    after = server.cpu_seconds()
    done = re.search(r"(\d+) succeeded, (\d+) failed", load)
    if not done or int(done[1]) != checks:
        fail(f"not every check was answered by {server.name}\n{load}")
    return (after - before) / checks * 1e6
