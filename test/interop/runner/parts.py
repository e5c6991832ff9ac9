# SPDX-License-Identifier: Apache-2.0
"""What is run beside the cases of the matrix. Each part gives a line that says how it went."""

import json
import subprocess

from . import matrix, packages
from .process import HERE, build_command, free_port, need


def nodes(setting, _):
    """grpcio and grpc-js against a cluster of three real nodes."""
    packages.python(setting)
    packages.node(setting)
    return script(setting, "python node")


def nodes_grpcurl(setting, _):
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


def etcd(setting, seconds):
    """Our client on a real etcd: KV, Lease keepalive, Watch, with silences longer than the keepalive time."""
    need("etcd")
    data = setting.work / "etcd"
    client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    port = int(client.rpartition(":")[2])
    server = setting.start(["etcd", "--data-dir", data, "--listen-client-urls", client, "--advertise-client-urls", client,
                            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                            "--initial-cluster", f"default={peer}"], port)
    seconds = seconds or 20
    return ran([setting.bin / "gaggle_interop_etcd", f"--endpoint=127.0.0.1:{port}", f"--seconds={seconds}"],
               server, seconds + 60)


def stress(setting, seconds):
    """grpc-go's stress client: four connections with two callers each, all kinds of call at random."""
    need("go", (1, 21), "version", nowhere=True)

    def build(folder):
        build_command(["go", "build", "-o", folder / "stress", "google.golang.org/grpc/interop/stress/client"],
                      cwd=HERE / "go")

    program = setting.built("stress", [HERE / "go" / "go.sum"], build) / "stress"
    server = matrix.our_server(setting, None)
    seconds = seconds or 15
    cases = ("empty_unary:20,large_unary:10,client_streaming:10,server_streaming:10,ping_pong:10,empty_stream:10,"
             "custom_metadata:5,cancel_after_begin:5,cancel_after_first_response:5,timeout_on_sleeping_server:5")
    return ran([program, f"--server_addresses=127.0.0.1:{server.port}", f"--test_cases={cases}",
                f"--test_duration_secs={seconds}", "--num_channels_per_server=4", "--num_stubs_per_channel=2",
                f"--metrics_port={free_port()}"], server, seconds + 60)


def grpcurl(setting, _):
    """grpcurl finds out by reflection what our server has, and calls it."""
    need("go", (1, 21), "version", nowhere=True)

    def build(folder):
        build_command(["go", "build", "-o", folder / "grpcurl", "github.com/fullstorydev/grpcurl/cmd/grpcurl"],
                      cwd=HERE / "tools")

    program = setting.built("grpcurl", [HERE / "tools" / "go.sum"], build) / "grpcurl"
    server = matrix.our_server(setting, None)
    service = "grpc.testing.TestService"
    address = f"127.0.0.1:{server.port}"
    pings = '{"response_parameters":[{"size":3}]} {"response_parameters":[{"size":4}]}'
    for name, words, wanted in (
            ("list", [address, "list"], service),
            ("describe", [address, "describe", service], "rpc FullDuplexCall ( stream .grpc.testing.Streaming"),
            ("unary", ["-d", '{"response_size":3}', address, f"{service}/UnaryCall"], '"AAAA"'),
            ("server streaming", ["-d", '{"response_parameters":[{"size":3}]}', address,
                                  f"{service}/StreamingOutputCall"], '"AAAA"'),
            ("client streaming", ["-d", '{"payload":{"body":"AAAA"}} {"payload":{"body":"AAAA"}}', address,
                                  f"{service}/StreamingInputCall"], '"aggregated_payload_size": 6'),
            ("bidirectional", ["-d", pings, address, f"{service}/FullDuplexCall"], '"AAAAAA=="')):
        done = subprocess.run([program, "-plaintext", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=30, check=False)
        if done.returncode != 0 or wanted not in done.stdout:
            return f"FAILED {name}: {done.stdout[-300:]}{done.stderr[-300:]}"
        print(f"ok      {name}")
    return "passed" if server.stop() else f"FAILED: the server died: {server.tail()}"


def ghz(setting, _):
    """ghz loads our server, which it knows by reflection."""
    need("go", (1, 21), "version", nowhere=True)

    def build(folder):
        build_command(["go", "build", "-o", folder / "ghz", "github.com/bojand/ghz/cmd/ghz"], cwd=HERE / "ghz")

    program = setting.built("ghz", [HERE / "ghz" / "go.sum"], build) / "ghz"
    server = matrix.our_server(setting, None)
    done = subprocess.run([program, "--insecure", "-n", "20000", "-c", "50", "--connections", "4", "-O", "json",
                           "--call", "grpc.testing.TestService/UnaryCall", "-d", '{"response_size":100}',
                           f"127.0.0.1:{server.port}"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != 0:
        return f"FAILED: {done.stderr[-500:]}"
    report = json.loads(done.stdout)
    print(f"{report['count']} calls, {report['rps']:.0f} a second, statuses {report['statusCodeDistribution']}")
    if report["statusCodeDistribution"] != {"OK": 20000}:
        return "FAILED: not all calls ended with OK"
    return "passed" if server.stop() else f"FAILED: the server died: {server.tail()}"


def ran(command, server, seconds):
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"FAILED: no end after {seconds} s"
    print(done.stdout[-600:].rstrip())
    if done.returncode != 0:
        return f"FAILED with {done.returncode}"
    return "passed" if server.stop() else f"FAILED: the server died: {server.tail()}"


ALL = {"nodes": nodes, "nodes-grpcurl": nodes_grpcurl, "h2spec": h2spec, "http2": http2,
       "grpcurl": grpcurl, "ghz": ghz, "etcd": etcd, "stress": stress}
