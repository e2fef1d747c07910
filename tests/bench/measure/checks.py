"""CPU per check of Lictor against the empty server, case by case."""

from pathlib import Path

from .cases import ALLOWED, Case
from .deployment import Placed, empty
from .figures import Figure
from .servers import Server
from .tools import Programs, fail, output
from .turns import Rounds, closed_loop, cpu_of_many, cpu_of_one, spread

ASSERTION = "x-pomerium-jwt-assertion"
HEAD = f"{'case':<14}{'lictor':>9}{'empty':>9}{'ratio':>8}  {'rounds':<11}"


def heading(checks: int, rounds: int):
    print(f"\nCPU per check, µs; median of {rounds} rounds of {checks} checks\n{HEAD}", flush=True)


def measure(case: Case, programs: Programs, scratch: Path, checks: int, rounds: int) -> list[Figure]:
    """The figures of a case; prints a line."""
    placed = Placed(case.deployment(), programs, scratch)
    with placed.server() as lictor, empty(programs) as theirs, placed.others() as others:
        servers = [lictor, theirs, *others]
        asking = Asking(case, placed, checks)
        asking.check_answers(lictor, theirs)
        for server in servers:
            asking.warm_up(server)
        measured = Rounds(rounds, [lambda server=server: asking.cpu(server) for server in servers])
    name = f"check.{case.name}"
    figures = [Figure(f"{name}.cpu_ratio", measured.ratio(0, 1), case.about, main=True),
               Figure(f"{name}.cpu_us_lictor", measured.median(0)), Figure(f"{name}.cpu_us_empty", measured.median(1))]
    if others:
        figures.append(Figure(f"{name}.cpu_ratio_to_other", measured.ratio(0, 2), "÷ the other lictor", main=True))
    beside = f"  ÷ other {measured.ratio(0, 2):.2f} ({spread(measured.ratios(0, 2))})" if others else ""
    print(f"{case.name:<14}{measured.median(0):>9.2f}{measured.median(1):>9.2f}{measured.ratio(0, 1):>8.2f}"
          f"  {spread(measured.ratios(0, 1)):<11}{beside}  {case.about}", flush=True)
    return figures


class Asking:
    """How the checks of a case are asked."""

    def __init__(self, case: Case, placed: Placed, checks: int):
        self.case, self.placed, self.checks = case, placed, checks
        self.programs = placed.programs
        self.one = placed.asked(case.who, cookie_bytes=case.cookie_bytes)
        self.next = 1

    def answer(self, server: Server) -> str:
        return ALLOWED if server.name == "the empty server" else self.case.answer

    def cpu(self, server: Server) -> float:
        if self.case.every_token_new:
            return cpu_of_many(self.programs, server, self.new_tokens(self.checks), self.checks, self.answer(server))
        return cpu_of_one(server, self.one, self.checks)

    def warm_up(self, server: Server):
        """The answers are looked at here, of as many checks at once as later."""
        checks = max(2_000, self.checks // 5)
        requests = self.new_tokens(checks) if self.case.every_token_new else self.one
        closed_loop(self.programs, server, requests, checks, self.answer(server))

    def new_tokens(self, count: int) -> Path:
        """Checks with tokens that nobody has seen."""
        first, self.next = self.next, self.next + count
        return self.placed.asked(self.case.who, count=count, first=first)

    def check_answers(self, lictor: Server, theirs: Server):
        """Lictor is asked twice: what it gives out the second time must be reused as configured."""
        answers = [self.ask(server) for server in (lictor, lictor, theirs)]
        codes = [answer[0] for answer in answers]
        if codes != [self.case.answer, self.case.answer, ALLOWED]:
            fail(f"{self.case.name}: wanted {self.case.answer}, was answered {codes}")
        first, second = ([line for line in answer if line.startswith(ASSERTION)] for answer in answers[:2])
        if bool(first) != self.case.asserts:
            fail(f"{self.case.name}: an assertion where none belongs, or none where one does: {first}")
        if first and (first == second) != self.case.reuses:
            fail(f"{self.case.name}: assertions are not reused as configured")

    def ask(self, server: Server) -> list[str]:
        return output(self.programs.empty, "--ask", server.address, "--request", self.one).splitlines()
