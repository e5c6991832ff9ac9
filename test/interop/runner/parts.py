# SPDX-License-Identifier: Apache-2.0
"""What is run beside the cases of the matrix. Each part gives a line that says how it went."""

import json
import subprocess
import threading

from . import matrix, packages, peers
from .memory import Memory
from .process import HERE, end, free_port, need, run


def nodes(setting, _):
    """grpcio and grpc-js against a cluster of three real nodes."""
    packages.python(setting)
    packages.node(setting)
    return script(setting, "nodes", [HERE / "nodes.sh", setting.bin, "python node"])


def nodes_grpcurl(setting, _):
    """grpcurl lists, describes and calls a node, and knows nothing but its address."""
    built_grpcurl(setting)
    return script(setting, "nodes-grpcurl", [HERE / "nodes.sh", setting.bin, "grpcurl"])


def services(setting, _):
    """Health, reflection and error details with grpcio's packages for them; `gaggle call` with its server."""
    python, generated = peers.Grpcio().build(setting)
    return script(setting, "services",
                  [python, HERE / "python" / "services.py", setting.bin, setting.certificates(), generated])


def h2spec(setting, _):
    """Every case of h2spec against the HTTP/2 engine."""
    program = packages.go(setting, "h2spec", HERE.parent / "h2spec", "github.com/summerwind/h2spec/cmd/h2spec",
                          at_least=None)
    return script(setting, "h2spec", [HERE / "h2spec.sh", program, setting.bin])


def h2specd(setting, _):
    """Every case of h2specd: the HTTP/2 engine as a client, against a server that misbehaves."""
    program = packages.go(setting, "h2specd", HERE.parent / "h2spec", "github.com/summerwind/h2spec/cmd/h2specd",
                          at_least=None)
    return script(setting, "h2specd", [HERE / "h2specd.py", program, setting.bin])


def script(setting, name, command):
    code, out = run(command, 240)
    log = setting.keep(name, script=out)
    if code == 0:
        print("   " + "\n   ".join(out.strip().splitlines()[-6:]))
        return "passed"
    print(matrix.indented(name, out, lines=60))
    return f"FAILED: {'no end' if code is None else f'exit code {code}'}; all that it printed: {log}"


HTTP2_CASES = ["goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "max_streams",
               "data_frame_padding", "no_df_padding_sanity_test"]


def http2(setting, _):
    """gRPC's negative HTTP/2 cases: our client against a server that misbehaves."""
    python = packages.python(setting)
    failed = []
    for case in HTTP2_CASES:
        server = setting.start([python, HERE / "http2" / "server.py", case], stdin=subprocess.PIPE)
        client = [setting.bin / "gaggle_interop_client", "--server_host=127.0.0.1", f"--server_port={server.port}"]
        results, out = matrix.run_cases([*client, f"--test_case={case}"], [case])
        why = results[case]
        server.process.stdin.write(b"verdict\n")
        server.process.stdin.close()
        server.process.wait(10)
        verdict = server.tail().splitlines()[-1]
        good = why is None and verdict == "good"
        print(f"{'ok     ' if good else 'FAILED '} {case}" + ("" if good else f": {why}; the server: {verdict}"))
        if not good:
            failed.append(case)
            print(matrix.indented("the client", out), matrix.indented("the server", server.tail()), sep="\n")
    return f"FAILED: {' '.join(failed)}" if failed else f"passed, {len(HTTP2_CASES)} cases"


class Etcd:
    """An etcd on ports and data of its own; started again, it has both as before."""

    def __init__(self, setting):
        need("etcd")
        self.setting, self.data = setting, setting.work / f"etcd-{free_port()}"
        self.port, self.peer_port = free_port(), free_port()
        self.start()

    def start(self):
        client, peer = (f"http://127.0.0.1:{port}" for port in (self.port, self.peer_port))
        self.server = self.setting.start(
            ["etcd", "--data-dir", self.data, "--listen-client-urls", client, "--advertise-client-urls", client,
             "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}"],
            self.port)

    def crash(self):
        end(self.server.process)
        self.start()

    def client(self, seconds, *flags):
        return [self.setting.bin / "gaggle_interop_etcd", f"--endpoint=127.0.0.1:{self.port}", f"--seconds={seconds}",
                *flags]


def etcd(setting, seconds):
    """Our client on a real etcd: KV, Lease keepalive, Watch, with silences longer than the keepalive time."""
    server, seconds = Etcd(setting), seconds or 20
    return ran("etcd", setting, server.client(seconds), lambda: server.server, seconds, watched="client")


def etcd_restart(setting, seconds):
    """The same with an etcd that is killed and started again, every five seconds or so."""
    server, seconds = Etcd(setting), seconds or 20
    restarts = max(1, seconds // 10)
    stopping = threading.Event()

    def crash_now_and_then():
        for _ in range(restarts):
            if stopping.wait(seconds / (restarts + 1)):
                return
            server.crash()

    crashes = threading.Thread(target=crash_now_and_then, daemon=True)
    try:
        return ran("etcd-restart", setting, server.client(seconds, f"--restarts={restarts}"), lambda: server.server,
                   seconds, watched="client", started=crashes.start)
    finally:
        stopping.set()
        if crashes.ident is not None:
            crashes.join()


def stress(setting, seconds):
    """grpc-go's stress client: four connections with two callers each, all kinds of call at random."""
    program = packages.go(setting, "stress", HERE / "go", "google.golang.org/grpc/interop/stress/client")
    server = matrix.our_server(setting, None)
    seconds = seconds or 15
    cases = ("empty_unary:20,large_unary:10,client_streaming:10,server_streaming:10,ping_pong:10,empty_stream:10,"
             "custom_metadata:5,cancel_after_first_response:5,timeout_on_sleeping_server:5")
    return ran("stress", setting, [program, f"--server_addresses=127.0.0.1:{server.port}", f"--test_cases={cases}",
                f"--test_duration_secs={seconds}", "--num_channels_per_server=4", "--num_stubs_per_channel=2",
                f"--metrics_port={free_port()}"], lambda: server, seconds, watched="server")


def built_grpcurl(setting):
    return packages.go(setting, "grpcurl", HERE / "tools", "github.com/fullstorydev/grpcurl/cmd/grpcurl")


def grpcurl(setting, _):
    """grpcurl finds out by reflection what our server has, and calls it."""
    program = built_grpcurl(setting)
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
        code, out = run([program, "-plaintext", *words], 30)
        if code != 0 or wanted not in out:
            print(matrix.indented("grpcurl", out), matrix.indented("the server", server.tail()), sep="\n")
            return f"FAILED: {name}"
        print(f"ok      {name}")
    return "passed" if server.stop() else f"FAILED: the server died: {server.tail()}"


def ghz(setting, _):
    """ghz loads our server, which it knows by reflection."""
    program = packages.go(setting, "ghz", HERE / "ghz", "github.com/bojand/ghz/cmd/ghz")
    server = matrix.our_server(setting, None)
    code, out = run([program, "--insecure", "-n", "20000", "-c", "50", "--connections", "4", "-O", "json", "--call",
                     "grpc.testing.TestService/UnaryCall", "-d", '{"response_size":100}',
                     f"127.0.0.1:{server.port}"], 120)
    if code != 0:
        print(matrix.indented("ghz", out), matrix.indented("the server", server.tail()), sep="\n")
        return f"FAILED: exit code {code}"
    report = json.loads(out)
    print(f"{report['count']} calls, {report['rps']:.0f} a second, statuses {report['statusCodeDistribution']}")
    if report["statusCodeDistribution"] != {"OK": 20000}:
        return "FAILED: not all calls ended with OK"
    return "passed" if server.stop() else f"FAILED: the server died: {server.tail()}"


def ran(name, setting, command, server, seconds, watched, started=lambda: None):
    """Runs a client for so long. The memory of our program, `watched`, mustn't have grown at the end."""
    looking = []

    def begun(client):
        looking.append(Memory((client if watched == "client" else server().process).pid, seconds))
        started()

    code, out = run(command, seconds + 60, begun)
    memory = looking[0].stop()
    stopped = server().stop()
    log = setting.keep(name, client=out, server=server().tail(1_000_000))
    print(f"   memory of our {watched}: {memory}")
    if code == 0 and stopped and not memory.grew():
        said = out[-600:].strip().splitlines()
        if watched == "server":
            said += server().tail(300).strip().splitlines()[-1:]
        print("   " + "\n   ".join(said))
        return f"passed; {watched} memory {memory}"
    print(matrix.indented("the client", out), matrix.indented("the server", server().tail()), f"   all of it: {log}",
          sep="\n")
    if code != 0:
        return f"FAILED: no end after {seconds + 60} s" if code is None else f"FAILED: exit code {code}"
    return "FAILED: its memory grew" if stopped else "FAILED: the server died, or didn't stop when it was asked to"


ALL = {"nodes": nodes, "nodes-grpcurl": nodes_grpcurl, "services": services, "h2spec": h2spec, "h2specd": h2specd,
       "http2": http2, "grpcurl": grpcurl, "ghz": ghz, "etcd": etcd, "etcd-restart": etcd_restart, "stress": stress}
