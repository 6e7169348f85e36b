import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ACTIONS, ROLES, type Action, type Role } from '../../contracts/roles.ts';
import { Authorizer, type Resource } from '../../lib/policy/index.ts';

const READING = [
  ...(['workflow:read', 'model:read', 'dataset:read', 'schedule:read'] as const),
  ...(['attack:read', 'release:read', 'agent:read'] as const),
] as const;
const OPERATING = ['workflow:start', 'workflow:cancel', 'workflow:retry'] as const;

/** What each role may do to somebody else's run of a training in its own tenant. */
const ALLOWED: Record<Role, readonly Action[]> = {
  viewer: [...READING, 'metrics:read'],
  predictor: ['model:read', 'model:infer'],
  trainer: [
    ...[...READING, ...OPERATING],
    ...(['model:infer', 'model:rollback', 'schedule:write', 'codec:decode', 'dataset:write', 'model:import'] as const),
  ],
  approver: [...READING, 'workflow:approve', 'codec:decode'],
  redteam: [...READING, 'model:infer', 'codec:decode'],
  'agent-operator': [...READING, 'codec:decode'],
  releaser: [...READING, 'model:rollback', 'codec:decode'],
  auditor: [...READING, 'audit:read', 'codec:decode', 'metrics:read', 'limit:read', 'misuse:read'],
  admin: ACTIONS,
};

const training: Resource = { tenant: 'default', owner: 'bob', requestedBy: 'bob', workflowType: 'trainRegisterDeploy' };
const roles = fc.uniqueArray(fc.constantFrom(...ROLES));
const action = fc.constantFrom(...ACTIONS);

let authorizer: Authorizer;

beforeAll(async () => {
  authorizer = await Authorizer.load();
});

const decide = (granted: readonly Role[], wanted: Action, resource: Resource = training) =>
  authorizer.decide({
    principal: { sub: 'ann', roles: [...granted], tenant: 'default' },
    action: wanted,
    resource,
  });

describe('the policy authz', () => {
  describe.each([...ROLES])('for the role %s', (role) => {
    it.each([...ACTIONS])('decides about %s', (wanted) => {
      const allow = ALLOWED[role].includes(wanted);
      expect(decide([role], wanted)).toEqual({ allow, rule: allow ? `role:${role}` : 'default-deny' });
    });
  });

  it('allows a set of roles what one of them may', () => {
    fc.assert(
      fc.property(roles, action, (granted, wanted) => {
        expect(decide(granted, wanted).allow).toBe(granted.some((role) => ALLOWED[role].includes(wanted)));
      }),
    );
  });

  it('allows nothing without a role, nor for names that it does not know', () => {
    for (const wanted of ACTIONS) expect(decide([], wanted).allow).toBe(false);
    expect(decide(['root' as Role], 'model:read').allow).toBe(false);
    expect(decide(['admin'], 'model:invent' as Action).allow).toBe(false);
  });

  it('never lets the requester approve', () => {
    fc.assert(
      fc.property(roles, (granted) => {
        const decision = decide(granted, 'workflow:approve', { ...training, requestedBy: 'ann' });
        expect(decision).toEqual({ allow: false, rule: 'deny:approver-is-requester' });
      }),
    );
    expect(decide(['admin'], 'workflow:approve', {}).rule).toBe('deny:requester-unknown');
  });

  it('never reaches into another tenant', () => {
    fc.assert(
      fc.property(roles, action, (granted, wanted) => {
        expect(decide(granted, wanted, { ...training, tenant: 'other' }).allow).toBe(false);
      }),
    );
  });

  it('lets whoever started a workflow cancel it', () => {
    expect(decide([], 'workflow:cancel', { ...training, requestedBy: 'ann' })).toEqual({
      allow: true,
      rule: 'requester',
    });
  });

  it('grants the start of workflows by type', () => {
    const start = (role: Role, workflowType?: string) => decide([role], 'workflow:start', { workflowType }).allow;
    expect(start('releaser', 'rolloutModel')).toBe(true);
    expect(start('releaser', 'trainRegisterDeploy')).toBe(false);
    expect(start('trainer', 'rolloutModel')).toBe(true);
    expect(start('trainer', 'importModel')).toBe(true);
    expect(start('redteam', 'importModel')).toBe(false);
    expect(start('trainer', 'searchHyperparameters')).toBe(true);
    expect(start('releaser', 'searchHyperparameters')).toBe(false);
    expect(start('trainer', 'runTrial')).toBe(false);
    expect(start('redteam', 'attackRetest')).toBe(true);
    expect(start('redteam', 'trainRegisterDeploy')).toBe(false);
    expect(start('agent-operator', 'agentTask')).toBe(true);
    expect(start('releaser', 'signAndRelease')).toBe(true);
    expect(start('trainer', 'signAndRelease')).toBe(false);
    expect(start('admin', 'invented')).toBe(false);
    expect(start('admin')).toBe(false);
  });

  it('grants schedules by what they start', () => {
    const write = (role: Role, workflowType?: string) => decide([role], 'schedule:write', { workflowType }).allow;
    expect(write('redteam', 'attackRetest')).toBe(true);
    expect(write('redteam', 'trainRegisterDeploy')).toBe(false);
    expect(write('releaser', 'signAndRelease')).toBe(false);
    expect(write('admin')).toBe(false);
  });

  it('allows nothing to whom has no name', () => {
    const principal = { sub: '', roles: [...ROLES], tenant: 'default' };
    expect(authorizer.decide({ principal, action: 'model:read' }).rule).toBe('deny:no-subject');
  });
});

describe('Authorizer.load', () => {
  const policies = join(import.meta.dirname, '..', '..', 'infra', 'policies');

  async function withPolicies(change: (folder: string) => Promise<void>): Promise<unknown> {
    const folder = await mkdtemp(join(tmpdir(), 'saip-policy-test-'));
    try {
      for (const name of ['authz.wasm', 'authz.lock.json']) await cp(join(policies, name), join(folder, name));
      await change(folder);
      return await Authorizer.load({ folder: pathToFileURL(`${folder}/`) });
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  it('refuses a policy with one changed byte', async () => {
    const loading = withPolicies(async (folder) => {
      const wasm = await readFile(join(folder, 'authz.wasm'));
      wasm[wasm.length - 1] = (wasm[wasm.length - 1] ?? 0) ^ 1;
      await writeFile(join(folder, 'authz.wasm'), wasm);
    });
    await expect(loading).rejects.toMatchObject({ code: 'POLICY_UNAVAILABLE' });
  });

  it.each(['authz.wasm', 'authz.lock.json'])('refuses to go on without %s', async (name) => {
    await expect(withPolicies((folder) => rm(join(folder, name)))).rejects.toMatchObject({
      code: 'POLICY_UNAVAILABLE',
    });
  });
});
