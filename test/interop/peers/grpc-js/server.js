// SPDX-License-Identifier: Apache-2.0
// server.js --port=N [--use_tls=true --tls_cert_file=F --tls_key_file=F]: grpc.testing.TestService on grpc-js.
'use strict';
const fs = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const { grpc, testing, flags, zeros } = require('./common');

// Gives back what "Echo Metadata" asks for; the trailer is returned.
function echoMetadata(call) {
  const [initial] = call.metadata.get('x-grpc-test-echo-initial');
  if (initial !== undefined) {
    const header = new grpc.Metadata();
    header.set('x-grpc-test-echo-initial', initial);
    call.sendMetadata(header);
  }
  const trailer = new grpc.Metadata();
  const [trailing] = call.metadata.get('x-grpc-test-echo-trailing-bin');
  if (trailing !== undefined) trailer.set('x-grpc-test-echo-trailing-bin', trailing);
  return trailer;
}

const wantedStatus = (status, metadata) => ({ code: status.code, details: status.message, metadata });

function unaryCall(call, callback) {
  const trailer = echoMetadata(call);
  const { request } = call;
  if (request.response_status?.code) return callback(wantedStatus(request.response_status, trailer));
  const server_id = request.fill_server_id ? String(process.pid) : '';
  return callback(null, { payload: zeros(request.response_size), server_id }, trailer);
}

async function answer(call, request) {
  for (const { size, interval_us } of request.response_parameters) {
    if (interval_us > 0) await sleep(interval_us / 1000);
    call.write({ payload: zeros(size) });
  }
}

async function streamingOutputCall(call) {
  await answer(call, call.request);
  call.end();
}

function streamingInputCall(call, callback) {
  let total = 0;
  call.on('data', (request) => { total += request.payload?.body.length ?? 0; });
  call.on('end', () => callback(null, { aggregated_payload_size: total }));
}

function fullDuplexCall(call) {
  const trailer = echoMetadata(call);
  let done = Promise.resolve();
  let ended = false;
  call.on('data', (request) => {
    if (request.response_status?.code) {
      ended = true;
      call.emit('error', wantedStatus(request.response_status, trailer));
    } else {
      done = done.then(() => answer(call, request));
    }
  });
  call.on('end', () => done.then(() => ended || call.end(trailer)));
}

function halfDuplexCall(call) {
  const requests = [];
  call.on('data', (request) => requests.push(request));
  call.on('end', async () => {
    for (const request of requests) await answer(call, request);
    call.end();
  });
}

const server = new grpc.Server();
server.addService(testing.TestService.service, {
  EmptyCall: (call, callback) => callback(null, {}),
  UnaryCall: unaryCall,
  StreamingOutputCall: streamingOutputCall,
  StreamingInputCall: streamingInputCall,
  FullDuplexCall: fullDuplexCall,
  HalfDuplexCall: halfDuplexCall,
});
const credentials = flags.use_tls === 'true'
  ? grpc.ServerCredentials.createSsl(null, [{ private_key: fs.readFileSync(flags.tls_key_file), cert_chain: fs.readFileSync(flags.tls_cert_file) }])
  : grpc.ServerCredentials.createInsecure();
server.bindAsync(`127.0.0.1:${flags.port}`, credentials, (error, port) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});
