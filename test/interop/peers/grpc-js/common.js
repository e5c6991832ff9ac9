// SPDX-License-Identifier: Apache-2.0
// The command line and the proto of both programs.
'use strict';
const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const root = path.join(__dirname, '..', '..', 'proto');
const options = { keepCase: true, includeDirs: [root], defaults: true };
const { testing } = grpc.loadPackageDefinition(loader.loadSync('grpc/testing/test.proto', options)).grpc;

const flags = Object.fromEntries(process.argv.slice(2).map((word) => {
  const equals = word.indexOf('=');
  return [word.slice(2, equals), word.slice(equals + 1)];
}));

exports.grpc = grpc;
exports.testing = testing;
exports.flags = flags;
exports.zeros = (size) => ({ body: Buffer.alloc(size) });
