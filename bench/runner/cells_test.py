# SPDX-License-Identifier: Apache-2.0
import unittest

from runner import cells, peers


class Cells(unittest.TestCase):
    def test_there_are_thirty_corners(self):
        self.assertEqual(len(cells.CORNERS), 30)

    def test_a_name_means_one_cell(self):
        names = [cell.name for cell in cells.ALL]
        self.assertEqual(len(names), len(set(names)))

    def test_what_is_in_flight_fits_into_a_gibibyte(self):
        for cell in cells.ALL:
            self.assertLessEqual(cell.in_flight * cell.payload, cells.MOST_BYTES_IN_FLIGHT, cell.name)

    def test_a_cell_of_an_axis_varies_one_factor(self):
        factors = ("connections", "streams", "payload", "kind", "tls", "timeout_ms", "errors_per_mille")
        for cell in cells.AXES:
            varied = [factor for factor in factors if getattr(cell, factor) != getattr(cells.BASE, factor)]
            self.assertLessEqual(len(varied), 1, cell.name)

    def test_h2load_is_only_asked_for_what_it_can_do(self):
        for cell in cells.ALL:
            if cell.load == "h2load":
                self.assertEqual((cell.kind, cell.timeout_ms, cell.errors_per_mille), ("unary", 0, 0), cell.name)

    def test_we_are_in_every_cell_and_somebody_else_too(self):
        for cell in cells.ALL:
            offering = [peer.name for peer in peers.PEERS if peer.offers(cell)]
            self.assertIn(cells.OURS, offering, cell.name)
            self.assertGreater(len(offering), 1, cell.name)

    def test_peers_of_cells_exist(self):
        known = {peer.name for peer in peers.PEERS}
        for cell in cells.ALL:
            self.assertLessEqual(set(cell.peers), known, cell.name)


if __name__ == "__main__":
    unittest.main()
