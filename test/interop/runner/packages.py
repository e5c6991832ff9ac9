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
        build_command(["npm", "install", "--loglevel=error", "--no-audit", "--no-fund",
                       "--fetch-retries=1"], cwd=folder)

    return setting.built("node", [wanted], install) / "node_modules"


def go(setting, name, module, package, at_least=(1, 21)):
    """The program `name`: a package of those that the go.mod in `module` pins."""
    need("go", at_least, "version", nowhere=at_least is not None)

    def build(folder):
        build_command(["go", "build", "-o", folder / name, package], cwd=module)

    return setting.built(name, [module / "go.sum"], build) / name
