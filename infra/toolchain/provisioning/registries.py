"""Hands the user's pip settings to uv, which does not read them. Nothing is set here that the user did not set."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

# pip's setting → uv's variable.
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
SEPARATORS = {"UV_FIND_LINKS": ","}
# Older names of the same uv settings: where the user has one of them, pip's value must not override it.
SYNONYMS = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}


def pip_settings(python: Path, env: dict[str, str]) -> dict[str, str]:
    """Effective settings: the environment wins over `[install]`, which wins over `[global]`."""
    listed = subprocess.run(
        [str(python), "-m", "pip", "config", "list"], capture_output=True, text=True, env=env, check=False
    )
    found: dict[str, tuple[int, str]] = {}
    order = {"global": 0, "install": 1, ":env:": 2}
    for line in listed.stdout.splitlines():
        name, separator, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if not separator or section not in order:
            continue
        if key not in found or found[key][0] <= order[section]:
            found[key] = (order[section], str(ast.literal_eval(value)))
    return {key: value for key, (_, value) in found.items()}


def uv_environment(python: Path, cache: Path) -> dict[str, str]:
    """The environment for uv: the user's, with what pip knows about registries added."""
    env = dict(os.environ)
    env.setdefault("UV_CACHE_DIR", str(cache / "uv"))
    # uv would look for interpreters of its own to download.
    env["UV_PYTHON_DOWNLOADS"] = "never"
    for key, value in pip_settings(python, dict(os.environ)).items():
        variable = VARIABLES.get(key)
        if variable is None or variable in os.environ or SYNONYMS.get(variable, variable) in os.environ:
            continue
        env[variable] = SEPARATORS.get(variable, " ").join(value.split())
    return env
