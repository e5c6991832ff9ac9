# SPDX-License-Identifier: Apache-2.0
import unittest
import xml.dom.minidom

from runner import cells, instructions, plots, report, targets, wire


def sample(server_us, per_second=1000.0):
    return {"operations": 100, "per_second": per_second, "server_us": server_us, "load_us": 1.0,
            "latency_us": {"p50": 10.0, "p90": 11.0, "p99": 20.0, "p99.9": 30.0, "max": 40.0}}


def document(**measured):
    return {"setting": {"machine": "a"}, "cells": {}, "counts": {}, "latency": {}, "overload": {}, "idle_bytes": {},
            "stream_bytes": {}, "failures": [], **measured}


class Report(unittest.TestCase):
    def test_ratios_are_taken_within_rounds(self):
        # The second round was slow for both: the ratio is the same in each.
        measured = document(cells={"base": {cells.OURS: [sample(1), sample(3)], "grpc++ CQ": [sample(10), sample(30)]}})
        self.assertAlmostEqual(targets.cpu("base", "grpc++ CQ")(measured), 0.1)

    def test_what_was_not_measured_meets_no_target(self):
        self.assertTrue(all(value is None for _, value in targets.outcomes(document())))

    def test_a_cell_where_grpcpp_is_faster_is_a_hole(self):
        cell = {cells.OURS: [sample(2, 500)], "grpc++ CQ": [sample(1, 1000)], "nghttp2": [sample(0.5, 2000)]}
        found = targets.holes(document(cells={"base": cell}))
        self.assertEqual(len(found), 2, "CPU and rate; nghttp2 isn't grpc++")
        better = {cells.OURS: [sample(1, 1000)], "grpc++ CQ": [sample(2, 500)]}
        self.assertEqual(targets.holes(document(cells={"base": better})), [])

    def test_a_missed_target_is_said(self):
        text = report.markdown(document(idle_bytes={cells.OURS: 3 * 1024}, stream_bytes={cells.OURS: 100}))
        self.assertIn("| KiB per idle connection | ≤ 2 | ≤ 1 | 3 | **missed** |", text)
        self.assertIn("| KiB per idle open stream | ≤ 1.5 | ≤ 0.8 | 0.0977 | aim met |", text)

    def test_plots_are_xml(self):
        names = [cell.name for cell in cells.AXES]
        measured = document(cells={name: {cells.OURS: [sample(1)], "grpc-go": [sample(40)]} for name in names})
        drawn = plots.all_plots(measured)
        self.assertEqual(set(drawn), {"connections", "streams", "payload"})
        for svg in drawn.values():
            xml.dom.minidom.parseString(svg)

    def test_three_per_cent_more_instructions_fail(self):
        self.assertFalse(instructions.verdict(1029, 1000)[1])
        self.assertTrue(instructions.verdict(1031, 1000)[1])
        self.assertFalse(instructions.verdict(500, 1000)[1])

    def test_messages_are_protobuf(self):
        self.assertEqual(wire.payload_message(b""), bytes(5))
        self.assertEqual(wire.payload_message(b"ab"), bytes([0, 0, 0, 0, 4, 0x0a, 2]) + b"ab")
        self.assertEqual(wire.payload_message(b"x" * 300)[:8], bytes([0, 0, 0, 1, 0x2f, 0x0a, 0xac, 2]))


if __name__ == "__main__":
    unittest.main()
