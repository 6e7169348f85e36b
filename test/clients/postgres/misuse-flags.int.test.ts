import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AuditLog, MisuseFlags, type NewFlag } from '../../../lib/clients/index.ts';
import { createPrivateDatabase, type PrivateDatabase } from '../../support/private-database.ts';

let database: PrivateDatabase;
beforeAll(async () => {
  database = await createPrivateDatabase();
});
afterAll(() => database.drop());

const flag: NewFlag = {
  ...{ tenant: 'default', subject: 'ann', model: 'm', kind: 'query-budget' },
  evidence: { rows: 2, budget: 1 },
};

it('flags a caller only together with the record of why, so that a second try writes both', async () => {
  const flags = new MisuseFlags(database.api);
  await database.owner.query('REVOKE INSERT ON audit_log FROM saip_api');
  await expect(flags.raise(flag)).rejects.toMatchObject({ name: 'DatabaseError' });
  expect(await flags.open()).toEqual([]);
  await database.owner.query('GRANT INSERT ON audit_log TO saip_api');
  expect(await flags.raise(flag)).toBe(true);
  expect(await flags.raise(flag)).toBe(false);
  expect(await flags.open()).toMatchObject([{ subject: 'ann', kind: 'query-budget' }]);
  expect(await new AuditLog(database.api).entries({ action: 'misuse:flag' })).toMatchObject([
    { actor: 'ann', subject: 'model:m', detail: { kind: 'query-budget', rows: '2', budget: '1' } },
  ]);
});
