# SPDX-License-Identifier: Apache-2.0
"""What came out: the matrix of peers and cases, how long each took, and every failure."""

CASES = [
    "empty_unary", "large_unary", "client_compressed_unary", "server_compressed_unary", "client_streaming",
    "client_compressed_streaming", "server_streaming", "server_compressed_streaming", "ping_pong", "half_duplex",
    "empty_stream", "custom_metadata", "status_code_and_message", "special_status_message", "unimplemented_method",
    "unimplemented_service", "cancel_after_begin", "cancel_after_first_response", "timeout_on_sleeping_server",
    "pick_first_unary", "rpc_soak", "channel_soak", "orca_per_rpc", "orca_oob", "concurrent_large_unary",
]

PASSED, FAILED, ABSENT = "✓", "✗", "–"


class Report:
    def __init__(self):
        self.columns = {}  # (peer, direction) → {case: why it failed, or None}
        self.seconds = {}  # (peer, direction) → seconds
        self.outcomes = []  # (peer or part, outcome, seconds, seconds for building)
        self.failures = []
        self.left_out = []

    def add(self, peer, direction, results, seconds):
        self.columns[peer, direction] = results
        self.seconds[peer, direction] = seconds
        for case, why in results.items():
            if why is not None:
                self.failures.append(f"{peer} {direction} {case}: {why.splitlines()[0]}")

    def ended(self, name, outcome, seconds, build_seconds):
        """`outcome` of a part, or of a peer that couldn't be run; None: its columns say how it went."""
        self.outcomes.append((name, outcome or self._of_columns(name), seconds, build_seconds))
        if outcome and outcome.startswith("FAILED"):
            self.failures.append(f"{name}: {outcome.removeprefix('FAILED: ').splitlines()[0]}")
        if outcome and outcome.startswith("left out"):
            self.left_out.append(name)

    def print(self, seconds):
        """Gives the exit code."""
        if self.columns:
            self._print_columns()
        print(f"\n{'':<14}{'seconds':>8}{'building':>9}  outcome")
        for name, outcome, took, building in self.outcomes:
            print(f"{name:<14}{took - building:>8.0f}{building:>9.0f}  {outcome.splitlines()[0]}")
        passed = sum(why is None for results in self.columns.values() for why in results.values())
        print(f"{'total':<14}{seconds:>8.0f}{'':>9}  {passed} cases passed, {len(self.failures)} failures"
              + (f"; left out: {', '.join(self.left_out)}" if self.left_out else ""))
        for failure in self.failures:
            print(f"FAILED  {failure}")
        return 1 if self.failures or not self.outcomes else 0

    def _of_columns(self, peer):
        parts = []
        for direction in "csCS":
            results = self.columns.get((peer, direction))
            if results is not None:
                good = sum(why is None for why in results.values())
                parts.append(f"{direction} {good} of {len(results)} in {self.seconds[peer, direction]:.0f} s")
        bad = any(why is not None for (name, _), results in self.columns.items() if name == peer
                  for why in results.values())
        return ("FAILED: " if bad else "passed: ") + ", ".join(parts)

    def _print_columns(self):
        peers = list(dict.fromkeys(peer for peer, _ in self.columns))
        print(f"\n{PASSED} passed   {FAILED} failed   {ABSENT} the peer doesn't have it (docs/interop.md)")
        print("c: the peer's client, our server   s: our client, the peer's server   C, S: the same over TLS\n")
        width = {peer: max(8, len(peer) + 1) for peer in peers}
        print(" " * 28 + "".join(f"{peer:<{width[peer]}}" for peer in peers))
        print(" " * 28 + "".join(f"{'c s C S':<{width[peer]}}" for peer in peers))
        for case in CASES:
            cells = []
            for peer in peers:
                marks = (self._mark(peer, direction, case) for direction in "csCS")
                cells.append(f"{' '.join(marks):<{width[peer]}}")
            print(f"{case:<28}" + "".join(cells).rstrip())

    def _mark(self, peer, direction, case):
        results = self.columns.get((peer, direction), {})
        if case not in results:
            return ABSENT
        return PASSED if results[case] is None else FAILED
