"""The set-up, step by step."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from . import addon, manifest, node_packages, python_tools
from .lock import exclusive
from .progress import fail, say, step
from .settings import TOOLCHAIN, Settings, SetupError, load_settings


def main(arguments: list[str]) -> int:
    try:
        settings = load_settings()
        if manifest.is_current(settings):
            return 0
        if subprocess.run(["sh", str(TOOLCHAIN / "preflight.sh")], check=False).returncode != 0:
            return fail("set-up needs what is named above; nothing was changed")
        if "--check" in arguments:
            return 0
        provision(settings)
        return 0
    except SetupError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("interrupted; run make setup again to go on")


def provision(settings: Settings) -> None:
    # Another account must be able to read the cache: PostgreSQL does not run as root.
    os.umask(0o022)
    prepare_cache(settings.cache)
    with exclusive(settings.cache / "lock"):
        if manifest.is_current(settings):
            return
        started = time.monotonic()
        say(f"Setting up the toolchain for {settings.device} in {settings.cache}")
        run_steps(settings)
        manifest.write(settings)
        say(f"Set up in {time.monotonic() - started:.0f} s")


def prepare_cache(cache: Path) -> None:
    try:
        (cache / "logs").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"cannot write to the cache {cache} ({error.strerror}): set SAIP_CACHE") from error
    if os.geteuid() == 0:
        closed = [str(folder) for folder in (cache, *cache.parents) if not folder.stat().st_mode & 0o001]
        if closed:
            raise SetupError(
                f"as root, PostgreSQL runs under another account, which cannot enter {closed[-1]}: "
                "set SAIP_CACHE to a folder it can enter, such as /var/cache/saip"
            )


def run_steps(settings: Settings) -> None:
    log = settings.cache / "logs" / f"setup-{time.strftime('%Y%m%dT%H%M%S')}.log"
    tools = python_tools.tools_directory(settings)
    tensorflow = python_tools.tensorflow_directory(settings)
    paths = manifest.describe(settings)
    node, npm = Path(str(paths["node"])), Path(str(paths["npmCli"]))

    if not python_tools.is_complete(tools):
        with step("Node, Temporal, OpenBao, PostgreSQL and MLflow", log) as current:
            python_tools.install_tools(settings, current)
    if not python_tools.is_complete(tensorflow):
        with step(f"TensorFlow's libraries ({settings.device})", log) as current:
            python_tools.install_tensorflow(settings, current)
    if not python_tools.is_complete(python_tools.model_signing_directory(settings)):
        with step("Reference verifier of model signatures", log) as current:
            python_tools.install_model_signing(settings, current)
    if not python_tools.is_complete(python_tools.croissant_directory(settings)):
        with step("Reference validator of data cards", log) as current:
            python_tools.install_croissant(settings, current)
    if not python_tools.is_complete(python_tools.sklearn_onnx_directory(settings)):
        with step("scikit-learn with its exporter to ONNX", log) as current:
            python_tools.install_sklearn_onnx(settings, current)
    if not python_tools.is_complete(python_tools.api_clients_directory(settings)):
        with step("Public clients of the inference API", log) as current:
            python_tools.install_api_clients(settings, current)
    if not python_tools.is_complete(python_tools.syft_directory(settings)):
        with step("Syft", log) as current:
            python_tools.install_syft(settings, current)
    if not python_tools.is_complete(python_tools.chat_model_directory(settings)):
        with step("Embedded chat model", log) as current:
            python_tools.install_chat_model(settings, current)
    if not node_packages.is_installed(settings):
        with step("npm packages", log) as current:
            node_packages.install(settings, current, node, npm)
    built = addon.addon_directory(settings, tensorflow)
    if not (built / addon.BINDING.name).exists():
        with step("Native TensorFlow addon", log) as current:
            addon.build(settings, current, built, tensorflow, node, npm)
    with step("Check of the native addon", log):
        addon.install(settings, built, tensorflow)
        addon.check(settings, node, addon.library_path(tensorflow, settings.device))
