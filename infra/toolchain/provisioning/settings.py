"""Where things are, and what identifies them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TOOLCHAIN = Path(__file__).resolve().parent.parent
CHECKOUT = TOOLCHAIN.parent.parent

# The wheel's shared libraries do not depend on the Python version, so one is chosen whatever Python runs here.
TENSORFLOW_PYTHON = "3.12"


class SetupError(Exception):
    """Something the user must mend; the message says how."""


@dataclass(frozen=True)
class Settings:
    checkout: Path
    cache: Path
    device: str  # "cpu" or "cuda"

    @property
    def state(self) -> Path:
        return self.checkout / ".saip"

    @property
    def tensorflow_lock(self) -> Path:
        return TOOLCHAIN / f"tensorflow-{self.device}.lock"


def load_settings() -> Settings:
    return Settings(checkout=CHECKOUT, cache=cache_directory(), device=device())


def cache_directory() -> Path:
    chosen = os.environ.get("SAIP_CACHE")
    if chosen:
        return Path(chosen).resolve()
    if os.geteuid() == 0:
        # PostgreSQL runs under another account, which cannot enter root's home.
        return Path("/var/cache/saip")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "saip"


def device() -> str:
    """`cuda` only where an NVIDIA driver answers; SAIP_DEVICE overrides."""
    chosen = os.environ.get("SAIP_DEVICE")
    if chosen:
        if chosen not in ("cpu", "cuda"):
            raise SetupError(f"SAIP_DEVICE is {chosen!r}: it must be cpu or cuda")
        return chosen
    if Path("/proc/driver/nvidia/version").exists():
        return "cuda"
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return "cpu"
    return "cuda" if listed.returncode == 0 and "GPU" in listed.stdout else "cpu"


def digest(*parts: str | Path) -> str:
    """Short SHA-256 over files (by content) and strings."""
    total = hashlib.sha256()
    for part in parts:
        content = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(len(content).to_bytes(8, "big") + content)
    return total.hexdigest()[:16]


def python_key() -> str:
    return f"{sys.implementation.cache_tag}-{os.path.realpath(sys.executable)}"
