# SPDX-License-Identifier: Apache-2.0
"""The implementations of gRPC that ours is run against: how each is had, and what it can do."""

import pathlib
import zipfile

from . import matrix, packages
from .process import HERE, NAME, Missing, build_command, environment, free_port, need

COMPRESSED = matrix.COMPRESSED
ORCA = {"orca_per_rpc", "orca_oob"}
EVERY = set(matrix.CASES)
BASIC = EVERY - COMPRESSED - ORCA
PROTOS = sorted((HERE / "proto" / "grpc" / "testing").glob("*.proto"))
ORCA_CONFIG = '{"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}'


class Peer:
    """`client_cases`: what its client runs against our server; `server_cases`: what its server can be asked."""

    name = ""
    tls = True
    client_cases = BASIC
    server_cases = BASIC

    def build(self, setting):
        """Whatever run_client and start_server want to know."""
        raise NotImplementedError

    def certificates(self, setting, built):
        return setting.certificates()

    def run_client(self, setting, built, port, cases, certificates):
        raise NotImplementedError

    def start_server(self, setting, built, certificates):
        raise NotImplementedError


class GrpcGo(Peer):
    """grpc-go's own programs, out of its module."""

    name = "grpc-go"
    # Its client has none of the compressed cases, and no half duplex.
    client_cases = EVERY - COMPRESSED - {"half_duplex", "concurrent_large_unary"}
    # Its server compresses nothing and doesn't say who it is.
    server_cases = EVERY - COMPRESSED - {"pick_first_unary"}

    def build(self, setting):
        need("go", (1, 21), "version", nowhere=True)

        def compile_all(folder):
            for program, package in (("client", "interop/client"), ("server", "interop/server")):
                build_command(["go", "build", "-o", folder / program, f"google.golang.org/grpc/{package}"],
                              cwd=HERE / "go")

        return setting.built("grpc-go", [HERE / "go" / "go.sum"], compile_all)

    def run_client(self, setting, built, port, cases, certificates):
        def command(case):
            words = [built / "client", "--server_host=127.0.0.1", f"--server_port={port}", f"--test_case={case}",
                     *matrix.SOAK_FLAGS]
            if case in ORCA:
                words.append(f"--service_config_json={ORCA_CONFIG}")
            return words + (matrix.tls_flags(certificates) if certificates else [])

        return matrix.run_each(command, cases)

    def start_server(self, setting, built, certificates):
        port = free_port()
        return setting.start([built / "server", f"--port={port}", *matrix.server_tls_flags(certificates)], port)


class GrpcJava(Peer):
    """grpc-java's own programs, on Netty; a small class of ours runs several cases in one JVM."""

    name = "grpc-java"
    transport = []
    client_cases = EVERY - {"half_duplex", "concurrent_large_unary"}
    # Its server doesn't look whether requests are compressed, compresses no streams, and doesn't say who it is.
    server_cases = EVERY - COMPRESSED - {"pick_first_unary"} | {"server_compressed_unary"}

    def build(self, setting):
        need("java", (11, 0), "-version")
        need("javac")
        need("mvn")

        def fetch(folder):
            build_command(["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={folder}"],
                          cwd=HERE / "java")
            build_command(["javac", "-cp", f"{folder}/*", "-d", folder / "classes", HERE / "java" / "Cases.java"])
            with zipfile.ZipFile(next(folder.glob("grpc-testing-[0-9]*.jar"))) as jar:
                jar.extractall(folder, [name for name in jar.namelist() if name.startswith("certs/")])

        return setting.built("grpc-java", [HERE / "java" / "pom.xml", HERE / "java" / "Cases.java"], fetch)

    def certificates(self, setting, built):
        return built / "certs"  # those that its programs have built in

    def java(self, built, main):
        return ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{built}/classes:{built}/*", main]

    def run_client(self, setting, built, port, cases, certificates):
        words = [*self.java(built, "io.grpc.testing.integration.Cases"), ",".join(cases), ORCA_CONFIG,
                 "--server_host=127.0.0.1", f"--server_port={port}", *self.transport, *matrix.SOAK_FLAGS]
        if certificates:
            words += ["--use_tls=true", "--use_test_ca=true", f"--server_host_override={NAME}"]
        else:
            words += ["--use_tls=false"]
        return matrix.run_cases(words, cases)

    def start_server(self, setting, built, certificates):
        port = free_port()
        return setting.start([*self.java(built, "io.grpc.testing.integration.TestServiceServer"), f"--port={port}",
                              f"--use_tls={'true' if certificates else 'false'}"], port)


class GrpcOkHttp(GrpcJava):
    """The same client on OkHttp's HTTP/2, which is another implementation."""

    name = "grpc-okhttp"
    transport = ["--use_okhttp=true"]
    server_cases = set()


class Ours(Peer):
    """A peer written here for a library: a client and a server program that take the same flags as ours."""

    def command(self, built, program):
        raise NotImplementedError

    def run_client(self, setting, built, port, cases, certificates):
        words = [*self.command(built, "client"), f"--server_port={port}", f"--test_case={','.join(cases)}"]
        return matrix.run_cases(words + (matrix.tls_flags(certificates) if certificates else []), cases)

    def start_server(self, setting, built, certificates):
        return setting.start([*self.command(built, "server"), "--port=0", *matrix.server_tls_flags(certificates)])


class GrpcCpp(Ours):
    """Debian's grpc++ 1.51, which is gRPC's C core."""

    name = "grpc++"
    client_cases = EVERY - ORCA - {"concurrent_large_unary"}
    server_cases = EVERY - ORCA

    def build(self, setting):
        folder = HERE / "peers" / "grpcpp"
        if not pathlib.Path("/usr/include/grpcpp/grpcpp.h").exists():
            raise Missing("libgrpc++-dev, which isn't here")
        need("grpc_cpp_plugin")

        def compile_all(out):
            build_command(["cmake", "-S", folder, "-B", out, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                           "-DCMAKE_CXX_FLAGS_RELEASE=-O1", f"-DPROTO_DIR={HERE / 'proto'}"])
            build_command(["cmake", "--build", out])

        return setting.built("grpc++", [*sorted(folder.iterdir()), *PROTOS], compile_all, incremental=True)

    def command(self, built, program):
        return [built / program]


class Grpcio(Ours):
    """Python's grpcio: the C core again, but today's."""

    name = "grpcio"
    # Its client compresses whole calls, not messages.
    client_cases = EVERY - ORCA - {"client_compressed_streaming", "concurrent_large_unary"}
    # Its server doesn't see whether a request came compressed.
    server_cases = EVERY - ORCA - {"client_compressed_unary", "client_compressed_streaming"}

    def build(self, setting):
        python = packages.python(setting)

        def generate(out):
            build_command([python, "-m", "grpc_tools.protoc", f"-I{HERE / 'proto'}", f"--python_out={out}",
                           f"--grpc_python_out={out}", *PROTOS])

        return python, setting.built("grpcio", PROTOS, generate)

    def command(self, built, program):
        python, generated = built
        return ["env", f"GENERATED={generated}", python, HERE / "peers" / "grpcio" / f"{program}.py"]


class GrpcJs(Ours):
    """Node's grpc-js, which has an HTTP/2 stack of its own."""

    name = "grpc-js"
    client_cases = EVERY - ORCA - {"concurrent_large_unary"}
    # Its server has no way to choose what is compressed, or to see what was.
    server_cases = BASIC

    def build(self, setting):
        return packages.node(setting)

    def command(self, built, program):
        return ["env", f"NODE_PATH={built}", "node", HERE / "peers" / "grpc-js" / f"{program}.js"]


class Tonic(Ours):
    """Rust's tonic, on hyper and h2."""

    name = "tonic"
    # It compresses all messages of a client or none.
    client_cases = EVERY - ORCA - {"client_compressed_streaming", "concurrent_large_unary"}
    # Its server can't add a trailer to a success, and doesn't see what came compressed.
    server_cases = BASIC - {"custom_metadata"}

    def build(self, setting):
        need("cargo", (1, 82), nowhere=True)
        need("protoc")
        folder = HERE / "peers" / "tonic"

        def compile_all(out):
            build_command(["cargo", "build", "--locked"], cwd=folder,
                          env=environment(CARGO_TARGET_DIR=out, PROTO_DIR=HERE / "proto"))

        files = [*sorted(folder.glob("Cargo.*")), folder / "build.rs", *sorted((folder / "src").iterdir())]
        return setting.built("tonic", [*files, *PROTOS], compile_all, incremental=True) / "debug"

    def command(self, built, program):
        return [built / program]


ALL = [GrpcGo(), GrpcJava(), GrpcOkHttp(), GrpcCpp(), Grpcio(), GrpcJs(), Tonic()]
