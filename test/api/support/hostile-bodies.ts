import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../../contracts/errors.ts';

/** A request of somebody who may predict. */
export interface HostileBody {
  readonly what: string;
  /** Instead of the model's `/infer`; `{model}` stands for its name. */
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or bytes; made when it is sent, where it is large. */
  readonly body: object | string | Buffer | (() => string | Buffer);
  readonly status: number;
  readonly code?: ErrorCode;
}

const MIB = 1024 * 1024;
const input = { name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 2, 3, 4] };
const good = { inputs: [input] };
const of = (change: object) => ({ inputs: [{ ...input, ...change }] });
const text = (data: string, datatype = 'FP32') =>
  `{"inputs":[{"name":"x","shape":[1,4],"datatype":"${datatype}","data":${data}}]}`;

/** The model's input raw, with what is said about it. */
function raw(change: { json?: object; parameters?: object; bytes?: Buffer; length?: string; extra?: Buffer } = {}) {
  const { name, shape, datatype } = input;
  const bytes = change.bytes ?? Buffer.from(Float32Array.of(1, 2, 3, 4).buffer);
  const parameters = { binary_data_size: bytes.length, ...change.parameters };
  const json = Buffer.from(JSON.stringify({ inputs: [{ name, shape, datatype, parameters, ...change.json }] }));
  const length = change.length ?? String(json.length);
  return {
    headers: { 'content-type': 'application/octet-stream', 'inference-header-content-length': length },
    body: Buffer.concat([json, bytes, ...(change.extra ? [change.extra] : [])]),
  };
}

const gzip = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
const json = { 'content-type': 'application/json' };
const request = { status: 400, code: 'REQUEST_INVALID' } as const;
const tensor = { status: 400, code: 'TENSOR_INVALID' } as const;
const large = { status: 413, code: 'REQUEST_TOO_LARGE' } as const;
const media = { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' } as const;

const BODIES: readonly HostileBody[] = [
  { what: 'no body', headers: json, body: '', ...request },
  { what: 'half a body', headers: json, body: '{"inputs":[', ...request },
  { what: 'null', headers: json, body: 'null', ...request },
  { what: 'a list', headers: json, body: '[]', ...request },
  { what: 'a text', headers: json, body: '"inputs"', ...request },
  { what: 'JavaScript', headers: json, body: '{inputs:[1]}', ...request },
  { what: 'a byte order mark', headers: json, body: `\ufeff${JSON.stringify(good)}`, ...request },
  { what: 'UTF-16', headers: json, body: Buffer.from(JSON.stringify(good), 'utf16le'), ...request },
  {
    what: 'bytes that are no UTF-8',
    headers: json,
    body: Buffer.concat([
      Buffer.from('{"id":"'),
      Buffer.of(0xc3, 0x28),
      Buffer.from(`",${JSON.stringify(good).slice(1)}`),
    ]),
    ...request,
  },
  {
    what: 'a nesting of sixteen million levels',
    headers: json,
    body: () => `${'['.repeat(16e6)}${']'.repeat(16e6)}`,
    ...request,
  },
  {
    what: 'a million objects in one another',
    headers: json,
    body: () => `${'{"a":'.repeat(1e6)}1${'}'.repeat(1e6)}`,
    ...request,
  },
  { what: 'inputs by way of a prototype', headers: json, body: `{"__proto__":${JSON.stringify(good)}}`, ...request },
  { what: 'a key of 300 characters', body: { ...good, parameters: { ['k'.repeat(300)]: 1 } }, ...request },
  { what: 'an id of 257 characters', body: { ...good, id: 'i'.repeat(257) }, ...request },
  {
    what: 'an id of a mebibyte',
    body: () => JSON.stringify({ ...good, id: 'i'.repeat(MIB) }),
    headers: json,
    ...request,
  },
  { what: 'an id that is a number', body: { ...good, id: 7 }, ...request },
  { what: 'parameters that are a list', body: { ...good, parameters: [1] }, ...request },
  { what: 'a parameter that is an object', body: { ...good, parameters: { a: {} } }, ...request },
  { what: 'state between requests', body: { ...good, parameters: { sequence_id: 1 } }, ...request },
  { what: '33 MiB', headers: json, body: () => `${' '.repeat(33 * MIB)}{}`, ...large },
  { what: '33 MiB in a few KiB', headers: gzip, body: () => gzipSync(Buffer.alloc(33 * MIB, 32)), ...large },
  {
    what: 'a gigabyte in a gzip within a gzip',
    headers: gzip,
    body: () => gzipSync(gzipSync(Buffer.alloc(40 * MIB))),
    ...request,
  },
  { what: 'no gzip where it says so', headers: gzip, body: JSON.stringify(good), ...request },
  { what: 'half a gzip', headers: gzip, body: () => gzipSync(JSON.stringify(good)).subarray(0, 30), ...request },
  { what: 'an unknown encoding', headers: { ...json, 'content-encoding': 'rot13' }, body: '{}', ...media },
  { what: 'two encodings', headers: { ...json, 'content-encoding': 'gzip, gzip' }, body: '{}', ...media },
  {
    what: 'XML',
    headers: { 'content-type': 'text/xml' },
    body: '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    ...media,
  },
  { what: 'a form', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'inputs=1', ...media },
  { what: 'a media type of nonsense', headers: { 'content-type': 'application/json/../x' }, body: '{}', ...media },
];

const TENSORS: readonly HostileBody[] = [
  { what: 'no inputs', body: { inputs: [] }, ...request },
  { what: '2,049 inputs', body: { inputs: Array.from({ length: 2049 }, () => input) }, ...request },
  { what: 'an input twice', body: { inputs: [input, input] }, ...tensor },
  { what: 'an unknown input', body: of({ name: 'y' }), ...tensor },
  { what: 'an input called __proto__', body: of({ name: '__proto__' }), ...tensor },
  { what: 'an input called constructor', body: of({ name: 'constructor' }), ...tensor },
  { what: 'a name of 257 characters', body: of({ name: 'x'.repeat(257) }), ...request },
  { what: 'an unknown output', body: { ...good, outputs: [{ name: 'y' }] }, ...tensor },
  { what: '17 outputs', body: { ...good, outputs: Array.from({ length: 17 }, () => ({ name: 'score' })) }, ...request },
  {
    what: 'minus one class',
    body: { ...good, outputs: [{ name: 'score', parameters: { classification: -1 } }] },
    ...request,
  },
  { what: 'another shape', body: of({ shape: [1, 3], data: [1, 2, 3] }), ...tensor },
  { what: 'a negative dimension', body: of({ shape: [-1, 4] }), ...request },
  { what: 'a dimension of 0', body: of({ shape: [0, 4], data: [] }), ...tensor },
  { what: 'a dimension of 2^31', body: of({ shape: [2 ** 31, 4] }), ...tensor },
  { what: 'a dimension of 2^53', body: of({ shape: [2 ** 53, 4] }), ...request },
  { what: 'a dimension of 1e300', headers: json, body: text('[1,2,3,4]').replace('[1,4]', '[1e300,4]'), ...request },
  { what: 'half a dimension', body: of({ shape: [1.5, 4] }), ...request },
  { what: 'a dimension in words', body: of({ shape: ['1', 4] }), ...request },
  { what: 'no dimension', body: of({ shape: [] }), ...request },
  { what: '9 dimensions', body: of({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 4] }), ...request },
  {
    what: 'a million dimensions',
    body: () => JSON.stringify(of({ shape: Array.from({ length: 1e6 }, () => 1) })),
    headers: json,
    ...request,
  },
  { what: 'an unknown datatype', body: of({ datatype: 'fp32' }), ...request },
  { what: 'a datatype of a prototype', body: of({ datatype: 'toString' }), ...request },
  { what: 'halves', body: of({ datatype: 'FP16' }), status: 400, code: 'UNSUPPORTED_DATATYPE' },
  {
    what: 'strings for numbers',
    body: of({ datatype: 'BYTES', data: ['1', '2', '3', '4'] }),
    status: 400,
    code: 'UNSUPPORTED_DATATYPE',
  },
  { what: 'data that is text', body: of({ data: 'AAAA' }), ...request },
  { what: 'data that is an object with a length', body: of({ data: { length: 4 } }), ...request },
  { what: 'no data', body: of({ data: undefined }), ...request },
  { what: 'NaN', headers: json, body: text('[NaN,0,0,0]'), ...request },
  { what: 'an infinity', headers: json, body: text('[1e999,0,0,0]'), ...tensor },
  { what: 'more than a float holds', body: of({ data: [1e39, 0, 0, 0] }), ...tensor },
  { what: 'null', body: of({ data: [null, 0, 0, 0] }), ...tensor },
  { what: 'a truth for a number', body: of({ data: [true, 0, 0, 0] }), ...tensor },
  { what: 'a number in quotes', body: of({ data: ['1', 0, 0, 0] }), ...tensor },
  { what: 'an object for a number', body: of({ data: [{ valueOf: 1 }, 0, 0, 0] }), ...tensor },
  { what: 'one element too few', body: of({ data: [1, 2, 3] }), ...tensor },
  {
    what: 'a million elements too many',
    body: () => JSON.stringify(of({ data: new Array<number>(1e6).fill(0) })),
    headers: json,
    ...tensor,
  },
  { what: 'rows of other lengths', body: of({ shape: [2, 4], data: [[1, 2, 3, 4], [1]] }), ...tensor },
  { what: 'deeper data than its shape', body: of({ data: [[[1], 2, 3, 4]] }), ...tensor },
  { what: 'a byte of 256', body: of({ datatype: 'UINT8', data: [256, 0, 0, 0] }), ...tensor },
  { what: 'an integer of 2^65', headers: json, body: text('[36893488147419103232,0,0,0]', 'UINT64'), ...tensor },
  {
    what: 'an integer of a million digits',
    headers: json,
    body: () => text(`[${'9'.repeat(1e6)},0,0,0]`, 'INT64'),
    ...tensor,
  },
];

const RAW: readonly HostileBody[] = [
  {
    what: 'raw tensors, but no word of where they begin',
    headers: { 'content-type': 'application/octet-stream' },
    body: raw().body,
    ...request,
  },
  { what: 'JSON of 0 bytes', ...raw({ length: '0' }), ...request },
  { what: 'JSON of -1 bytes', ...raw({ length: '-1' }), ...request },
  { what: 'JSON longer than the body', ...raw({ length: '100000' }), ...request },
  { what: 'JSON of 2^64 bytes', ...raw({ length: '18446744073709551616' }), ...request },
  { what: 'JSON of two lengths', ...raw({ length: '10, 20' }), ...request },
  { what: 'JSON that is cut off', ...raw({ length: '20' }), ...request },
  { what: 'JSON that reaches into a tensor', ...raw({ length: String(raw().body.length) }), ...request },
  { what: 'a tensor longer than the body', ...raw({ parameters: { binary_data_size: 17 } }), ...request },
  { what: 'a tensor of 2^53 bytes', ...raw({ parameters: { binary_data_size: 2 ** 53 } }), ...request },
  { what: 'a tensor of -1 bytes', ...raw({ parameters: { binary_data_size: -1 } }), ...request },
  { what: 'a tensor of half a byte', ...raw({ parameters: { binary_data_size: 15.5 } }), ...request },
  { what: 'a tensor shorter than its shape', ...raw({ bytes: Buffer.alloc(12) }), ...tensor },
  { what: 'a raw tensor of another shape', ...raw({ json: { shape: [2 ** 31, 4] } }), ...tensor },
  { what: 'bytes after the last tensor', ...raw({ extra: Buffer.alloc(1) }), ...request },
  { what: 'a tensor twice over', ...raw({ json: { data: [1, 2, 3, 4] } }), ...request },
  { what: 'NaN in raw floats', ...raw({ bytes: Buffer.from(Float32Array.of(Number.NaN, 0, 0, 0).buffer) }), ...tensor },
  {
    what: 'infinities in raw floats',
    ...raw({ bytes: Buffer.from(Float32Array.of(-Infinity, 0, 0, 0).buffer) }),
    ...tensor,
  },
  { what: 'raw booleans of 2', ...raw({ json: { datatype: 'BOOL' }, bytes: Buffer.of(2, 0, 0, 0) }), ...tensor },
  {
    what: 'raw halves',
    ...raw({ json: { datatype: 'FP16' }, bytes: Buffer.alloc(8) }),
    status: 400,
    code: 'UNSUPPORTED_DATATYPE',
  },
  { what: 'shared memory', ...raw({ parameters: { shared_memory_region: 'x' } }), ...request },
];

const PATHS: readonly HostileBody[] = [
  { what: 'an unknown model', path: '/v2/models/nope/infer', body: good, status: 404, code: 'MODEL_UNKNOWN' },
  {
    what: 'a model that is a prototype',
    path: '/v2/models/constructor/infer',
    body: good,
    status: 404,
    code: 'MODEL_UNKNOWN',
  },
  { what: 'a way up', path: '/v2/models/..%2f..%2fetc/infer', body: good, ...request },
  { what: 'a NUL', path: '/v2/models/{model}%00/infer', body: good, ...request },
  { what: 'half an escape', path: '/v2/models/%E0%A4%A/infer', body: good, ...request },
  { what: 'two aliases', path: '/v2/models/{model}@a@b/infer', body: good, ...request },
  { what: 'a name of 5,000 characters', path: `/v2/models/${'m'.repeat(5000)}/infer`, body: good, ...request },
  {
    what: 'an unknown version',
    path: '/v2/models/{model}/versions/99/infer',
    body: good,
    status: 404,
    code: 'MODEL_VERSION_UNKNOWN',
  },
  {
    what: 'a version that is a path',
    path: '/v2/models/{model}/versions/..%2f1/infer',
    body: good,
    status: 404,
    code: 'MODEL_VERSION_UNKNOWN',
  },
  {
    what: 'an end of service by whom it is not for',
    path: '/v2/repository/models/{model}/unload',
    body: {},
    status: 403,
    code: 'FORBIDDEN',
  },
  { what: 'another method', method: 'PUT', body: good, status: 405, code: 'METHOD_NOT_ALLOWED' },
  { what: 'a method of caches', method: 'PURGE', body: good, status: 405, code: 'METHOD_NOT_ALLOWED' },
];

/** Strange, but nothing is wrong with it: it must not do what it is meant to. */
const HARMLESS: readonly HostileBody[] = [
  {
    what: 'a prototype among the parameters',
    headers: json,
    body: JSON.stringify(good).replace('{', '{"parameters":{"__proto__":1},'),
    status: 200,
  },
  {
    what: 'a constructor with a prototype',
    body: { ...good, constructor: { prototype: { polluted: true } } },
    status: 200,
  },
  { what: 'a prototype in the query', path: '/v2/models/{model}/infer?__proto__[polluted]=1', body: good, status: 200 },
  {
    what: 'another host',
    headers: { ...json, 'x-forwarded-host': 'attacker.example' },
    body: JSON.stringify(good),
    status: 200,
  },
];

export const HOSTILE_BODIES: readonly HostileBody[] = [...BODIES, ...TENSORS, ...RAW, ...PATHS, ...HARMLESS];
