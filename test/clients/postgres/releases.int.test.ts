import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ModelRegistry, Releases, type NewRelease } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';
import { digest, newVersion } from './versions.ts';

let database: PrivateDatabase;
let registry: ModelRegistry;
let releases: Releases;

beforeAll(async () => {
  database = await createPrivateDatabase();
  registry = new ModelRegistry(database.worker);
  releases = new Releases(database.worker);
});
afterAll(() => database.drop());

async function registered(model: string, changes: Partial<NewRelease> = {}): Promise<NewRelease> {
  const { version } = await registry.register(newVersion(model, 'a'));
  const rest = { manifestSha256: digest('1'), workflowId: 'release', runId: 'run-1', requestedBy: 'ann' };
  return { model, version, digest: digest('a'), ...rest, ...changes };
}

describe('Releases', () => {
  it('publishes one release of a version, whoever does at the same time', async () => {
    const release = await registered('once');
    const results = await Promise.allSettled(
      [...'123456'].map((digit) => releases.publish({ ...release, manifestSha256: digest(digit) })),
    );
    const published = results.filter(({ status }) => status === 'fulfilled');
    expect(published).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'RELEASE_EXISTS' });
    }
    expect((await releases.list({ model: 'once', limit: 10 })).length).toBe(1);
  });

  it('gives a repetition what is published', async () => {
    const release = await registered('again', { approvedBy: 'bob' });
    const first = await releases.publish(release);
    expect(first).toMatchObject(release);
    expect(await releases.publish(release)).toEqual(first);
  });

  it('publishes neither a withdrawn version nor one with another digest', async () => {
    const release = await registered('gone');
    await expect(releases.publish({ ...release, digest: digest('b') })).rejects.toMatchObject({
      code: 'MODEL_VERSION_WITHDRAWN',
    });
    await registry.withdraw({ model: 'gone', version: release.version, reason: 'test' });
    await expect(releases.publish(release)).rejects.toMatchObject({ code: 'MODEL_VERSION_WITHDRAWN' });
    await expect(releases.get('gone', release.version)).rejects.toMatchObject({ code: 'RELEASE_UNKNOWN' });
    await expect(releases.get('gone', '../1')).rejects.toMatchObject({ code: 'MODEL_VERSION_UNKNOWN' });
  });

  it('forgets nothing that was withdrawn, and makes room for another', async () => {
    const release = await registered('back');
    const { model, version, workflowId, runId } = await releases.publish(release);
    const withdrawal = { model, version, workflowId, runId, reason: 'test' };
    expect(await releases.withdraw({ ...withdrawal, runId: 'other' })).toBe(false);
    expect(await releases.withdraw(withdrawal)).toBe(true);
    expect(await releases.withdraw(withdrawal)).toBe(false);
    expect(await releases.find(model, version)).toBeUndefined();
    await releases.publish({ ...release, manifestSha256: digest('2') });
    const { rows } = await database.owner.query<{ count: string }>('SELECT count(*) FROM releases WHERE model = $1', [
      model,
    ]);
    expect(rows[0]?.count).toBe('2');
  });
});

describe('the table', () => {
  it('changes for nobody but by a withdrawal', async () => {
    await releases.publish(await registered('fixed'));
    const denied = { code: '42501' };
    for (const sql of [
      `UPDATE releases SET manifest_sha256 = '${digest('9')}'`,
      'UPDATE releases SET withdrawn_at = NULL, withdrawn_reason = NULL, approved_by = NULL',
      'DELETE FROM releases',
      'TRUNCATE releases',
    ]) {
      await expect(database.owner.query(sql)).rejects.toMatchObject(denied);
    }
    await expect(database.api.query('DELETE FROM releases')).rejects.toMatchObject(denied);
    const insert = `INSERT INTO releases (model, version, digest, manifest_sha256, workflow_id, run_id, requested_by)
      VALUES ('fixed', 1, '${digest('a')}', '${digest('3')}', 'w', 'r', 'a')`;
    await expect(database.api.query(insert)).rejects.toMatchObject(denied);
  });
});
