# SPDX-License-Identifier: Apache-2.0
"""Runs the interoperability cases between a peer and our programs, and prints what came out."""

import re
import subprocess
import time

CASES = [
    "empty_unary", "large_unary", "client_compressed_unary", "server_compressed_unary", "client_streaming",
    "client_compressed_streaming", "server_streaming", "server_compressed_streaming", "ping_pong", "half_duplex",
    "empty_stream", "custom_metadata", "status_code_and_message", "special_status_message", "unimplemented_method",
    "unimplemented_service", "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server",
    "pick_first_unary", "rpc_soak", "channel_soak", "orca_per_rpc", "orca_oob", "concurrent_large_unary",
]

COMPRESSED = {"client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
              "server_compressed_streaming"}

PASSED, FAILED, ABSENT = "✓", "✗", "–"


class Matrix:
    def __init__(self):
        self.columns = {}  # (peer, direction) → {case: mark}
        self.parts = []  # (name, outcome)
        self.failures = []

    def add(self, peer, direction, case, mark, why=""):
        self.columns.setdefault((peer, direction), {})[case] = mark
        if mark == FAILED:
            self.failures.append(f"{peer} {direction} {case}: {why}")

    def part(self, name, outcome):
        self.parts.append((name, outcome))
        if outcome.startswith("FAILED"):
            self.failures.append(f"{name}: {outcome}")

    def missing(self, name, why, forgiven):
        self.parts.append((name, f"left out: needs {why}" if forgiven else f"MISSING {why}"))
        if not forgiven:
            self.failures.append(f"{name}: needs {why}")

    def report(self):
        if self.columns:
            self._print_columns()
        if self.parts:
            print()
        for name, outcome in self.parts:
            print(f"{name:<12} {outcome}")
        passed = sum(mark == PASSED for column in self.columns.values() for mark in column.values())
        print(f"\n{passed} cases passed, {len(self.failures)} failures")
        for failure in self.failures:
            print(f"FAILED  {failure}")
        return 1 if self.failures or not (self.columns or self.parts) else 0

    def _print_columns(self):
        peers = list(dict.fromkeys(peer for peer, _ in self.columns))
        print(f"\n{PASSED} passed   {FAILED} failed   {ABSENT} the peer doesn't have it")
        print("c: the peer's client, our server   s: our client, the peer's server   C, S: the same over TLS\n")
        width = {peer: max(8, len(peer) + 1) for peer in peers}
        print(" " * 28 + "".join(f"{peer:<{width[peer]}}" for peer in peers))
        print(" " * 28 + "".join(f"{'c s C S':<{width[peer]}}" for peer in peers))
        for case in CASES:
            cells = []
            for peer in peers:
                marks = (self.columns.get((peer, direction), {}).get(case, ABSENT) for direction in "csCS")
                cells.append(f"{' '.join(marks):<{width[peer]}}")
            print(f"{case:<28}" + "".join(cells).rstrip())


def server_tls_flags(certificates):
    if not certificates:
        return []
    return ["--use_tls=true", f"--tls_cert_file={certificates / 'server1.pem'}",
            f"--tls_key_file={certificates / 'server1.key'}"]


def our_server(setting, certificates):
    return setting.start([setting.bin / "gaggle_interop_server", "--port=0", *server_tls_flags(certificates)])


def our_client(setting, port, cases, certificates):
    command = [setting.bin / "gaggle_interop_client", "--server_host=127.0.0.1", f"--server_port={port}",
               f"--test_case={','.join(cases)}", "--soak_per_iteration_max_acceptable_latency_ms=5000",
               "--soak_overall_timeout_seconds=60"]
    if certificates:
        command += tls_flags(certificates)
    return command


def tls_flags(certificates):
    from .process import NAME
    return ["--use_tls=true", "--use_test_ca=true", f"--ca_file={certificates / 'ca.pem'}",
            f"--server_host_override={NAME}"]


def run_cases(command, cases, seconds=240):
    """Runs a client that prints a line per case; gives {case: why it failed, or None}."""
    begin = time.monotonic()
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace", timeout=seconds, check=False)
        out, ended = done.stdout, f"the client ended with {done.returncode}"
    except subprocess.TimeoutExpired as error:
        out, ended = (error.stdout or b"").decode(errors="replace"), f"no end after {time.monotonic() - begin:.0f} s"
    results = {}
    for case in cases:
        line = re.search(rf"^(ok|FAILED) {case}\b:? ?(.*)$", out, re.MULTILINE)
        if line is None:
            results[case] = f"{ended}; {out[-700:]}"
        else:
            results[case] = None if line[1] == "ok" else line[2] or out[-700:]
    return results


def run_each(command_of, cases, seconds=60):
    """The same with a client that runs one case and says by its exit code how it went."""
    results = {}
    for case in cases:
        try:
            done = subprocess.run([str(word) for word in command_of(case)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                  timeout=seconds, check=False)
            results[case] = None if done.returncode == 0 else f"exit code {done.returncode}; {done.stdout[-700:]}"
        except subprocess.TimeoutExpired:
            results[case] = f"no end after {seconds} s"
    return results


def record(table, peer, direction, server, results):
    alive = server.stop()
    for case, why in results.items():
        table.add(peer, direction, case, PASSED if why is None else FAILED, why or "")
        if why is not None:
            print(f"✗ {direction} {case}: {why}", flush=True)
    good = sum(why is None for why in results.values())
    print(f"   {direction}: {good} of {len(results)} cases passed", flush=True)
    if not alive:
        table.add(peer, direction, "(the server)", FAILED, f"it died or didn't stop: {server.tail()}")


def run(setting, peer, table):
    built = peer.build(setting)
    for tls in (False, True) if peer.tls else (False,):
        certificates = peer.certificates(setting, built) if tls else None
        cases = [case for case in CASES if case in peer.client_cases]
        if cases:
            server = our_server(setting, certificates)
            try:
                results = peer.run_client(setting, built, server.port, cases, certificates)
            except BaseException:
                server.stop()
                raise
            record(table, peer.name, "C" if tls else "c", server, results)
        cases = [case for case in CASES if case in peer.server_cases]
        if cases:
            server = peer.start_server(setting, built, certificates)
            results = run_cases(our_client(setting, server.port, cases, certificates), cases)
            record(table, peer.name, "S" if tls else "s", server, results)
