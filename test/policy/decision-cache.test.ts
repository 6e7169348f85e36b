import { describe, expect, it } from '@jest/globals';
import { DecisionCache, PolicyError, type AuthorizationRequest } from '../../lib/policy/index.ts';

const principal = { sub: 'ann', roles: ['predictor' as const], tenant: 'default' };
const request: AuthorizationRequest = { principal, action: 'model:infer', resource: { model: 'mnist' } };

/** A policy that counts what it is asked, and can be changed. */
function counted(options: { freshMs?: number; size?: number } = {}) {
  const state = { asked: 0, allow: true, sha256: 'a', now: 0, broken: false };
  const cache = new DecisionCache({
    ...options,
    now: () => state.now,
    authorizer: {
      get sha256() {
        return state.sha256;
      },
      decide: () => {
        state.asked += 1;
        if (state.broken) throw new PolicyError('POLICY_UNAVAILABLE', 'no decision');
        return { allow: state.allow, rule: 'test' };
      },
    },
  });
  return { state, cache };
}

describe('DecisionCache', () => {
  it('asks once for the same question, and again after five seconds', () => {
    const { state, cache } = counted();
    cache.decide(request);
    state.now = 4_999;
    cache.decide({ ...request, principal: { ...principal } });
    expect(state.asked).toBe(1);
    state.now = 5_000;
    state.allow = false;
    expect(cache.decide(request).allow).toBe(false);
  });

  it('keeps no decision longer than five seconds, whatever it is told', () => {
    const { state, cache } = counted({ freshMs: 60_000 });
    cache.decide(request);
    state.now = 5_000;
    cache.decide(request);
    expect(state.asked).toBe(2);
  });

  it.each([
    ['another subject', { principal: { ...principal, sub: 'eve' } }],
    ['other roles', { principal: { ...principal, roles: ['viewer' as const] } }],
    ['another tenant', { principal: { ...principal, tenant: 'other' } }],
    ['a key', { principal: { ...principal, scope: { id: 'k', actions: ['model:infer' as const] } } }],
    ['another action', { action: 'model:read' as const }],
    ['another model', { resource: { model: 'iris' } }],
    ['no model', { resource: {} }],
  ])('asks anew for %s', (_, changes) => {
    const { state, cache } = counted();
    cache.decide(request);
    cache.decide({ ...request, ...changes });
    expect(state.asked).toBe(2);
  });

  it('asks anew once another policy decides', () => {
    const { state, cache } = counted();
    cache.decide(request);
    state.sha256 = 'b';
    cache.decide(request);
    expect(state.asked).toBe(2);
  });

  it('does not remember that nothing was decided', () => {
    const { state, cache } = counted();
    state.broken = true;
    expect(() => cache.decide(request)).toThrow(PolicyError);
    state.broken = false;
    expect(cache.decide(request).allow).toBe(true);
  });
});
