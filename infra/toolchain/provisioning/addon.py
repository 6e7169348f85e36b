"""The native TensorFlow.js addon: built once into the cache, then copied into each checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from .progress import Step
from .settings import TOOLCHAIN, Settings, SetupError, digest

PACKAGE = Path("node_modules") / "@tensorflow" / "tfjs-node-gpu"
BINDING = Path("lib") / "napi-v8" / "tfjs_binding.node"
LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_framework.so.2")
# The names that the linker is asked for.
LINK_NAMES = {"libtensorflow.so": LIBRARIES[0], "libtensorflow_framework.so": LIBRARIES[1]}

CHECK = """
const util = require('node:util');
util.isNullOrUndefined ??= (v) => v == null;
util.isArray ??= Array.isArray;
const tf = require('@tensorflow/tfjs-node-gpu');
tf.tidy(() => tf.matMul(tf.ones([2, 2]), tf.ones([2, 2])).dataSync());
if (tf.getBackend() !== 'tensorflow') throw new Error('backend is ' + tf.getBackend());
"""


def addon_directory(settings: Settings, tensorflow: Path) -> Path:
    """Keyed by all it is made from: its sources, TensorFlow, and the Node that requirements.lock pins."""
    lock = json.loads((settings.checkout / "package-lock.json").read_text())
    package = lock["packages"][PACKAGE.as_posix()]
    key = digest(package["version"], package["integrity"], tensorflow.name, TOOLCHAIN / "requirements.lock")
    return settings.cache / f"addon-{key}"


def compiler() -> str:
    chosen = os.environ.get("CXX") or next((c for c in ("g++", "c++", "clang++") if shutil.which(c)), None)
    if chosen is None:
        raise SetupError("no C++ compiler: run make setup again once there is one")
    return chosen


def build(settings: Settings, step: Step, target: Path, tensorflow: Path, node: Path, npm: Path) -> None:
    """Builds from a copy of the package, so that an interrupted build leaves the checkout alone."""
    work = target.with_suffix(".build")
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(settings.checkout / PACKAGE, work, ignore=shutil.ignore_patterns("node_modules", "build", "deps"))
    link_libraries(work, tensorflow)
    (work / "deps" / "include").symlink_to(tensorflow / "tensorflow" / "include")
    node_home = node.parent.parent
    node_gyp = npm.parent.parent / "node_modules" / "node-gyp" / "bin" / "node-gyp.js"
    step.run(
        [
            *(node, node_gyp, "rebuild", f"--nodedir={node_home}"),
            *("--module_name=tfjs_binding", f"--module_path={work / BINDING.parent}"),
            *("--napi_build_version=8", "--napi_version=9", f"--jobs={os.cpu_count() or 1}"),
        ],
        {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}", "CXX": compiler()},
        cwd=work,
    )
    target.mkdir(exist_ok=True)
    os.replace(work / BINDING, target / BINDING.name)
    shutil.rmtree(work)


def link_libraries(package: Path, tensorflow: Path) -> None:
    """The addon looks for TensorFlow in `deps/lib` of its package."""
    folder = package / "deps" / "lib"
    shutil.rmtree(folder.parent, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in LIBRARIES:
        (folder / name).symlink_to(tensorflow / "tensorflow" / name)
    for name, library in LINK_NAMES.items():
        (folder / name).symlink_to(library)


def install(settings: Settings, built: Path, tensorflow: Path) -> None:
    package = settings.checkout / PACKAGE
    link_libraries(package, tensorflow)
    (package / BINDING).parent.mkdir(parents=True, exist_ok=True)
    # Replaced, not overwritten: a process that has the former file mapped would die of SIGBUS.
    fresh = (package / BINDING).with_suffix(".new")
    shutil.copyfile(built / BINDING.name, fresh)
    os.replace(fresh, package / BINDING)


def library_path(tensorflow: Path, device: str) -> list[str]:
    """The CUDA wheel finds its libraries by $ORIGIN, which does not follow the links above."""
    if device == "cpu":
        return []
    folders = [tensorflow / "tensorflow", *sorted((tensorflow / "nvidia").glob("*/lib"))]
    return [str(folder) for folder in folders]


def check(settings: Settings, node: Path, libraries: list[str]) -> None:
    """Loads the addon and multiplies two matrices; raises SetupError with TensorFlow's own words when it cannot."""
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "1"}
    if libraries:
        env["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    done = subprocess.run(
        [str(node), "--no-warnings", "-e", CHECK],
        cwd=settings.checkout,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0:
        raise SetupError(f"the native TensorFlow addon does not load:\n{done.stderr.strip()[-3000:]}")
