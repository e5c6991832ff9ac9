// SPDX-License-Identifier: Apache-2.0
// client.js --server_port=N --test_case=A,B,...: the interoperability cases on grpc-js.
// Prints "ok CASE" or "FAILED CASE: why" for each.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { once } = require('node:events');
const { grpc, testing, flags, zeros } = require('./common');

const { status } = grpc;
const GZIP = { 'grpc.default_compression_algorithm': 2 };
const NO_COMPRESS = 2;
const REQUEST_SIZES = [27182, 8, 1828, 45904];
const RESPONSE_SIZES = [31415, 9, 2653, 58979];
const ECHO = { initial: 'x-grpc-test-echo-initial', trailing: 'x-grpc-test-echo-trailing-bin' };

function connect(Client, options = {}) {
  const own = { 'grpc.use_local_subchannel_pool': 1, ...options };
  if (flags.use_tls !== 'true') return new Client(`127.0.0.1:${flags.server_port}`, grpc.credentials.createInsecure(), own);
  own['grpc.ssl_target_name_override'] = flags.server_host_override;
  return new Client(`127.0.0.1:${flags.server_port}`, grpc.credentials.createSsl(fs.readFileSync(flags.ca_file)), own);
}

const deadline = (milliseconds = 30000) => ({ deadline: Date.now() + milliseconds });

const unary = (client, method, request, options = deadline()) =>
  new Promise((resolve, reject) => {
    client[method](request, new grpc.Metadata(), options, (error, response) => (error ? reject(error) : resolve(response)));
  });

async function fails(code, message, promise) {
  try {
    await promise;
  } catch (error) {
    assert.equal(error.code, code, error.message);
    if (message !== undefined) assert.equal(error.details, message);
    return;
  }
  assert.fail(`succeeded, wanted ${code}`);
}

async function large(client, more = {}, options = deadline()) {
  const response = await unary(client, 'UnaryCall', { response_size: 314159, payload: zeros(271828), ...more }, options);
  assert.equal(response.payload.body.length, 314159);
}

// Everything that a readable call gives; rejects with its status.
async function all(call) {
  const responses = [];
  for await (const response of call) responses.push(response);
  return responses;
}

const outputRequest = (requestSize, responseSize) => ({ payload: zeros(requestSize), response_parameters: responseSize === undefined ? [] : [{ size: responseSize }] });
const sizes = (responses) => responses.map((response) => response.payload.body.length);

function streamingInput(client, sends) {
  return new Promise((resolve, reject) => {
    const call = client.StreamingInputCall(new grpc.Metadata(), deadline(), (error, response) => (error ? reject(error) : resolve(response)));
    sends(call);
  });
}

async function unaryStatus(client, message) {
  await fails(status.UNKNOWN, message, unary(client, 'UnaryCall', { response_status: { code: 2, message } }));
}

const cases = {
  empty_unary: async (client) => assert.deepEqual(await unary(client, 'EmptyCall', {}), {}),
  large_unary: large,
  rpc_soak: async (client) => { for (let i = 0; i < 10; ++i) await large(client); },
  async channel_soak() {
    for (let i = 0; i < 10; ++i) {
      const client = connect(testing.TestService);
      await large(client);
      client.close();
    }
  },
  async client_compressed_unary(client) {
    await fails(status.INVALID_ARGUMENT, undefined, large(client, { expect_compressed: { value: true } }));
    const compressing = connect(testing.TestService, GZIP);
    await large(compressing, { expect_compressed: { value: true } });
    await large(client, { expect_compressed: { value: false } });
    compressing.close();
  },
  async server_compressed_unary(client) {
    for (const value of [true, false]) await large(client, { response_compressed: { value } });
  },
  async client_streaming(client) {
    const response = await streamingInput(client, (call) => {
      for (const size of REQUEST_SIZES) call.write({ payload: zeros(size) });
      call.end();
    });
    assert.equal(response.aggregated_payload_size, 74922);
  },
  async client_compressed_streaming(client) {
    const compressed = { payload: zeros(27182), expect_compressed: { value: true } };
    await fails(status.INVALID_ARGUMENT, undefined, streamingInput(client, (call) => { call.write(compressed); call.end(); }));
    const compressing = connect(testing.TestService, GZIP);
    const response = await streamingInput(compressing, (call) => {
      call.write(compressed);
      call.write({ payload: zeros(45904), expect_compressed: { value: false } }, NO_COMPRESS);
      call.end();
    });
    assert.equal(response.aggregated_payload_size, 73086);
    compressing.close();
  },
  async server_streaming(client) {
    const request = { response_parameters: RESPONSE_SIZES.map((size) => ({ size })) };
    assert.deepEqual(sizes(await all(client.StreamingOutputCall(request, new grpc.Metadata(), deadline()))), RESPONSE_SIZES);
  },
  async server_compressed_streaming(client) {
    const request = { response_parameters: [{ size: 31415, compressed: { value: true } }, { size: 92653, compressed: { value: false } }] };
    assert.deepEqual(sizes(await all(client.StreamingOutputCall(request, new grpc.Metadata(), deadline()))), [31415, 92653]);
  },
  async ping_pong(client) {
    const call = client.FullDuplexCall(new grpc.Metadata(), deadline());
    const responses = call[Symbol.asyncIterator]();
    for (let i = 0; i < REQUEST_SIZES.length; ++i) {
      call.write(outputRequest(REQUEST_SIZES[i], RESPONSE_SIZES[i]));
      const { value } = await responses.next();
      assert.equal(value.payload.body.length, RESPONSE_SIZES[i]);
    }
    call.end();
    assert.equal((await responses.next()).done, true);
  },
  async half_duplex(client) {
    const call = client.HalfDuplexCall(new grpc.Metadata(), deadline());
    for (const size of RESPONSE_SIZES) call.write(outputRequest(8, size));
    call.end();
    assert.deepEqual(sizes(await all(call)), RESPONSE_SIZES);
  },
  async empty_stream(client) {
    const call = client.FullDuplexCall(new grpc.Metadata(), deadline());
    call.end();
    assert.deepEqual(await all(call), []);
  },
  async custom_metadata(client) {
    const sent = new grpc.Metadata();
    sent.set(ECHO.initial, 'test_initial_metadata_value');
    sent.set(ECHO.trailing, Buffer.from([0xab, 0xab, 0xab]));
    const expectEchoed = async (call, read) => {
      const header = once(call, 'metadata');
      const end = once(call, 'status');
      await read;
      assert.deepEqual((await header)[0].get(ECHO.initial), ['test_initial_metadata_value']);
      assert.deepEqual((await end)[0].metadata.get(ECHO.trailing), [Buffer.from([0xab, 0xab, 0xab])]);
    };
    await expectEchoed(client.UnaryCall({ response_size: 1 }, sent, deadline(), (error) => { if (error) throw error; }));
    const duplex = client.FullDuplexCall(sent, deadline());
    duplex.write(outputRequest(1, 1));
    duplex.end();
    await expectEchoed(duplex, all(duplex));
  },
  async status_code_and_message(client) {
    await unaryStatus(client, 'test status message');
    const call = client.FullDuplexCall(new grpc.Metadata(), deadline());
    call.write({ response_status: { code: 2, message: 'test status message' } });
    call.end();
    await fails(status.UNKNOWN, 'test status message', all(call));
  },
  special_status_message: (client) => unaryStatus(client, '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n'),
  unimplemented_method: (client) => fails(status.UNIMPLEMENTED, undefined, unary(client, 'UnimplementedCall', {})),
  async unimplemented_service() {
    const client = connect(testing.UnimplementedService);
    await fails(status.UNIMPLEMENTED, undefined, unary(client, 'UnimplementedCall', {}));
    client.close();
  },
  cancel_after_begin: (client) => fails(status.CANCELLED, undefined, streamingInput(client, (call) => setImmediate(() => call.cancel()))),
  async cancel_after_first_response(client) {
    const call = client.FullDuplexCall(new grpc.Metadata(), deadline());
    call.write(outputRequest(27182, 31415));
    call.on('data', () => call.cancel());
    const [error] = await once(call, 'error');
    assert.equal(error.code, status.CANCELLED);
  },
  async timeout_on_sleeping_server(client) {
    const call = client.FullDuplexCall(new grpc.Metadata(), deadline(1));
    call.write(outputRequest(27182));
    await fails(status.DEADLINE_EXCEEDED, undefined, all(call));
  },
  async pick_first_unary(client) {
    const servers = new Set();
    for (let i = 0; i < 100; ++i) servers.add((await unary(client, 'UnaryCall', { fill_server_id: true })).server_id);
    assert.equal(servers.size, 1);
    assert.ok(!servers.has(''));
  },
};

async function main() {
  let good = true;
  for (const name of flags.test_case.split(',')) {
    const client = connect(testing.TestService);
    try {
      await cases[name](client);
      console.log(`ok ${name}`);
    } catch (error) {
      good = false;
      console.log(`FAILED ${name}: ${String(error.message ?? error).slice(0, 300).replaceAll('\n', ' ')}`);
    }
    client.close();
  }
  process.exit(good ? 0 : 1);
}

main();
