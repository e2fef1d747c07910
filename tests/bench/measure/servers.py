"""Processes that are started, looked at and ended."""

import socket
import subprocess
import time
from pathlib import Path

from .tools import ENVIRONMENT, fail


class Server:
    """A process of ours, from where it listens to its end."""

    def __init__(self, name: str, address: str, command: list):
        self.name, self.address, self.command = name, address, [str(word) for word in command]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.wait_until_listening()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_):
        self.end()

    def wait_until_listening(self):
        host, port = self.address.split(":")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                fail(f"{self.name} ended at once: {self.last_words()}")
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        fail(f"{self.name} does not listen at {self.address}")

    def last_words(self) -> str:
        """What it says when it is started once more, which was not kept the first time."""
        try:
            again = subprocess.run(self.command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True,
                                   text=True, timeout=5)
        except subprocess.TimeoutExpired:
            return "but not when it is started again"
        said = (again.stderr.strip() or again.stdout.strip()).splitlines()
        return said[0] if said else f"code {again.returncode}"

    def end(self):
        self.process.kill()
        self.process.wait()

    def cpu_seconds(self) -> float:
        """User and system time so far, of all threads, to the nanosecond: the clock of the process, whose
        number is made as clock_getcpuclockid(3) makes it."""
        return time.clock_gettime_ns((~self.process.pid << 3) | 2) / 1e9

    def resident_mb(self) -> float:
        """What is in memory, in millions of bytes (proc(5): VmRSS)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6


def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
