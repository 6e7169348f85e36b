import { afterAll, describe, expect, it } from '@jest/globals';
import { createPayloadCodec, Keyring, transitWrapper } from '../../lib/codec/index.ts';
import type { BaoClient } from '../../lib/clients/index.ts';
import { stackBao } from '../support/stack-bao.ts';

const api = stackBao('api');
const worker = stackBao('worker-gpu');
const codecOf = (client: BaoClient) =>
  createPayloadCodec({ keyring: new Keyring({ wrapper: transitWrapper(client) }) });
const payload = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('{"epochs":3}') };

afterAll(() => Promise.all([api.close(), worker.close()]));

describe('with data keys of the stack', () => {
  it('a worker reads what the API encrypted', async () => {
    const [encrypted = {}] = await codecOf(api).encode([payload]);
    const [decrypted] = await codecOf(worker).decode([encrypted]);
    expect(Buffer.from(decrypted?.data ?? []).toString()).toBe('{"epochs":3}');
  });

  it('a data key that OpenBao did not wrap is refused', async () => {
    const [encrypted] = await codecOf(api).encode([payload]);
    const metadata = { ...encrypted?.metadata, 'saip-wrapped-key': Buffer.from(`vault:v1:${'A'.repeat(80)}`) };
    await expect(codecOf(worker).decode([{ ...encrypted, metadata }])).rejects.toMatchObject({
      code: 'PAYLOAD_UNDECRYPTABLE',
    });
  });
});
