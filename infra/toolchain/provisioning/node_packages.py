"""npm packages of the checkout, from package-lock.json, without running any package's install script."""

from __future__ import annotations

import os
from pathlib import Path

from .progress import Step
from .settings import Settings


def install(settings: Settings, step: Step, node: Path, npm: Path) -> None:
    env = {
        **os.environ,
        "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}",
        "ONNXRUNTIME_NODE_INSTALL": "skip",
    }
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--prefer-offline"]
    step.run([node, npm, "ci", *flags], env, cwd=settings.checkout)
