import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SaipError } from '../../contracts/errors.ts';
import { createLogger, type LoggerOptions } from '../../lib/telemetry/index.ts';

function capture(options: LoggerOptions = {}): { logger: ReturnType<typeof createLogger>; lines: string[] } {
  const lines: string[] = [];
  return {
    logger: createLogger('test', { ...options, destination: { write: (line) => void lines.push(line) } }),
    lines,
  };
}

const parsed = (lines: readonly string[]): Record<string, unknown> =>
  JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>;

describe('createLogger', () => {
  it('writes one JSON object a line', () => {
    const { logger, lines } = capture();
    logger.warn({ model: 'mnist-cnn' }, 'two\nlines');
    expect(lines).toHaveLength(1);
    expect(lines[0]?.trimEnd()).not.toContain('\n');
    expect(parsed(lines)).toMatchObject({ level: 'warn', name: 'test', model: 'mnist-cnn', msg: 'two\nlines' });
    expect(parsed(lines)['time']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('leaves out what is below its level', () => {
    const { logger, lines } = capture({ level: 'error' });
    logger.info('quiet');
    expect(lines).toEqual([]);
  });

  it('shows an error with its code and what caused it', () => {
    const { logger, lines } = capture();
    const cause = new Error('connection refused');
    logger.error({ err: new SaipError('MLFLOW_UNAVAILABLE', 'MLflow does not answer.', { cause }) }, 'failed');
    expect(parsed(lines)['err']).toMatchObject({
      code: 'MLFLOW_UNAVAILABLE',
      message: expect.stringContaining('connection refused'),
      stack: expect.stringContaining('logger.test.ts'),
    });
  });

  it.each([
    'password',
    'clientSecret',
    'client_secret',
    'secretId',
    'access_token',
    'SAIP_TOKEN',
    'Authorization',
    'set-cookie',
    'privateKey',
    'api-key',
    'jws',
  ])('never writes the value of a field named %s, at any depth', (name) => {
    const value = fc.string({ minLength: 12, maxLength: 40, unit: fc.constantFrom(...'abcdefghijklmnop') });
    fc.assert(
      fc.property(value, fc.integer({ min: 0, max: 5 }), (secret, depth) => {
        const { logger, lines } = capture();
        let fields: Record<string, unknown> = { [name]: secret };
        for (let level = 0; level < depth; level += 1)
          fields = level % 2 === 0 ? { inner: fields } : { list: [fields] };
        logger.info(fields, 'entry');
        expect(lines.join('')).not.toContain(secret);
      }),
      { numRuns: 20 },
    );
  });

  const jwt = 'eyJhbGciOiJFUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl';
  it.each([
    ['a JWT', jwt, jwt],
    ['a bearer header', 'authorization: Bearer abcdefgh12345678', 'abcdefgh12345678'],
    ['a token of OpenBao', 'token s.AbCdEfGhIjKlMnOpQrStUvWx is revoked', 's.AbCdEfGhIjKlMnOpQrStUvWx'],
    ['a password in a URL', 'postgres://saip_api:correct-horse@127.0.0.1:5433/saip', 'correct-horse'],
  ])('censors %s in messages, fields and errors', (_, text, secret) => {
    const { logger, lines } = capture();
    logger.info(text);
    logger.info({ note: text }, 'field');
    logger.error({ err: new Error(text, { cause: new Error(text) }) }, 'error');
    expect(lines).toHaveLength(3);
    expect(lines.join('')).not.toContain(secret);
    for (const line of lines) expect(() => JSON.parse(line) as unknown).not.toThrow();
  });

  it('keeps what is no secret', () => {
    const { logger, lines } = capture();
    const fields = {
      sha256: 'a'.repeat(64),
      workflowId: 'train-2026.01.01',
      keys: ['a', 'b'],
      url: 'http://127.0.0.1:5000/a',
      at: new Date(0),
    };
    logger.info(fields, 'results.metrics_of_a_long_training_run');
    expect(parsed(lines)).toMatchObject({
      ...fields,
      at: '1970-01-01T00:00:00.000Z',
      msg: 'results.metrics_of_a_long_training_run',
    });
  });
});
