# SPDX-License-Identifier: Apache-2.0
"""origin.py FILE: the database behind the interop cluster; the clients know what is in it."""

import sqlite3
import sys

with sqlite3.connect(sys.argv[1]) as db:
    db.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB)")
    rows = [("Tom", b"630"), ("Jack", b"589"), ("empty", b""), ("Gr\u00fc\u00dfe", "sch\u00f6n".encode())]
    rows += [(f"key-{i}", f"value of {i}".encode()) for i in range(1000)]
    rows += [("all-bytes", bytes(range(256))), ("mebibyte", bytes(i * 7 % 251 for i in range(1 << 20)))]
    rows += [("too-large", bytes(5 << 20))]
    db.executemany("INSERT INTO t VALUES (?, ?)", rows)
