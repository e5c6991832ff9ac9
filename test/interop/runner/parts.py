# SPDX-License-Identifier: Apache-2.0
"""What is run beside the cases of the matrix. Each part gives a line that says how it went."""

import subprocess

from . import matrix, packages
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


HTTP2_CASES = ["goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "max_streams",
               "data_frame_padding", "no_df_padding_sanity_test"]


def http2(setting, _):
    """gRPC's negative HTTP/2 cases: our client against a server that misbehaves."""
    python = packages.python(setting)
    failed = []
    for case in HTTP2_CASES:
        server = setting.start([python, HERE / "http2" / "server.py", case], stdin=subprocess.PIPE)
        client = [setting.bin / "gaggle_interop_client", "--server_host=127.0.0.1", f"--server_port={server.port}"]
        why = matrix.run_cases([*client, f"--test_case={case}"], [case])[case]
        server.process.stdin.write(b"verdict\n")
        server.process.stdin.close()
        server.process.wait(10)
        verdict = server.tail().splitlines()[-1]
        good = why is None and verdict == "good"
        print(f"{'ok     ' if good else 'FAILED '} {case}" + ("" if good else f": {why}; the server: {verdict}"))
        if not good:
            failed.append(case)
    return f"FAILED {' '.join(failed)}" if failed else f"passed, {len(HTTP2_CASES)} cases"


ALL = {"nodes": nodes, "grpcurl": grpcurl, "h2spec": h2spec, "http2": http2}
