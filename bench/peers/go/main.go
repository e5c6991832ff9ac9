// SPDX-License-Identifier: Apache-2.0

// Peer: the benchmark's service on grpc-go.
//
//	server [--port N] [--threads N] [--cert FILE --key FILE]
package main

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"runtime"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"gaggle.test/bench/benchpb"
)

type bench struct {
	benchpb.UnimplementedBenchServer
}

func burn(microseconds uint32) {
	if microseconds == 0 {
		return
	}
	for end := time.Now().Add(time.Duration(microseconds) * time.Microsecond); time.Now().Before(end); {
	}
}

func (bench) Unary(_ context.Context, request *benchpb.Request) (*benchpb.Response, error) {
	burn(request.BurnUs)
	if request.Status != 0 {
		return nil, status.Error(codes.Code(request.Status), "as asked")
	}
	return &benchpb.Response{Payload: request.Payload}, nil
}

func (bench) Chat(stream grpc.BidiStreamingServer[benchpb.Request, benchpb.Response]) error {
	for {
		request, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if err := stream.Send(&benchpb.Response{Payload: request.Payload}); err != nil {
			return err
		}
	}
}

func (bench) Download(request *benchpb.Request, stream grpc.ServerStreamingServer[benchpb.Response]) error {
	response := &benchpb.Response{Payload: request.Payload}
	for range request.Messages {
		if err := stream.Send(response); err != nil {
			return err
		}
	}
	return nil
}

// Go has an allocator of its own, so what is preloaded elsewhere to count allocations sees none: it tells them itself.
func tellAllocations(path string) {
	var stats runtime.MemStats
	for {
		runtime.ReadMemStats(&stats)
		var number [8]byte
		binary.LittleEndian.PutUint64(number[:], stats.Mallocs)
		if file, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			file.WriteAt(number[:], 0)
			file.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	port := flag.Int("port", 0, "0: the system chooses")
	threads := flag.Int("threads", 0, "GOMAXPROCS; 0: as many as there are cores")
	cert := flag.String("cert", "", "PEM file; with --key: TLS")
	key := flag.String("key", "", "PEM file")
	flag.Parse()
	if *threads > 0 {
		runtime.GOMAXPROCS(*threads)
	}
	var options []grpc.ServerOption
	if *cert != "" {
		tls, err := credentials.NewServerTLSFromFile(*cert, *key)
		if err != nil {
			log.Fatal(err)
		}
		options = append(options, grpc.Creds(tls))
	}
	if path := os.Getenv("GAGGLE_BENCH_ALLOCATIONS"); path != "" {
		go tellAllocations(path)
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(options...)
	benchpb.RegisterBenchServer(server, bench{})
	fmt.Printf("port %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.Serve(listener))
}
