import { generateKeyPairSync, sign as ecdsa } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { dsse } from '@sigstore/core';
import fc from 'fast-check';
import {
  keyHint,
  modelDigest,
  signModel,
  transitPublicKeys,
  transitSigner,
  verifyModel,
} from '../../lib/supplychain/index.ts';
import { LocalTransit, sha256 } from '../support/local-transit.ts';

interface BundleJson {
  mediaType: string;
  verificationMaterial: Record<string, unknown>;
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string; keyid?: string }[] };
}

const files = { 'model.onnx': sha256('graph'), 'model-facts.json': sha256('facts'), 'a/b': sha256('b') };
const transit = new LocalTransit();
const signer = transitSigner(transit);
const name = 'mnist-cnn';

const signed = async () => await signModel({ name, files, signer });
const publicKeys = () => transitPublicKeys(transit);
const parsed = async () => JSON.parse((await signed()).bundle) as BundleJson;

const verify = async (bundle: string | Uint8Array | undefined, present: Record<string, string> = files) =>
  verifyModel({ files: present, bundle, publicKeys: await publicKeys(), name });

/** A bundle over any statement, with a right signature. */
async function bundleOf(statement: unknown, payloadType = 'application/vnd.in-toto+json'): Promise<string> {
  const bundle = await parsed();
  const payload = Buffer.from(typeof statement === 'string' ? statement : JSON.stringify(statement));
  const { signature } = await signer.sign(dsse.preAuthEncoding(payloadType, payload));
  bundle.dsseEnvelope = {
    payload: payload.toString('base64'),
    payloadType,
    signatures: [{ sig: signature.toString('base64') }],
  };
  return JSON.stringify(bundle);
}

const statementOf = async () =>
  JSON.parse(Buffer.from((await parsed()).dsseEnvelope.payload, 'base64').toString()) as {
    subject: { name: string; digest: { sha256: string } }[];
    predicateType: string;
    predicate: {
      serialization: Record<string, unknown>;
      resources: { name: string; algorithm: string; digest: string }[];
    };
  };

describe('signModel', () => {
  it('makes a Sigstore bundle v0.3 with a statement of OpenSSF Model Signing v1.0', async () => {
    const bundle = await parsed();
    const [pem = ''] = await publicKeys();
    expect(bundle.mediaType).toBe('application/vnd.dev.sigstore.bundle.v0.3+json');
    expect(bundle.verificationMaterial['publicKey']).toEqual({ hint: sha256(pem) });
    expect(bundle.dsseEnvelope.signatures.map(({ keyid }) => keyid ?? '')).toEqual(['']);
    expect(await statementOf()).toEqual({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name, digest: { sha256: modelDigest(files) } }],
      predicateType: 'https://model_signing/signature/v1.0',
      predicate: {
        serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false },
        resources: ['a/b', 'model-facts.json', 'model.onnx'].map((path) => ({
          name: path,
          algorithm: 'sha256',
          digest: files[path as keyof typeof files],
        })),
      },
    });
  });

  it('digests the raw file digests in the order of their paths', async () => {
    const digests = ['a/b', 'model-facts.json', 'model.onnx'].map((path) => files[path as keyof typeof files]);
    expect((await signed()).digest).toBe(sha256(Buffer.from(digests.join(''), 'hex')));
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    expect(modelDigest(reversed)).toBe(modelDigest(files));
  });

  it.each(['../x', '/x', 'a//b', './a', 'a/', '', '.git', '.git/config', '.gitignore', 'a\\b', 'a\nb'])(
    'refuses the path %j',
    async (path) => {
      const signing = signModel({ name, files: { [path]: sha256('') }, signer });
      await expect(signing).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', field: path });
    },
  );
});

describe('verifyModel', () => {
  it('accepts what was signed', async () => {
    const { bundle, digest } = await signed();
    expect(await verify(bundle)).toEqual({ name, digest, files });
    expect(await verify(Buffer.from(bundle))).toEqual({ name, digest, files });
  });

  it('accepts signatures of older key versions until they are withdrawn', async () => {
    const rotated = new LocalTransit();
    const { bundle } = await signModel({ name, files, signer: transitSigner(rotated) });
    rotated.rotate();
    expect(verifyModel({ files, bundle, publicKeys: await transitPublicKeys(rotated) }).name).toBe(name);
    rotated.retireOld();
    const withdrawn = await transitPublicKeys(rotated);
    expect(() => verifyModel({ files, bundle, publicKeys: withdrawn })).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_INVALID' }),
    );
  });

  it.each([undefined, '', new Uint8Array()])('tells that a signature is missing (%p)', async (bundle) => {
    await expect(verify(bundle)).rejects.toMatchObject({ code: 'SIGNATURE_MISSING' });
  });

  it('names the file that was changed, is missing or is too many', async () => {
    const { bundle } = await signed();
    const fewer = Object.fromEntries(Object.entries(files).filter(([path]) => path !== 'model.onnx'));
    const cases: [Record<string, string>, string][] = [
      [{ ...files, 'model.onnx': sha256('other') }, 'model.onnx'],
      [fewer, 'model.onnx'],
      [{ ...files, 'extra.bin': sha256('') }, 'extra.bin'],
    ];
    for (const [present, field] of cases) {
      await expect(verify(bundle, present)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID', field });
    }
  });

  it('refuses the signature of another model', async () => {
    const { bundle } = await signModel({ name: 'other', files, signer });
    await expect(verify(bundle)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('refuses another key, also under the hint of a trusted one', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const own = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const [trusted = ''] = await publicKeys();
    for (const claimed of [own, trusted]) {
      const forger = {
        sign: async (message: Uint8Array) => ({ signature: ecdsa('sha256', message, privateKey), publicKey: claimed }),
      };
      const { bundle } = await signModel({ name, files, signer: forger });
      await expect(verify(bundle)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    }
    expect(keyHint(own)).not.toBe(keyHint(trusted));
  });

  it('refuses a change of any one byte of statement or signature', async () => {
    const bundle = await parsed();
    const { payload, signatures } = bundle.dsseEnvelope;
    const flip = (base64: string, at: number) => {
      const bytes = Buffer.from(base64, 'base64');
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
      return bytes.toString('base64');
    };
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (at) => {
        const sig = signatures[0]?.sig ?? '';
        for (const envelope of [
          { ...bundle.dsseEnvelope, payload: flip(payload, at) },
          { ...bundle.dsseEnvelope, signatures: [{ sig: flip(sig, at) }] },
        ]) {
          await expect(verify(JSON.stringify({ ...bundle, dsseEnvelope: envelope }))).rejects.toMatchObject({
            code: 'SIGNATURE_INVALID',
          });
        }
      }),
    );
  });

  it('refuses any text that is no bundle', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.json(), fc.string({ minLength: 1 })), async (text) => {
        await expect(verify(text)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
      }),
    );
    await expect(verify(`"${'a'.repeat(5_000_000)}"`)).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
  });

  it('refuses a bundle that brings a certificate, or other content', async () => {
    const bundle = await parsed();
    const certified = { ...bundle, verificationMaterial: { certificate: { rawBytes: 'AA==' }, tlogEntries: [] } };
    const blob = {
      ...bundle,
      dsseEnvelope: undefined,
      messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'AA==' }, signature: 'AA==' },
    };
    for (const other of [certified, blob]) {
      await expect(verify(JSON.stringify(other))).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    }
  });

  it('refuses signed statements that say something else', async () => {
    const statement = await statementOf();
    const { predicate, subject } = statement;
    const [first] = predicate.resources;
    const others: unknown[] = [
      'no json',
      { ...statement, predicateType: 'https://slsa.dev/provenance/v1' },
      { ...statement, _type: 'https://in-toto.io/Statement/v0.1' },
      { ...statement, subject: [...subject, ...subject] },
      { ...statement, subject: [{ name, digest: { sha256: sha256('other') } }] },
      { ...statement, predicate: { ...predicate, serialization: { ...predicate.serialization, method: 'shards' } } },
      { ...statement, predicate: { ...predicate, serialization: { ...predicate.serialization, hash_type: 'md5' } } },
      { ...statement, predicate: { ...predicate, resources: [] } },
      { ...statement, predicate: { ...predicate, resources: [...predicate.resources, first] } },
      { ...statement, predicate: { ...predicate, resources: [{ ...first, name: '../model.onnx' }] } },
      { ...statement, predicate: { ...predicate, resources: [{ ...first, algorithm: 'blake2b' }] } },
    ];
    for (const other of others) {
      await expect(verify(await bundleOf(other))).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    }
    await expect(verify(await bundleOf(statement, 'text/plain'))).rejects.toMatchObject({ code: 'SIGNATURE_INVALID' });
    expect((await verify(await bundleOf(statement))).name).toBe(name);
  });
});
