"""Runs commands with one line a step, and never a silence of more than a few seconds."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from .settings import SetupError

REMINDER_SECONDS = 8
ERROR_LINES = 25


def say(text: str) -> None:
    print(text, flush=True)


class Step:
    """One step that the user sees; its commands write to a log file."""

    def __init__(self, title: str, log: Path) -> None:
        self.title = title
        self.log = log
        self.started = time.monotonic()
        self.reminded = self.started

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def remind(self) -> None:
        if time.monotonic() - self.reminded >= REMINDER_SECONDS:
            self.reminded = time.monotonic()
            say(f"  … {self.title}, {self.seconds():.0f} s")

    def run(self, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None = None) -> None:
        """Raises SetupError with the end of the output when the command fails."""
        arguments = [str(part) for part in command]
        with self.log.open("ab") as output:
            output.write(f"$ {' '.join(arguments)}\n".encode())
            output.flush()
            start = output.tell()
            process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT, env=dict(env), cwd=cwd)
            try:
                while True:
                    try:
                        code = process.wait(timeout=0.5)
                        break
                    except subprocess.TimeoutExpired:
                        self.remind()
            except BaseException:
                process.kill()
                process.wait()
                raise
        if code != 0:
            raise SetupError(f"{self.title} failed (exit code {code}):\n{self._tail(start)}\nThe whole output: {self.log}")

    def _tail(self, start: int) -> str:
        with self.log.open("rb") as output:
            output.seek(start)
            lines = output.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-ERROR_LINES:])


@contextmanager
def step(title: str, log: Path) -> Iterator[Step]:
    say(f"· {title}")
    current = Step(title, log)
    yield current
    say(f"✓ {title}, {current.seconds():.0f} s")


def fail(message: str) -> int:
    print(f"✗ {message}", file=sys.stderr, flush=True)
    return 1
