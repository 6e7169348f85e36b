/** What is written to a socket as it is, and the status that must come back; 0: the connection ends without an answer. */
export interface HostileMessage {
  readonly what: string;
  /** Header lines after the request line, the host and the token. */
  readonly lines?: readonly string[];
  readonly body?: string;
  /** Instead of everything else. */
  readonly whole?: (at: { host: string; path: string; token: string }) => string;
  readonly status: number;
}

const json = 'Content-Type: application/json';
const body = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';
const length = `Content-Length: ${String(body.length)}`;
const chunked = 'Transfer-Encoding: chunked';
const smuggled = `0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n`;

/** A route that Express answers. */
const twoTokens = ({ host, token }: { host: string; token: string }): string =>
  [
    'GET /v1/models HTTP/1.1',
    `Host: ${host}`,
    `Authorization: Bearer ${token}`,
    'authorization: Bearer x',
    '',
    '',
  ].join('\r\n');

export const HOSTILE_MESSAGES: readonly HostileMessage[] = [
  { what: 'nothing hostile', lines: [json, length], body, status: 200 },
  { what: 'two lengths', lines: [json, length, 'Content-Length: 5'], body, status: 400 },
  { what: 'a length twice', lines: [json, length, length], body, status: 400 },
  { what: 'a list of lengths', lines: [json, `${length}, 5`], body, status: 400 },
  { what: 'a negative length', lines: [json, 'Content-Length: -1'], body, status: 400 },
  { what: 'a length with a sign', lines: [json, 'Content-Length: +5'], body, status: 400 },
  { what: 'a hexadecimal length', lines: [json, 'Content-Length: 0x10'], body, status: 400 },
  { what: 'a length beyond 2^64', lines: [json, 'Content-Length: 18446744073709551617'], body, status: 400 },
  { what: 'a length and chunks', lines: [json, length, chunked], body: smuggled, status: 400 },
  { what: 'chunks and a length', lines: [json, chunked, length], body: smuggled, status: 400 },
  { what: 'chunks by another name', lines: [json, 'Transfer-Encoding: xchunked'], body, status: 400 },
  { what: 'chunks that are not last', lines: [json, 'Transfer-Encoding: chunked, identity'], body, status: 400 },
  { what: 'chunks of no number', lines: [json, chunked], body: `zz\r\n${body}\r\n0\r\n\r\n`, status: 400 },
  {
    what: 'a chunk beyond 2^64',
    lines: [json, chunked],
    body: `fffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
    status: 400,
  },
  { what: 'a chunk of a negative length', lines: [json, chunked], body: `-1\r\n${body}\r\n0\r\n\r\n`, status: 400 },
  {
    what: 'a chunk with an extension of 20 KiB',
    lines: [json, chunked],
    body: `5;${'x'.repeat(20_480)}\r\nhello\r\n0\r\n\r\n`,
    status: 413,
  },
  {
    what: 'a length and chunks, then what is not last',
    lines: [json, length, `${chunked}, identity`],
    body,
    status: 400,
  },
  { what: 'no transfer coding but identity', lines: [json, length, 'Transfer-Encoding: identity'], body, status: 400 },
  { what: 'chunks twice', lines: [json, chunked, chunked], body: smuggled, status: 400 },
  { what: 'a line that ends in a line feed', lines: [`${json}\nX-A: b`, length], body, status: 400 },
  {
    what: 'line feeds alone',
    whole: ({ path, host, token }) =>
      `POST ${path} HTTP/1.1\nHost: ${host}\nAuthorization: Bearer ${token}\n${json}\n${length}\n\n${body}`,
    status: 400,
  },
  { what: 'a token twice', lines: [json, length, 'Authorization: Bearer x'], body, status: 400 },
  { what: 'a token twice, elsewhere than on the data plane', whole: twoTokens, status: 400 },
  { what: 'an API key twice', lines: [json, length, 'X-API-Key: a', 'x-api-key: b'], body, status: 400 },
  { what: 'a host twice', lines: [json, length, 'Host: elsewhere'], body, status: 400 },
  { what: 'a folded token', lines: [json, length, 'X-A: a\r\n\tAuthorization: Bearer x'], body, status: 400 },
  { what: 'a space before a colon', lines: [json, length.replace(':', ' :')], body, status: 400 },
  { what: 'a folded header', lines: [json, 'X-A: 1\r\n  Content-Length: 5', length], body, status: 400 },
  { what: 'a NUL in a header', lines: [json, length, 'X-A: a\0b'], body, status: 400 },
  { what: 'a return in a header', lines: [json, length, 'X-A: a\rX-B: b'], body, status: 400 },
  { what: 'a header of 17 KiB', lines: [json, length, `X-A: ${'a'.repeat(17 * 1024)}`], body, status: 431 },
  {
    what: 'a thousand headers',
    lines: [json, length, ...Array.from({ length: 3000 }, (_, i) => `X-${String(i)}: 1`)],
    body,
    status: 431,
  },
  {
    what: 'an address of 17 KiB',
    whole: ({ host }) => `GET /${'a'.repeat(17 * 1024)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`,
    status: 431,
  },
  { what: 'no host', whole: ({ path }) => `POST ${path} HTTP/1.1\r\n\r\n`, status: 400 },
  { what: 'no HTTP', whole: () => 'hello\r\n\r\n', status: 400 },
  { what: 'the beginning of TLS', whole: () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', status: 400 },
  { what: 'another version of HTTP', whole: ({ path }) => `POST ${path} HTTP/9.9\r\nHost: x\r\n\r\n`, status: 400 },
  { what: 'HTTP/2 with prior knowledge', whole: () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', status: 400 },
  { what: 'a tunnel', whole: () => 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n', status: 0 },
  { what: 'an expectation', lines: [json, length, 'Expect: the-impossible'], body, status: 417 },
  { what: 'an upgrade', lines: [json, length, 'Connection: Upgrade', 'Upgrade: websocket'], body, status: 200 },
  {
    what: 'a body that ends too early',
    lines: [json, 'Content-Length: 1000', 'Connection: close'],
    body: '{"inputs":',
    status: 0,
  },
];
