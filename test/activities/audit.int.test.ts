import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultActivityInfo } from '@temporalio/testing/lib/mocking-activity-environment.js';
import { createAuditActivities } from '../../activities/audit/index.ts';
import { AuditLog, DatabaseError } from '../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../support/private-database.ts';
import { inActivity } from './support/in-activity.ts';

let database: PrivateDatabase;

beforeAll(async () => {
  database = await createPrivateDatabase();
});
afterAll(() => database.drop());

const entry = {
  actor: 'workflow',
  action: 'promote',
  subject: 'model:m',
  decision: 'approved',
  detail: { version: '1' },
};

describe('audit', () => {
  it('writes one entry for one activity, whatever its attempts', async () => {
    const { audit } = createAuditActivities({ log: new AuditLog(database.worker) });
    for (const activityId of ['1', '1', '2']) await inActivity(audit, entry, { ...defaultActivityInfo, activityId });
    expect(await new AuditLog(database.api).entries()).toMatchObject([entry, entry]);
  });

  it('says that the log cannot be written, so that nothing goes on without it', async () => {
    const log = {
      append: () => Promise.reject(new DatabaseError('DATABASE_UNAVAILABLE', 'PostgreSQL is not available.')),
    };
    const { audit } = createAuditActivities({ log });
    await expect(inActivity(audit, entry)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});
