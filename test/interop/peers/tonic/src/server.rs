// SPDX-License-Identifier: Apache-2.0
//! server --port=N [--use_tls=true --tls_cert_file=F --tls_key_file=F]: grpc.testing.TestService on tonic.

mod common;

use common::testing::test_service_server::{TestService, TestServiceServer};
use common::testing::*;
use common::{flags, zeros};
use std::pin::Pin;
use std::time::Duration;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_stream::{Stream, StreamExt};
use tonic::metadata::MetadataMap;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Code, Request, Response, Status, Streaming};

struct Tests;

type Outputs = Pin<Box<dyn Stream<Item = Result<StreamingOutputCallResponse, Status>> + Send>>;
type Sender = tokio::sync::mpsc::Sender<Result<StreamingOutputCallResponse, Status>>;

const INITIAL: &str = "x-grpc-test-echo-initial";
const TRAILING: &str = "x-grpc-test-echo-trailing-bin";

fn status_of(wanted: &EchoStatus) -> Option<Status> {
    (wanted.code != 0).then(|| Status::new(Code::from(wanted.code), &wanted.message))
}

fn echo_header<T>(sent: &MetadataMap, response: &mut Response<T>) {
    if let Some(value) = sent.get(INITIAL) {
        response.metadata_mut().insert(INITIAL, value.clone());
    }
}

async fn answer(request: &StreamingOutputCallRequest, out: &Sender) -> Option<()> {
    for wanted in &request.response_parameters {
        if wanted.interval_us > 0 {
            tokio::time::sleep(Duration::from_micros(wanted.interval_us as u64)).await;
        }
        out.send(Ok(StreamingOutputCallResponse { payload: zeros(wanted.size) })).await.ok()?;
    }
    Some(())
}

async fn full_duplex(mut requests: Streaming<StreamingOutputCallRequest>, out: Sender) {
    while let Some(Ok(request)) = requests.next().await {
        if let Some(status) = request.response_status.as_ref().and_then(status_of) {
            let _ = out.send(Err(status)).await;
            return;
        }
        if answer(&request, &out).await.is_none() {
            return;
        }
    }
}

async fn half_duplex(mut requests: Streaming<StreamingOutputCallRequest>, out: Sender) {
    let mut kept = Vec::new();
    while let Some(Ok(request)) = requests.next().await {
        kept.push(request);
    }
    for request in &kept {
        answer(request, &out).await;
    }
}

#[tonic::async_trait]
impl TestService for Tests {
    type StreamingOutputCallStream = Outputs;
    type FullDuplexCallStream = Outputs;
    type HalfDuplexCallStream = Outputs;

    async fn empty_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }

    async fn unary_call(&self, request: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        let (sent, _, request) = request.into_parts();
        if let Some(status) = request.response_status.as_ref().and_then(status_of) {
            return Err(status);
        }
        let server_id = if request.fill_server_id { std::process::id().to_string() } else { String::new() };
        let payload = zeros(request.response_size);
        let mut response = Response::new(SimpleResponse { payload, server_id, ..Default::default() });
        echo_header(&sent, &mut response);
        Ok(response)
    }

    async fn cacheable_unary_call(&self, _: Request<SimpleRequest>) -> Result<Response<SimpleResponse>, Status> {
        Err(Status::unimplemented("nothing is cached here"))
    }

    async fn streaming_output_call(
        &self,
        request: Request<StreamingOutputCallRequest>,
    ) -> Result<Response<Outputs>, Status> {
        let (out, responses) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move { answer(&request.into_inner(), &out).await });
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }

    async fn streaming_input_call(
        &self,
        request: Request<Streaming<StreamingInputCallRequest>>,
    ) -> Result<Response<StreamingInputCallResponse>, Status> {
        let mut requests = request.into_inner();
        let mut total = 0;
        while let Some(request) = requests.next().await {
            total += request?.payload.map_or(0, |payload| payload.body.len());
        }
        Ok(Response::new(StreamingInputCallResponse { aggregated_payload_size: total as i32 }))
    }

    async fn full_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Outputs>, Status> {
        let (out, responses) = tokio::sync::mpsc::channel(1);
        let sent = request.metadata().clone();
        tokio::spawn(full_duplex(request.into_inner(), out));
        let mut response = Response::new(Box::pin(ReceiverStream::new(responses)) as Outputs);
        echo_header(&sent, &mut response);
        Ok(response)
    }

    async fn half_duplex_call(
        &self,
        request: Request<Streaming<StreamingOutputCallRequest>>,
    ) -> Result<Response<Outputs>, Status> {
        let (out, responses) = tokio::sync::mpsc::channel(1);
        tokio::spawn(half_duplex(request.into_inner(), out));
        Ok(Response::new(Box::pin(ReceiverStream::new(responses))))
    }

    async fn unimplemented_call(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Err(Status::unimplemented("as its name says"))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // tonic has no way to set a trailer on success, so that half of "Echo Metadata" isn't here.
    let _ = TRAILING;
    let flags = flags();
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{}", flags["port"])).await?;
    let mut server = Server::builder();
    if flags.get("use_tls").is_some_and(|value| value == "true") {
        let identity = Identity::from_pem(std::fs::read(&flags["tls_cert_file"])?, std::fs::read(&flags["tls_key_file"])?);
        server = server.tls_config(ServerTlsConfig::new().identity(identity))?;
    }
    println!("listening on port {}", listener.local_addr()?.port());
    let service = TestServiceServer::new(Tests).accept_compressed(tonic::codec::CompressionEncoding::Gzip);
    server.add_service(service).serve_with_incoming(TcpListenerStream::new(listener)).await?;
    Ok(())
}
