// SPDX-License-Identifier: Apache-2.0
//! Peer: the benchmark's service on tonic. server [--port N] [--threads N] [--cert FILE --key FILE]
//! One thread is tokio's current-thread runtime, which is tonic's fastest on one core.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming};

mod benchpb {
    tonic::include_proto!("benchpb");
}
use benchpb::bench_server::{Bench, BenchServer};

struct Answers;
type Outputs = Pin<Box<dyn Stream<Item = Result<benchpb::Response, Status>> + Send>>;

fn burn(microseconds: u32) {
    let end = Instant::now() + Duration::from_micros(microseconds.into());
    while microseconds != 0 && Instant::now() < end {}
}

#[tonic::async_trait]
impl Bench for Answers {
    type ChatStream = Outputs;
    type DownloadStream = Outputs;

    async fn unary(&self, request: Request<benchpb::Request>) -> Result<Response<benchpb::Response>, Status> {
        let request = request.into_inner();
        burn(request.burn_us);
        if request.status != 0 {
            return Err(Status::new(Code::from(request.status as i32), "as asked"));
        }
        Ok(Response::new(benchpb::Response { payload: request.payload }))
    }

    async fn chat(&self, requests: Request<Streaming<benchpb::Request>>) -> Result<Response<Outputs>, Status> {
        let responses =
            requests.into_inner().map(|request| request.map(|request| benchpb::Response { payload: request.payload }));
        Ok(Response::new(Box::pin(responses)))
    }

    async fn download(&self, request: Request<benchpb::Request>) -> Result<Response<Outputs>, Status> {
        let request = request.into_inner();
        let responses = (0..request.messages).map(move |_| Ok(benchpb::Response { payload: request.payload.clone() }));
        Ok(Response::new(Box::pin(tokio_stream::iter(responses))))
    }
}

async fn serve(flags: HashMap<String, String>) -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = flags.get("--port").map_or(Ok(0), |text| text.parse())?;
    let mut server = Server::builder().tcp_nodelay(true);
    if let (Some(cert), Some(key)) = (flags.get("--cert"), flags.get("--key")) {
        let identity = Identity::from_pem(std::fs::read(cert)?, std::fs::read(key)?);
        server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
    }
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("port {}", listener.local_addr()?.port());
    let connections = TcpListenerStream::new(listener).map(|connection| {
        let connection = connection?;
        connection.set_nodelay(true)?;
        Ok::<_, std::io::Error>(connection)
    });
    server.add_service(BenchServer::new(Answers)).serve_with_incoming(connections).await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let flags: HashMap<String, String> =
        arguments.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
    let threads: usize = flags.get("--threads").map_or(Ok(1), |text| text.parse())?;
    let runtime = if threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?
    };
    runtime.block_on(serve(flags))
}
