"""npm packages of the checkout, from package-lock.json, without running any package's install script."""

from __future__ import annotations

import os
from pathlib import Path

from .progress import Step
from .settings import Settings, digest


# Written last, inside what `npm ci` deletes first: an interrupted installation has none.
STAMP = Path("node_modules") / ".saip-setup"


def is_installed(settings: Settings) -> bool:
    try:
        return (settings.checkout / STAMP).read_text() == installation_key(settings)
    except FileNotFoundError:
        return False


def installation_key(settings: Settings) -> str:
    return digest(settings.checkout / "package.json", settings.checkout / "package-lock.json")


def install(settings: Settings, step: Step, node: Path, npm: Path) -> None:
    env = {
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
        "ONNXRUNTIME_NODE_INSTALL": "skip",
    }
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"]
    step.run([node, npm, "ci", *flags], env, cwd=settings.checkout)
    (settings.checkout / STAMP).write_text(installation_key(settings))
