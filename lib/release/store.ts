import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { chmod, copyFile, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ArtifactRef } from '../../contracts/reference.ts';
import { RELEASE_FILES, ReleaseManifest, type ReleaseSummary } from '../../contracts/release.ts';
import { sweepFolder, temporaryName, type ArtifactStore } from '../artifacts/index.ts';
import { ReleaseError } from './errors.ts';

export interface ReleaseStoreOptions {
  /** Root of the artifact store; releases lie in its folder `releases`. */
  readonly root: string;
}

/** Names of models begin with a letter or a digit, so this is none. */
const STAGING = '.staging';

type Published = Pick<ReleaseSummary, 'model' | 'version' | 'manifestSha256'>;

/**
 * Release folders, `<model>/<version>/…`, complete or not there: a folder is written beside its place, flushed to disk,
 * and renamed once.
 */
export class ReleaseStore {
  readonly #root: string;

  /** Makes the folder where it is missing, and removes what writers left that died. @throws the system error */
  constructor({ root }: ReleaseStoreOptions) {
    this.#root = resolve(root, 'releases');
    mkdirSync(join(this.#root, STAGING), { recursive: true, mode: 0o750 });
    sweepFolder(join(this.#root, STAGING));
  }

  /** Where the folder of a release is; the caller knows from the list of releases whether it is published. */
  folder({ model, version }: { readonly model: string; readonly version: string }): string {
    return join(this.#root, model, version);
  }

  /**
   * Puts a folder in place. A folder that lies there already is left when it is the same release; otherwise nobody
   * published it, and it is replaced.
   *
   * @param files path in the folder → bytes in `store`, the manifest among them
   * @param check looks at the finished folder before it gets its name; what it throws leaves everything as it was
   */
  async put(a: {
    readonly model: string;
    readonly version: string;
    readonly files: Readonly<Record<string, ArtifactRef>>;
    readonly store: Pick<ArtifactStore, 'path'>;
    readonly check: (folder: string) => Promise<void>;
  }): Promise<void> {
    const target = this.folder(a);
    const manifestSha256 = a.files[RELEASE_FILES.manifest]?.sha256;
    if (manifestSha256 !== undefined && (await this.#digestOf(target)) === manifestSha256) return a.check(target);
    const staged = this.#temporary();
    try {
      await write(staged, a.files, a.store);
      await a.check(staged);
      await this.#install(staged, a);
    } finally {
      await rm(staged, { recursive: true, force: true });
    }
  }

  /** Takes a folder out of its place. */
  async remove(release: { readonly model: string; readonly version: string }): Promise<void> {
    const aside = this.#temporary();
    await rename(this.folder(release), aside).catch(unlessMissing);
    await rm(aside, { recursive: true, force: true });
  }

  /**
   * The manifest of a published release, compared with the digest under which it was published.
   * @throws ReleaseError RELEASE_DIGEST_MISMATCH
   */
  async manifest(release: Published): Promise<ReleaseManifest> {
    const bytes = await readFile(join(this.folder(release), RELEASE_FILES.manifest)).catch(unlessMissing);
    if (bytes !== undefined && sha256(bytes) === release.manifestSha256) {
      return ReleaseManifest.parse(JSON.parse(bytes.toString('utf8')));
    }
    throw new ReleaseError(
      'RELEASE_DIGEST_MISMATCH',
      `The folder of ${release.model} ${release.version} is not the one that was published.`,
      { field: RELEASE_FILES.manifest },
    );
  }

  async #digestOf(folder: string): Promise<string | undefined> {
    const bytes = await readFile(join(folder, RELEASE_FILES.manifest)).catch(unlessMissing);
    return bytes && sha256(bytes);
  }

  async #install(staged: string, release: { readonly model: string; readonly version: string }): Promise<void> {
    const target = this.folder(release);
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    await this.remove(release);
    await rename(staged, target);
    for (const folder of [dirname(target), this.#root]) await flush(folder);
  }

  #temporary(): string {
    return join(this.#root, STAGING, temporaryName(randomUUID()));
  }
}

/** Everything is on disk when this returns. */
async function write(
  folder: string,
  files: Readonly<Record<string, ArtifactRef>>,
  store: Pick<ArtifactStore, 'path'>,
): Promise<void> {
  const folders = new Set<string>([folder]);
  for (const [path, ref] of Object.entries(files)) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    for (let above = dirname(target); above.length >= folder.length; above = dirname(above)) folders.add(above);
    await copyFile(await store.path(ref), target);
    await chmod(target, 0o440);
    await flush(target);
  }
  for (const each of folders) await flush(each);
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
