# SPDX-License-Identifier: Apache-2.0
"""Packages of other languages, fetched once by their ordinary clients."""

import shutil
import sys

from .process import HERE, build_command, need


def python(setting):
    """The interpreter of an environment that has python/requirements.txt."""
    wanted = HERE / "python" / "requirements.txt"

    def install(folder):
        build_command([sys.executable, "-m", "venv", folder])
        build_command([folder / "bin" / "pip", "-q", "install", "-r", wanted])

    return setting.built("python", [wanted], install) / "bin" / "python"


def node(setting):
    """The node_modules of node/package.json."""
    need("node", (16, 0))
    need("npm")
    wanted = HERE / "node" / "package.json"

    def install(folder):
        shutil.copy(wanted, folder)
        build_command(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=folder)

    return setting.built("node", [wanted], install) / "node_modules"
