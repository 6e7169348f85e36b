import { describe, expect, it } from '@jest/globals';
import { LimitRules, rateLimitHeaders, type LimitRule } from '../../lib/limits/index.ts';

const defaults = { rate: 100, burst: 200, dailyRows: 0, budgetRows: 1_000 };
const ann = { tenant: 'default', subject: 'ann', roles: ['predictor', 'viewer'] };
const rule = (rest: Partial<LimitRule>): LimitRule => ({ tenant: 'default', kind: 'everybody', name: '', ...rest });

describe('limits', () => {
  it('are the defaults where nobody set any', () => {
    expect(new LimitRules([], defaults).for(ann, 'm')).toEqual(defaults);
  });

  it('come each from the most specific rule that says one', () => {
    const rules = new LimitRules(
      [
        rule({ rate: 50, dailyRows: 500 }),
        rule({ kind: 'role', name: 'predictor', burst: 10 }),
        rule({ kind: 'subject', name: 'ann', dailyRows: 7 }),
        rule({ kind: 'subject', name: 'ann', model: 'm', rate: 3 }),
        rule({ kind: 'key', name: 'k', rate: 1 }),
      ],
      defaults,
    );
    expect(rules.for(ann, 'm')).toEqual({ rate: 3, burst: 10, dailyRows: 7, budgetRows: 1_000 });
    expect(rules.for(ann, 'other')).toEqual({ rate: 50, burst: 10, dailyRows: 7, budgetRows: 1_000 });
    expect(rules.for({ ...ann, apiKey: 'k' }, 'm').rate).toBe(1);
    expect(rules.for({ ...ann, tenant: 'other' }, 'm')).toEqual(defaults);
    expect(rules.countsApart({ ...ann, apiKey: 'k' }, 'm')).toBe(true);
    expect(rules.countsApart({ ...ann, apiKey: 'other' }, 'm')).toBe(false);
  });

  it('of rates are shared out among processes, those of rows are not', () => {
    const shared = new LimitRules([rule({ kind: 'subject', name: 'ann', rate: 9, burst: 10 })], defaults, 3);
    expect(shared.for(ann, 'm')).toEqual({ rate: 3, burst: 4, dailyRows: 0, budgetRows: 1_000 });
    expect(shared.for({ ...ann, subject: 'bob' }, 'm')).toMatchObject({ rate: 100 / 3, burst: 67 });
    expect(new LimitRules([], { ...defaults, rate: 0, burst: 1 }, 4).for(ann, 'm')).toMatchObject({
      rate: 0,
      burst: 1,
    });
  });

  it('are the most generous of several roles', () => {
    const roles = [
      rule({ kind: 'role', name: 'predictor', rate: 5, dailyRows: 10 }),
      rule({ kind: 'role', name: 'viewer', rate: 9, dailyRows: 0 }),
    ];
    expect(new LimitRules(roles, defaults).for(ann, 'm')).toMatchObject({ rate: 9, dailyRows: 0 });
  });
});

it('says in structured fields what is left', () => {
  const left = { allowed: true, remaining: 4, retryAfter: 0, reset: 1.2 };
  expect(rateLimitHeaders({ rate: 2, burst: 10 }, left)).toEqual({
    'RateLimit-Policy': '"requests";q=10;w=5',
    RateLimit: '"requests";r=4;t=2',
  });
});
