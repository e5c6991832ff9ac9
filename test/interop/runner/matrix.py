# SPDX-License-Identifier: Apache-2.0
"""Runs the interoperability cases between a peer and our programs."""

import re
import time

from .process import NAME, RUN_SECONDS, limit, run
from .report import CASES

COMPRESSED = {"client_compressed_unary", "server_compressed_unary", "client_compressed_streaming",
              "server_compressed_streaming"}
# For a machine that is shared, and slow now and then; without them an iteration has a second.
SOAK_FLAGS = ["--soak_per_iteration_max_acceptable_latency_ms=5000", "--soak_overall_timeout_seconds=60"]


def server_tls_flags(certificates):
    if not certificates:
        return []
    return ["--use_tls=true", f"--tls_cert_file={certificates / 'server1.pem'}",
            f"--tls_key_file={certificates / 'server1.key'}"]


def our_server(setting, certificates):
    return setting.start([setting.bin / "gaggle_interop_server", "--port=0", *server_tls_flags(certificates)])


def our_client(setting, port, cases, certificates):
    command = [setting.bin / "gaggle_interop_client", "--server_host=127.0.0.1", f"--server_port={port}",
               f"--test_case={','.join(cases)}", *SOAK_FLAGS]
    if certificates:
        command += tls_flags(certificates)
    return command


def tls_flags(certificates):
    return ["--use_tls=true", "--use_test_ca=true", f"--ca_file={certificates / 'ca.pem'}",
            f"--server_host_override={NAME}"]


def run_cases(command, cases, seconds=120):
    """Runs a client that prints a line per case; gives ({case: why it failed, or None}, all that it printed)."""
    code, out = run(command, seconds)
    ended = f"no end after {seconds} s" if code is None else f"the client ended with {code}"
    results = {}
    for case in cases:
        line = re.search(rf"^(ok|FAILED) {case}\b:? ?(.*)$", out, re.MULTILINE)
        if line is None:
            results[case] = f"no word of it: {ended}"
        else:
            results[case] = None if line[1] == "ok" else line[2] or "it doesn't say why"
    return results, out


def run_each(command_of, cases, seconds=60):
    """The same with a client that runs one case and says by its exit code how it went."""
    results, outs = {}, []
    for case in cases:
        code, out = run(command_of(case), seconds)
        outs.append(f"-- {case}\n{out}")
        if code == 0:
            results[case] = None
        else:
            results[case] = (f"no end after {seconds} s" if code is None else f"exit code {code}") + f"\n{out[-1500:]}"
    return results, "\n".join(outs)


def one_direction(setting, peer, table, direction, server, run_client):
    begin = time.monotonic()
    try:
        results, out = run_client(server)
    finally:
        stopped = server.stop()
    logs = setting.keep(f"{peer.name}-{direction}", client=out, server=server.tail(1_000_000))
    if not stopped:
        results["(the server)"] = "it died, or didn't stop when it was asked to"
    failed = {case: why for case, why in results.items() if why is not None}
    for case, why in failed.items():
        print(f"✗ {direction} {case}: {why}", flush=True)
    if failed:
        print(indented("the client", out), indented("the server", server.tail()), f"   all of it: {logs}", sep="\n")
    seconds = time.monotonic() - begin
    table.add(peer.name, direction, results, seconds)
    print(f"   {direction}: {len(results) - len(failed)} of {len(results)} cases passed ({seconds:.0f} s)", flush=True)


def indented(who, text, lines=25):
    shown = text.strip().splitlines()[-lines:] or ["(nothing)"]
    return f"   {who} said:\n" + "\n".join(f"   | {line[:400]}" for line in shown)


def run_peer(setting, peer, table):
    built = peer.build(setting)
    with limit(RUN_SECONDS, f"the cases of {peer.name}"):
        for tls in (False, True) if peer.tls else (False,):
            certificates = peer.certificates(setting, built) if tls else None
            cases = [case for case in CASES if case in peer.client_cases]
            if cases:
                one_direction(setting, peer, table, "C" if tls else "c", our_server(setting, certificates),
                              lambda server: peer.run_client(setting, built, server.port, cases, certificates))
            cases = [case for case in CASES if case in peer.server_cases]
            if cases:
                one_direction(setting, peer, table, "S" if tls else "s",
                              peer.start_server(setting, built, certificates),
                              lambda server: run_cases(our_client(setting, server.port, cases, certificates), cases))
