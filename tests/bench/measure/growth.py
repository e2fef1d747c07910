"""How the CPU of a check grows with what there is: routes, rules, accounts."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

from .cases import ALLOWED
from .deployment import ANYBODY, Deployment, Placed
from .figures import Figure
from .servers import Server
from .tools import Programs
from .turns import Rounds, closed_loop, cpu_of_many, spread

# So many hosts or accounts take turns, however many there are.
HOSTS, ACCOUNTS = 10, 100


@dataclass(frozen=True)
class Step:
    """Something of a size, which is asked a working set of its checks."""

    figure: str
    deployment: Deployment
    who: str = "token"
    count: int = 1
    hosts: int = 1


def routes() -> list[Step]:
    def sized(count):
        return Deployment(f"routes-{count}", routes=count, rules=1)
    return [
        Step("", sized(10), count=HOSTS, hosts=HOSTS),
        Step("scale.routes_1000", sized(1_000), count=HOSTS, hosts=HOSTS),
        Step("scale.routes_10000", sized(10_000), count=HOSTS, hosts=HOSTS),
    ]


def all_routes() -> list[Step]:
    """Each host in turn, so that every assertion has to be signed now and then."""
    steps = [(count, Deployment(f"all-{count}", routes=count, rules=1)) for count in (HOSTS, 10_000)]
    return [Step(f"scale.routes_{count}_all_asked" if count > HOSTS else "", deployment, count=count, hosts=count)
            for count, deployment in steps]


def rules() -> list[Step]:
    steps = [(count, Deployment(f"rules-{count}", rules=count)) for count in (1, 10, 100)]
    return [Step(f"scale.rules_{count}" if count > 1 else "", deployment) for count, deployment in steps]


def accounts(many: int) -> list[Step]:
    def sized(more):
        return Deployment(f"accounts-{ACCOUNTS + more}", last=ANYBODY, accounts=ACCOUNTS, more_accounts=more)
    return [Step("", sized(0), "machine", ACCOUNTS), Step(f"scale.accounts_{many}", sized(many - ACCOUNTS), "machine",
                                                          ACCOUNTS)]


def measure(what: str, steps: list[Step], programs: Programs, scratch: Path, checks: int, rounds: int) -> list[Figure]:
    """The CPU of each step against that of the first; prints a line for each."""
    with contextlib.ExitStack() as stack:
        asked: list[tuple[Server, Path]] = []
        for step in steps:
            placed = Placed(step.deployment, programs, scratch)
            server = stack.enter_context(placed.server())
            asked.append((server, placed.asked(step.who, count=step.count, hosts=step.hosts)))
        for step, (server, requests) in zip(steps, asked):
            closed_loop(programs, server, requests, max(2_000, checks // 5, step.count), ALLOWED)
        measured = Rounds(rounds, [
            lambda server=server, requests=requests: cpu_of_many(programs, server, requests, checks, ALLOWED)
            for server, requests in asked])
    print(f"\n{what}: CPU per check {measured.median(0):.2f} µs at first", flush=True)
    figures = []
    for number, step in list(enumerate(steps))[1:]:
        ratio, between = measured.ratio(number, 0), spread(measured.ratios(number, 0))
        print(f"  {step.figure:<32}{measured.median(number):>9.2f} µs{ratio:>8.2f}  {between}", flush=True)
        figures += [Figure(f"{step.figure}.cpu_ratio", ratio, main=True),
                    Figure(f"{step.figure}.cpu_us", measured.median(number))]
    return figures
