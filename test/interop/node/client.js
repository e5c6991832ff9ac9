// SPDX-License-Identifier: Apache-2.0
// client.js PROTO HOST:PORT,...: grpc-js, which has an HTTP/2 stack of its own, reads from our nodes.
'use strict';
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const [proto, servers] = process.argv.slice(2);
const { groupcachepb } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true }));
let failures = 0;

const get = (client, groupname, key, milliseconds = 10000) =>
  new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + milliseconds };
    client.Get({ groupname, key }, options, (error, response) => (error ? reject(error) : resolve(response.value)));
  });

async function check(name, run) {
  try {
    await run();
    console.log(`ok      ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAILED  ${name}: ${String(error.message ?? error).slice(0, 300)}`);
  }
}

function expect(actual, wanted) {
  if (Buffer.compare(Buffer.from(actual), Buffer.from(wanted)) !== 0) throw new Error(`got ${actual.length} bytes, wanted ${wanted.length}: ${actual.slice(0, 40)}`);
}

async function fails(promise, code, word = '') {
  let error;
  try {
    await promise;
  } catch (thrown) {
    error = thrown;
  }
  if (!error) throw new Error(`succeeded, wanted code ${code}`);
  if (error.code !== code || !error.details.includes(word)) throw new Error(`${error.code} ${error.details}, wanted ${code} ${word}`);
}

async function main() {
  for (const address of servers.split(',')) {
    console.log(`grpc-js ${require('@grpc/grpc-js/package.json').version} → ${address}`);
    const client = new groupcachepb.GroupCache(address, grpc.credentials.createInsecure());
    await check('value', async () => expect(await get(client, 'scores', 'Jack'), '589'));
    await check('value of a mebibyte', async () =>
      expect(await get(client, 'scores', 'mebibyte'), Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 7) % 251)));
    await check('missing key', () => fails(get(client, 'scores', 'nobody'), grpc.status.NOT_FOUND));
    await check('unknown group', () => fails(get(client, 'nowhere', 'Jack'), grpc.status.NOT_FOUND, 'nowhere'));
    await check('empty key', () => fails(get(client, 'scores', ''), grpc.status.INVALID_ARGUMENT));
    await check('deadline', () => fails(get(client, 'slow', `js-${address}`, 200), grpc.status.DEADLINE_EXCEEDED));
    await check('a thousand at once', async () => {
      const keys = Array.from({ length: 1000 }, (_, i) => i);
      const values = await Promise.all(keys.map((i) => get(client, 'scores', `key-${i}`)));
      values.forEach((value, i) => expect(value, `value of ${i}`));
    });
    client.close();
  }
  process.exit(failures ? 1 : 0);
}
main();
