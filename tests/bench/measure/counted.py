"""Lictor under callgrind, which counts the instructions of all its threads."""

import http.client
import re
import signal
import subprocess
import time
from pathlib import Path

from .servers import Server
from .tools import ENVIRONMENT, fail
from .turns import METHOD

# Nothing that is waited for takes as long, not even on a busy machine.
SECONDS = 120
# A server is idle that used less than this share of a processor for so long.
IDLE_SECONDS, IDLE_SHARE = 0.4, 0.05


class CountedServer(Server):
    """A server whose instructions are known once it has ended by itself.

    One thread runs its tasks, however many processors there are, so that it does the same everywhere.
    """

    def __init__(self, name: str, address: str, command: list, folder: Path):
        self.told = folder / "callgrind"
        valgrind = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", f"--log-file={self.told}"]
        super().__init__(name, address, ["env", "TOKIO_WORKER_THREADS=1", *valgrind, *command])

    def wait_until_idle(self):
        """What is prepared beside the start must be done, or it would be counted in part."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            before = self.cpu_seconds()
            time.sleep(IDLE_SECONDS)
            if self.cpu_seconds() - before < IDLE_SECONDS * IDLE_SHARE:
                return
        fail(f"{self.name} has still work to do after {SECONDS} s")

    def instructions(self) -> int:
        """Ends the server: what it executed from its start to its end."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            fail(f"{self.name} does not end within {SECONDS} s")
        told = self.told.read_text()
        counted = re.search(r"Collected : (\d+)", told)
        if self.process.returncode != 0 or not counted:
            fail(f"{self.name} ended with {self.process.returncode}, and this was counted:\n{told}")
        return int(counted[1])


def one_by_one(server: Server, check: Path, checks: int):
    """Asks the same check so often, each when the one before is answered: otherwise it would depend on time how
    many are read and written at once."""
    command = ["h2load", "-t", "1", "-c", "1", "-m", "1", "-n", str(checks), "-d", str(check),
               "-H", "content-type: application/grpc", "-H", "te: trailers", f"http://{server.address}{METHOD}"]
    try:
        load = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        fail(f"{server.name} does not answer {checks} checks within {SECONDS} s")
    done = re.search(r"(\d+) succeeded", load.stdout)
    if not done or int(done[1]) != checks:
        fail(f"not every check was answered by {server.name}\n{load.stdout}{load.stderr}")


def answers(metrics: str) -> dict[tuple[str, str], int]:
    """How many checks were answered so far, by decision and reason."""
    connection = http.client.HTTPConnection(metrics, timeout=SECONDS)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as error:
        fail(f"no metrics at {metrics}: {error}")
    finally:
        connection.close()
    series = re.findall(r'^lictor_checks_total\{decision="(.+)",reason="(.+)"\} (\d+)$', text, re.MULTILINE)
    return {(decision, reason): int(count) for decision, reason, count in series if int(count)}
