// SPDX-License-Identifier: Apache-2.0
//! client --server_port=N --test_case=A,B,...: the interoperability cases on tonic.
//! Prints "ok CASE" or "FAILED CASE: why" for each.

mod common;

use common::testing::test_service_client::TestServiceClient;
use common::testing::unimplemented_service_client::UnimplementedServiceClient;
use common::testing::*;
use common::{flags, zeros, Flags};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::StreamExt;
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataValue;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

type Outcome = Result<(), String>;
type Client = TestServiceClient<Channel>;

const REQUEST_SIZES: [i32; 4] = [27182, 8, 1828, 45904];
const RESPONSE_SIZES: [i32; 4] = [31415, 9, 2653, 58979];
const INITIAL: &str = "x-grpc-test-echo-initial";

fn expect(good: bool, what: &str) -> Outcome {
    if good { Ok(()) } else { Err(what.to_string()) }
}

fn text<E: std::fmt::Debug>(error: E) -> String {
    format!("{error:?}")
}

fn expect_code<T>(result: Result<T, Status>, code: Code) -> Result<Status, String> {
    match result {
        Ok(_) => Err(format!("succeeded, not {code:?}")),
        Err(status) if status.code() == code => Ok(status),
        Err(status) => Err(text(status)),
    }
}

async fn connect(flags: &Flags) -> Result<Channel, String> {
    let tls = flags.get("use_tls").is_some_and(|value| value == "true");
    let scheme = if tls { "https" } else { "http" };
    let uri = format!("{scheme}://127.0.0.1:{}", flags["server_port"]);
    let mut endpoint = Endpoint::from_shared(uri).map_err(text)?.timeout(Duration::from_secs(30));
    if tls {
        let ca = Certificate::from_pem(std::fs::read(&flags["ca_file"]).map_err(text)?);
        let config = ClientTlsConfig::new().ca_certificate(ca).domain_name(&flags["server_host_override"]);
        endpoint = endpoint.tls_config(config).map_err(text)?;
    }
    endpoint.connect().await.map_err(text)
}

async fn large(client: &mut Client, compressed: Option<bool>) -> Outcome {
    let request = SimpleRequest {
        response_size: 314159,
        payload: zeros(271828),
        expect_compressed: compressed.map(|value| BoolValue { value }),
        ..Default::default()
    };
    let response = client.unary_call(request).await.map_err(text)?.into_inner();
    expect(response.payload.is_some_and(|payload| payload.body == vec![0; 314159]), "another response")
}

async fn client_compressed_unary(client: &mut Client) -> Outcome {
    let probe = SimpleRequest { expect_compressed: Some(BoolValue { value: true }), ..Default::default() };
    expect_code(client.unary_call(probe).await, Code::InvalidArgument)?;
    large(&mut client.clone().send_compressed(CompressionEncoding::Gzip), Some(true)).await?;
    large(client, Some(false)).await
}

async fn server_compressed_unary(client: &mut Client) -> Outcome {
    let mut client = client.clone().accept_compressed(CompressionEncoding::Gzip);
    for value in [true, false] {
        let response_compressed = Some(BoolValue { value });
        let request = SimpleRequest { response_size: 314159, response_compressed, ..Default::default() };
        let response = client.unary_call(request).await.map_err(text)?.into_inner();
        expect(response.payload.is_some_and(|payload| payload.body == vec![0; 314159]), "another response")?;
    }
    Ok(())
}

async fn client_streaming(client: &mut Client) -> Outcome {
    let requests = REQUEST_SIZES.map(|size| StreamingInputCallRequest { payload: zeros(size), ..Default::default() });
    let response = client.streaming_input_call(tokio_stream::iter(requests)).await.map_err(text)?;
    expect(response.into_inner().aggregated_payload_size == 74922, "another sum")
}

fn output_request(request_size: i32, response_sizes: &[i32]) -> StreamingOutputCallRequest {
    let response_parameters = response_sizes.iter().map(|&size| ResponseParameters { size, ..Default::default() });
    StreamingOutputCallRequest {
        payload: zeros(request_size),
        response_parameters: response_parameters.collect(),
        ..Default::default()
    }
}

type Responses = tonic::Streaming<StreamingOutputCallResponse>;

async fn expect_sizes(mut responses: Responses, sizes: &[i32]) -> Outcome {
    for &size in sizes {
        let response = responses.message().await.map_err(text)?.ok_or("a response is missing")?;
        expect(response.payload.is_some_and(|payload| payload.body.len() == size as usize), "another size")?;
    }
    expect(responses.message().await.map_err(text)?.is_none(), "a response too many")
}

async fn server_streaming(client: &mut Client) -> Outcome {
    let responses = client.streaming_output_call(output_request(0, &RESPONSE_SIZES)).await.map_err(text)?;
    expect_sizes(responses.into_inner(), &RESPONSE_SIZES).await
}

async fn server_compressed_streaming(client: &mut Client) -> Outcome {
    let mut request = output_request(0, &[31415, 92653]);
    request.response_parameters[0].compressed = Some(BoolValue { value: true });
    request.response_parameters[1].compressed = Some(BoolValue { value: false });
    let mut client = client.clone().accept_compressed(CompressionEncoding::Gzip);
    let responses = client.streaming_output_call(request).await.map_err(text)?;
    expect_sizes(responses.into_inner(), &[31415, 92653]).await
}

async fn ping_pong(client: &mut Client) -> Outcome {
    let (send, requests) = mpsc::channel(4);
    let call = client.full_duplex_call(ReceiverStream::new(requests));
    send.send(output_request(REQUEST_SIZES[0], &RESPONSE_SIZES[..1])).await.map_err(text)?;
    let mut responses = call.await.map_err(text)?.into_inner();
    for i in 0..4 {
        let response = responses.message().await.map_err(text)?.ok_or("a response is missing")?;
        let size = RESPONSE_SIZES[i] as usize;
        expect(response.payload.is_some_and(|payload| payload.body.len() == size), "another size")?;
        if i < 3 {
            send.send(output_request(REQUEST_SIZES[i + 1], &RESPONSE_SIZES[i + 1..i + 2])).await.map_err(text)?;
        }
    }
    drop(send);
    expect(responses.message().await.map_err(text)?.is_none(), "a response too many")
}

async fn half_duplex(client: &mut Client) -> Outcome {
    let requests = RESPONSE_SIZES.map(|size| output_request(8, &[size]));
    let responses = client.half_duplex_call(tokio_stream::iter(requests)).await.map_err(text)?;
    expect_sizes(responses.into_inner(), &RESPONSE_SIZES).await
}

async fn empty_stream(client: &mut Client) -> Outcome {
    let responses = client.full_duplex_call(tokio_stream::empty()).await.map_err(text)?;
    expect_sizes(responses.into_inner(), &[]).await
}

async fn custom_metadata(client: &mut Client) -> Outcome {
    let trailing = "x-grpc-test-echo-trailing-bin";
    let binary = MetadataValue::from_bytes(&[0xab, 0xab, 0xab]);
    let mut unary = Request::new(SimpleRequest { response_size: 1, ..Default::default() });
    unary.metadata_mut().insert(INITIAL, MetadataValue::from_static("test_initial_metadata_value"));
    unary.metadata_mut().insert_bin(trailing, binary.clone());
    let response = client.unary_call(unary).await.map_err(text)?;
    // tonic puts a unary call's trailer into its header.
    expect(response.metadata().get(INITIAL).is_some_and(|value| value == "test_initial_metadata_value"), "no header")?;
    expect(response.metadata().get_bin(trailing) == Some(&binary), "no trailer")?;
    let mut duplex = Request::new(tokio_stream::once(output_request(1, &[1])));
    duplex.metadata_mut().insert(INITIAL, MetadataValue::from_static("test_initial_metadata_value"));
    duplex.metadata_mut().insert_bin(trailing, binary.clone());
    let response = client.full_duplex_call(duplex).await.map_err(text)?;
    expect(response.metadata().get(INITIAL).is_some_and(|value| value == "test_initial_metadata_value"), "no header")?;
    let mut responses = response.into_inner();
    while responses.next().await.transpose().map_err(text)?.is_some() {}
    let trailer = responses.trailers().await.map_err(text)?.ok_or("no trailer")?;
    expect(trailer.get_bin(trailing) == Some(&binary), "the trailer isn't echoed")
}

fn wanted_status(message: &str) -> Option<EchoStatus> {
    Some(EchoStatus { code: 2, message: message.to_string() })
}

async fn unary_status(client: &mut Client, message: &str) -> Outcome {
    let request = SimpleRequest { response_status: wanted_status(message), ..Default::default() };
    let status = expect_code(client.unary_call(request).await, Code::Unknown)?;
    expect(status.message() == message, status.message())
}

async fn status_code_and_message(client: &mut Client) -> Outcome {
    let message = "test status message";
    unary_status(client, message).await?;
    let request = StreamingOutputCallRequest { response_status: wanted_status(message), ..Default::default() };
    // The status comes with the header or after it, as the server likes.
    let result = match client.full_duplex_call(tokio_stream::once(request)).await {
        Ok(response) => response.into_inner().message().await.map(|_| ()),
        Err(status) => Err(status),
    };
    let status = expect_code(result, Code::Unknown)?;
    expect(status.message() == message, status.message())
}

async fn cancel_after_first_response(client: &mut Client) -> Outcome {
    let (send, requests) = mpsc::channel(1);
    send.send(output_request(27182, &[31415])).await.map_err(text)?;
    let mut responses = client.full_duplex_call(ReceiverStream::new(requests)).await.map_err(text)?.into_inner();
    responses.message().await.map_err(text)?.ok_or("no response")?;
    drop(responses);
    // Dropping is how tonic cancels; that the connection is none the worse is what can be seen.
    large(client, None).await
}

async fn cancel_after_begin(client: &mut Client) -> Outcome {
    let (send, requests) = mpsc::channel::<StreamingInputCallRequest>(1);
    let call = client.streaming_input_call(ReceiverStream::new(requests));
    let ended = tokio::time::timeout(Duration::from_millis(20), call).await;
    drop(send);
    expect(ended.is_err(), "the call ended by itself")?;
    large(client, None).await
}

async fn timeout_on_sleeping_server(client: &mut Client) -> Outcome {
    let (send, requests) = mpsc::channel(1);
    send.send(output_request(27182, &[])).await.map_err(text)?;
    let mut request = Request::new(ReceiverStream::new(requests));
    request.set_timeout(Duration::from_millis(1));
    let result = match client.full_duplex_call(request).await {
        Ok(response) => response.into_inner().message().await.map(|_| ()),
        Err(status) => Err(status),
    };
    drop(send);
    // tonic's own timer says CANCELLED; what our server says is DEADLINE_EXCEEDED.
    match result {
        Err(status) if [Code::DeadlineExceeded, Code::Cancelled].contains(&status.code()) => Ok(()),
        other => Err(text(other)),
    }
}

async fn pick_first_unary(client: &mut Client) -> Outcome {
    let mut first = None;
    for _ in 0..100 {
        let request = SimpleRequest { fill_server_id: true, ..Default::default() };
        let id = client.unary_call(request).await.map_err(text)?.into_inner().server_id;
        expect(!id.is_empty() && *first.get_or_insert(id.clone()) == id, "another server")?;
    }
    Ok(())
}

async fn channel_soak(flags: &Flags) -> Outcome {
    for _ in 0..10 {
        large(&mut Client::new(connect(flags).await?), None).await?;
    }
    Ok(())
}

async fn run(name: &str, flags: &Flags) -> Outcome {
    let channel = connect(flags).await?;
    let mut client = Client::new(channel.clone());
    match name {
        "empty_unary" => client.empty_call(Empty {}).await.map(|_| ()).map_err(text),
        "large_unary" => large(&mut client, None).await,
        "client_compressed_unary" => client_compressed_unary(&mut client).await,
        "server_compressed_unary" => server_compressed_unary(&mut client).await,
        "client_streaming" => client_streaming(&mut client).await,
        "server_streaming" => server_streaming(&mut client).await,
        "server_compressed_streaming" => server_compressed_streaming(&mut client).await,
        "ping_pong" => ping_pong(&mut client).await,
        "half_duplex" => half_duplex(&mut client).await,
        "empty_stream" => empty_stream(&mut client).await,
        "custom_metadata" => custom_metadata(&mut client).await,
        "status_code_and_message" => status_code_and_message(&mut client).await,
        "special_status_message" => {
            unary_status(&mut client, "\t\ntest with whitespace\r\nand Unicode BMP \u{263a} and non-BMP \u{1f608}\t\n").await
        }
        "unimplemented_method" => expect_code(client.unimplemented_call(Empty {}).await, Code::Unimplemented).map(|_| ()),
        "unimplemented_service" => {
            let mut nobody = UnimplementedServiceClient::new(channel);
            expect_code(nobody.unimplemented_call(Empty {}).await, Code::Unimplemented).map(|_| ())
        }
        "cancel_after_begin" => cancel_after_begin(&mut client).await,
        "cancel_after_first_response" => cancel_after_first_response(&mut client).await,
        "timeout_on_sleeping_server" => timeout_on_sleeping_server(&mut client).await,
        "pick_first_unary" => pick_first_unary(&mut client).await,
        "rpc_soak" => {
            for _ in 0..10 {
                large(&mut client, None).await?;
            }
            Ok(())
        }
        "channel_soak" => channel_soak(flags).await,
        _ => Err("no such case".to_string()),
    }
}

#[tokio::main]
async fn main() {
    let flags = flags();
    let mut good = true;
    for name in flags["test_case"].split(',') {
        match run(name, &flags).await {
            Ok(()) => println!("ok {name}"),
            Err(why) => {
                println!("FAILED {name}: {}", why.replace('\n', " "));
                good = false;
            }
        }
    }
    std::process::exit(if good { 0 } else { 1 });
}
