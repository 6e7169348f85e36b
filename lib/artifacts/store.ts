import canonicalize from 'canonicalize';
import { createReadStream, mkdirSync } from 'node:fs';
import { stat, unlink } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { z } from 'zod';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { pathOf } from './address.ts';
import { ArtifactError, systemCode } from './errors.ts';
import { readPart, readVerified, streamVerified, verify, type ArtifactPart } from './read.ts';
import { sweepFolder, temporaryFolder } from './temporary.ts';
import { writeBlob } from './write.ts';

export interface PutOptions {
  /** RFC 6838 media type, kept in the reference. */
  readonly mediaType: string;
}

/**
 * Content-addressed store in a folder: bytes are named by their SHA-256 (`cas://sha256/<hex>`), never change, and are
 * verified each time they are read. Equal bytes are stored once. Safe for many processes at once.
 */
export class ArtifactStore {
  readonly #root: string;

  /**
   * Makes the folder where it is missing, and removes what writers left that died.
   * @throws the system error when the folder cannot be made or listed
   */
  constructor(options: { readonly root: string }) {
    this.#root = resolve(options.root);
    mkdirSync(temporaryFolder(this.#root), { recursive: true, mode: 0o750 });
    sweepFolder(temporaryFolder(this.#root));
  }

  /**
   * Stores bytes, or a stream of them without holding it in memory; durable when it returns.
   * @throws ArtifactError ARTIFACT_WRITE_FAILED
   */
  put(bytes: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions): Promise<ArtifactRef> {
    return writeBlob(this.#root, bytes instanceof Uint8Array ? [bytes] : bytes, options.mediaType);
  }

  /** Stores a copy of a file. @throws ArtifactError ARTIFACT_WRITE_FAILED, or the system error of reading `path` */
  putFile(path: string, options: PutOptions): Promise<ArtifactRef> {
    return this.put(createReadStream(path), options);
  }

  /** Stores canonical JSON (RFC 8785), so that equal values have one digest. @throws ArtifactError, TypeError */
  async putJson(value: unknown): Promise<ArtifactRef> {
    const text = canonicalize(value);
    if (text === undefined) throw new TypeError('The value has no JSON form.');
    return this.put(Buffer.from(text, 'utf8'), { mediaType: 'application/json' });
  }

  /** @throws ArtifactError ARTIFACT_NOT_FOUND, ARTIFACT_DIGEST_MISMATCH */
  async read(ref: ArtifactRef): Promise<Buffer> {
    return readVerified(pathOf(this.#root, ref), ref);
  }

  /** @throws ArtifactError as `read`; the parser's error when the bytes are not what `schema` describes */
  async readJson<T>(ref: ArtifactRef, schema: z.ZodType<T>): Promise<T> {
    return schema.parse(JSON.parse((await this.read(ref)).toString('utf8')));
  }

  /** The bytes as they are read, for files that are not held in memory. @throws as `read`, a changed byte at the end */
  stream(ref: ArtifactRef): AsyncIterable<Buffer> {
    return streamVerified(pathOf(this.#root, ref), ref);
  }

  /** A part of the bytes, which its own digest vouches for. @throws as `read` */
  async readPart(ref: ArtifactRef, part: ArtifactPart): Promise<Buffer> {
    return readPart(pathOf(this.#root, ref), ref, part);
  }

  /** Path of the read-only file, verified just now: for native code that opens files itself. @throws as `read` */
  async path(ref: ArtifactRef): Promise<string> {
    const path = pathOf(this.#root, ref);
    await verify(path, ref);
    return path;
  }

  /**
   * Frees the bytes of an artifact that nothing refers to any more.
   * @param options `before`: milliseconds since the epoch; what was written, or written again, later stays
   * @returns whether they were freed
   * @throws ArtifactError for a reference to something else, or the system error of the deletion
   */
  async remove(ref: ArtifactRef, { before }: { readonly before: number }): Promise<boolean> {
    const path = pathOf(this.#root, ref);
    try {
      if ((await stat(path)).mtimeMs > before) return false;
      await unlink(path);
      return true;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Whether the artifact is there and whole. */
  async exists(ref: ArtifactRef): Promise<boolean> {
    try {
      await this.path(ref);
      return true;
    } catch (error) {
      if (error instanceof ArtifactError) return false;
      throw error;
    }
  }
}
