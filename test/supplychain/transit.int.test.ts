import { afterAll, describe, expect, it } from '@jest/globals';
import { signModel, transitPublicKeys, transitSigner, verifyModel } from '../../lib/supplychain/index.ts';
import { sha256 } from '../support/local-transit.ts';
import { stackBao } from '../support/stack-bao.ts';

const name = 'mnist-cnn';
const files = { 'model.onnx': sha256('graph') };
const release = stackBao('worker-release');
const api = stackBao('api');
const worker = stackBao('worker-cpu');

afterAll(() => Promise.all([release.close(), api.close(), worker.close()]));

describe('with the logins of the stack', () => {
  it('the release worker signs what the API verifies', async () => {
    const { bundle, digest } = await signModel({ name, files, signer: transitSigner(release) });
    const publicKeys = await transitPublicKeys(api);
    expect(verifyModel({ files, bundle, publicKeys, name }).digest).toBe(digest);
  });

  it('the release worker signs releases with a key of its own, which the API knows', async () => {
    const { bundle } = await signModel({ name, files, signer: transitSigner(release, 'releases') });
    const publicKeys = await transitPublicKeys(api, 'releases');
    expect(verifyModel({ files, bundle, publicKeys, name }).name).toBe(name);
    const modelKeys = await transitPublicKeys(api);
    expect(() => verifyModel({ files, bundle, publicKeys: modelKeys })).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    );
  });

  it.each([
    ['api', api],
    ['worker-cpu', worker],
  ])('%s cannot sign releases', async (_name, client) => {
    await expect(client.transitSign('releases', Buffer.from('x'), { marshaling: 'asn1' })).rejects.toMatchObject({
      code: 'SECRET_FORBIDDEN',
    });
  });

  it.each([
    ['api', api],
    ['worker-cpu', worker],
  ])('%s cannot sign models', async (_name, client) => {
    await expect(signModel({ name, files, signer: transitSigner(client) })).rejects.toMatchObject({
      code: 'SECRET_FORBIDDEN',
    });
  });
});
