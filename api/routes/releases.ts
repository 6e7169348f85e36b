import { pipeline } from 'node:stream/promises';
import { create } from 'tar';
import { z } from 'zod';
import { ReleaseDetail, ReleaseKeys, ReleaseList, ReleaseListQuery } from '../../contracts/release-api.ts';
import { Name } from '../../contracts/reference.ts';
import { RELEASE_FILES, VersionNumber } from '../../contracts/release.ts';
import { releaseSummary, type Releases } from '../../lib/clients/index.ts';
import { fingerprint, type ReleaseStore } from '../../lib/release/index.ts';
import { pageOf, readToken } from '../http/paging.ts';
import { route, type Route } from '../http/route.ts';

export interface ReleaseRoutesOptions {
  readonly releases: Pick<Releases, 'list' | 'get'>;
  readonly folders: Pick<ReleaseStore, 'folder' | 'manifest'>;
  /** PEM of every usable version of the key that signs releases. */
  readonly publicKeys: () => Promise<readonly string[]>;
}

const tag = 'Releases';
const params = z.strictObject({ model: Name, version: VersionNumber });
const RowToken = z.coerce.number().int().positive();

/** Whole releases go over slow lines; a client that stops reading ends its download itself. */
const DOWNLOAD_MS = 600_000;

export function releaseRoutes(options: ReleaseRoutesOptions): Route[] {
  return [listRoute(options), showRoute(options), archiveRoute(options), keysRoute(options)];
}

function listRoute({ releases }: ReleaseRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/releases',
    operationId: 'listReleases',
    tag,
    summary: 'Published releases, newest first',
    access: 'release:read',
    query: ReleaseListQuery,
    success: { status: 200, description: 'One page.', schema: ReleaseList },
    handler: async ({ query: { model, limit, pageToken } }) => {
      const rows = await releases.list({ model, before: readToken(pageToken, RowToken), limit: limit + 1 });
      const { items, nextPageToken } = pageOf(rows, limit, ({ id }) => String(id));
      return { releases: items.map(releaseSummary), nextPageToken };
    },
  });
}

function showRoute({ releases, folders }: ReleaseRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/releases/{model}/{version}',
    operationId: 'getRelease',
    tag,
    summary: 'A release with its manifest, which is compared with the digest it was published under',
    access: 'release:read',
    params,
    success: { status: 200, description: 'The release.', schema: ReleaseDetail },
    errors: ['RELEASE_UNKNOWN', 'RELEASE_DIGEST_MISMATCH'],
    handler: async ({ params: { model, version } }) => {
      const release = await releases.get(model, version);
      return { release: releaseSummary(release), manifest: await folders.manifest(release) };
    },
  });
}

function archiveRoute({ releases, folders }: ReleaseRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/releases/{model}/{version}/archive',
    operationId: 'downloadRelease',
    tag,
    summary: 'The whole release folder as a tar archive',
    description: 'Verify what you got: `saip release verify`. The server that sends it is not what makes it right.',
    access: 'release:read',
    params,
    timeout: DOWNLOAD_MS,
    success: {
      status: 200,
      description: 'A POSIX tar archive with one folder.',
      mediaType: 'application/x-tar',
      headers: { 'Content-Disposition': 'A name for the file.' },
    },
    errors: ['RELEASE_UNKNOWN', 'RELEASE_DIGEST_MISMATCH'],
    handler: async ({ params: { model, version }, response, signal }) => {
      const release = await releases.get(model, version);
      const { files } = await folders.manifest(release);
      const paths = [...Object.keys(files), RELEASE_FILES.manifest, RELEASE_FILES.provenance].sort();
      const name = `${model}-${version}`;
      response.type('application/x-tar').attachment(`${name}.tar`);
      // Neither owner nor times of this machine: the same release gives the same bytes.
      const archive = create({ cwd: folders.folder(release), prefix: name, portable: true, noMtime: true }, paths);
      await pipeline(archive, response, { signal });
    },
  });
}

function keysRoute({ publicKeys }: ReleaseRoutesOptions): Route {
  return route({
    method: 'get',
    path: '/v1/release-keys',
    operationId: 'getReleaseKeys',
    tag,
    summary: 'Public keys that verify releases; compare their fingerprints by another way before you trust them',
    access: 'public',
    success: { status: 200, description: 'Every usable version of the key.', schema: ReleaseKeys },
    handler: async ({ response }) => {
      response.set('Cache-Control', 'public, max-age=300');
      return { keys: (await publicKeys()).map((pem) => ({ fingerprint: fingerprint(pem), pem })) };
    },
  });
}
