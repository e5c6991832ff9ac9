# SPDX-License-Identifier: Apache-2.0
"""What is run beside the cases of the matrix. Each part gives a line that says how it went."""

import subprocess

from . import packages
from .process import HERE, need


def nodes(setting, _):
    """grpcio and grpc-js against a cluster of three real nodes."""
    packages.python(setting)
    packages.node(setting)
    return script(setting, "python node")


def grpcurl(setting, _):
    """grpcurl lists, describes and calls a node, and knows nothing but its address."""
    return script(setting, "grpcurl")


def h2spec(setting, _):
    """Every case of h2spec against the HTTP/2 engine."""
    need("go", version_flag="version")
    return script(setting, "h2spec")


def script(setting, peers):
    done = subprocess.run([HERE / "nodes.sh", setting.bin, peers], stdin=subprocess.DEVNULL, check=False)
    return "passed" if done.returncode == 0 else f"FAILED with {done.returncode}"


ALL = {"nodes": nodes, "grpcurl": grpcurl, "h2spec": h2spec}
