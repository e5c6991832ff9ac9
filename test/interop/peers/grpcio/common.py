# SPDX-License-Identifier: Apache-2.0
"""The command line of both programs, and the generated modules, which GENERATED has.

protoc puts them into a package `grpc`, as the protos' path says; grpcio's is looked up there too.
"""

import argparse
import os

import grpc

grpc.__path__.append(os.path.join(os.environ["GENERATED"], "grpc"))

from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc  # noqa: E402, F401


def yes(text):
    return text == "true"


def flags(**more):
    parser = argparse.ArgumentParser()
    for name, default in {"use_tls": False, **more}.items():
        parser.add_argument(f"--{name}", default=default, type=yes if default is False else type(default))
    return parser.parse_known_args()[0]
