import { describe, expect, it } from '@jest/globals';
import type { Caller } from '../../../api/http/route.ts';
import type { Servable } from '../../../api/serving/guard/index.ts';
import type { ModelFacts } from '../../../contracts/registry.ts';
import type { LimitRule } from '../../../lib/limits/index.ts';
import { guardInMemory as setUp } from '../support/guard.ts';

const ann: Caller = { sub: 'ann', roles: ['predictor'], tenant: 'default', expiresAt: 0 };
const evaluation = { task: 'regression' as const, samples: 1, ...zeroIntervals() };

function zeroIntervals() {
  const none = { value: 0, low: 0, high: 0 };
  return { rmse: none, mae: none, r2: none };
}

const FACTS: ModelFacts = {
  ...{ version: 1, model: 'm', dataset: 'd', cardSha256: 'a'.repeat(64), dataSha256: 'b'.repeat(64) },
  ...{ labels: ['a', 'b', 'c'], evaluation, export: { maxAbsDifference: 0, samples: 1 } },
  input: { name: 'x', shape: [4], range: [0, 255], statistics: { mean: 100, deviation: 50 } },
};

/** Answers the same probabilities to every row. */
function model({ known = true } = {}): Servable & { runs: number } {
  const servable = {
    ...{ model: 'm', version: '1', digest: 'c'.repeat(64), facts: known ? FACTS : undefined, runs: 0 },
    inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 4] }],
    outputs: [{ name: 'probabilities', datatype: 'FP32' as const, shape: [-1, 3] }],
    run: (feeds: Parameters<Servable['run']>[0]) => {
      servable.runs += 1;
      const rows = feeds['x']?.dims[0] ?? 0;
      const data = Float32Array.from({ length: rows * 3 }, (_, index) => [0.7, 0.2, 0.1][index % 3] ?? 0);
      return Promise.resolve({ probabilities: { type: 'float32' as const, data, dims: [rows, 3] } });
    },
  };
  return servable;
}

const rows = (...values: number[][]) => ({
  x: { type: 'float32' as const, data: Float32Array.from(values.flat()), dims: [values.length, 4] },
});
const USUAL = [40, 160, 90, 110];

const everybody = (rest: Partial<LimitRule>): LimitRule => ({
  tenant: 'default',
  kind: 'everybody',
  name: '',
  ...rest,
});

describe('the guard of models', () => {
  it('refuses what comes faster than its rate, and says when to come again', async () => {
    const { guard } = await setUp({ rules: [everybody({ rate: 0.1, burst: 2 })] });
    const headers: Record<string, string> = {};
    const sink = { setHeader: (name: string, value: string) => (headers[name] = value) };
    guard.admit(ann, model(), sink);
    guard.admit(ann, model(), sink);
    expect(headers).toEqual({ 'RateLimit-Policy': '"requests";q=2;w=20', RateLimit: '"requests";r=0;t=20' });
    expect(() => guard.admit(ann, model(), sink)).toThrow(
      expect.objectContaining({ code: 'RATE_LIMITED', headers: expect.objectContaining({ 'Retry-After': '10' }) }),
    );
    // Others are not concerned.
    guard.admit({ ...ann, sub: 'bob' }, model(), sink);
  });

  it('gives its part of a rate that several processes share', async () => {
    const { guard } = await setUp({ rules: [everybody({ rate: 0.2, burst: 4 })], sharers: 2 });
    const headers: Record<string, string> = {};
    const sink = { setHeader: (name: string, value: string) => (headers[name] = value) };
    guard.admit(ann, model(), sink);
    guard.admit(ann, model(), sink);
    expect(headers).toEqual({ 'RateLimit-Policy': '"requests";q=2;w=20', RateLimit: '"requests";r=0;t=20' });
    expect(() => guard.admit(ann, model(), sink)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  });

  it('counts a key with a limit of its own apart from its owner', async () => {
    const { guard } = await setUp({
      rules: [everybody({ rate: 0.1, burst: 1 }), { tenant: 'default', kind: 'key', name: 'k', rate: 0.1, burst: 2 }],
    });
    const byKey = { ...ann, scope: { id: 'k', actions: [] } };
    guard.admit(ann, model());
    guard.admit(byKey, model());
    guard.admit(byKey, model());
    expect(() => guard.admit(byKey, model())).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  });

  it('refuses rows beyond the quota of the day before they are run', async () => {
    const { guard } = await setUp({ rules: [everybody({ dailyRows: 3 })] });
    const target = model();
    await guard.admit(ann, target).model.run(rows(USUAL, USUAL), []);
    const next = guard.admit(ann, target);
    await expect(next.model.run(rows(USUAL, USUAL), [])).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
      headers: { RateLimit: expect.stringMatching(/^"rows";r=1;t=\d+$/), 'Retry-After': expect.any(String) },
    });
    expect(target.runs).toBe(1);
    await guard.admit(ann, target).model.run(rows(USUAL), []);
  });

  it('flags who uses up the query budget, once, and stops or slows whom it flagged', async () => {
    const rules = [everybody({ budgetRows: 2 })];
    const { guard, raised, registry } = await setUp({ rules, protection: { onFlag: 'stop' } });
    await guard.admit(ann, model()).model.run(rows(USUAL, USUAL, USUAL), []);
    expect(() => guard.admit(ann, model())).toThrow(expect.objectContaining({ code: 'MISUSE_STOPPED' }));
    expect(raised).toMatchObject([{ subject: 'ann', kind: 'query-budget', evidence: { rows: 3, budget: 2 } }]);
    expect(await registry.metrics()).toContain('saip_guard_refused_total{model="m",code="MISUSE_STOPPED"} 1');
    const slow = await setUp({ rules, protection: { onFlag: 'slow' } });
    await slow.guard.admit(ann, model()).model.run(rows(USUAL, USUAL, USUAL), []);
    slow.guard.admit(ann, model());
    expect(() => slow.guard.admit(ann, model())).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  });

  it('lets a caller go on whose flag was lifted', async () => {
    const flag = { id: 1, tenant: 'default', subject: 'ann', model: 'm', kind: 'distance-distribution' };
    const { guard, state, flags } = await setUp({ protection: { onFlag: 'stop' }, flags: [flag] });
    expect(() => guard.admit(ann, model())).toThrow(expect.objectContaining({ code: 'MISUSE_STOPPED' }));
    guard.admit({ ...ann, sub: 'bob' }, model());
    flags.length = 0;
    await state.refresh();
    guard.admit(ann, model());
  });

  it('tells less where a model says so, more to one role, and says what it kept', async () => {
    const { guard } = await setUp({
      protections: [
        { model: 'm', settings: { labelsOnly: true, decimals: 1 } },
        { model: 'm', role: 'trainer', settings: { labelsOnly: false } },
        { model: 'other', settings: { topK: 1 } },
      ],
    });
    const answer = async (caller: Caller) => {
      const visit = guard.admit(caller, model());
      const { probabilities } = await visit.model.run(rows(USUAL), ['probabilities']);
      return {
        data: [...(probabilities?.data ?? [])],
        note: visit.note,
        parameters: visit.model.told?.(),
        ...visit.answered({ outputs: [0.123] }),
      };
    };
    expect(await answer(ann)).toEqual({
      data: [1, 0, 0],
      note: 'labels-only decimals=1',
      outputs: [0.1],
      parameters: { hardening: 'labels-only decimals=1' },
    });
    const trainer = await answer({ ...ann, roles: ['predictor', 'trainer'] });
    expect(trainer).toMatchObject({ note: 'decimals=1', parameters: { hardening: 'decimals=1' } });
    expect(trainer.data).toEqual([0.7, 0.2, 0.1].map(Math.fround));
  });

  it('marks or refuses rows out of range, and passes over what it knows nothing of', async () => {
    const outside = rows(USUAL, [0, 0, 256, 0], [Number.NaN, 0, 0, 0]);
    const marking = await setUp({ protection: { outOfRange: 'mark' } });
    const visit = marking.guard.admit(ann, model());
    await visit.model.run(outside, []);
    expect([visit.note, visit.model.told?.()]).toEqual(['out-of-range=2', { out_of_range_rows: 2 }]);
    const refusing = await setUp({ protection: { outOfRange: 'refuse' } });
    await expect(refusing.guard.admit(ann, model()).model.run(outside, [])).rejects.toMatchObject({
      code: 'INPUT_OUT_OF_RANGE',
      message: expect.stringMatching(/^Row 1 /),
    });
    await refusing.guard.admit(ann, model({ known: false })).model.run(outside, []);
    await refusing.guard.admit(ann, model()).model.run(rows(USUAL), []);
  });

  it('flags noise by the share of rows unlike the data of the training', async () => {
    const { guard, watch, raised } = await setUp({ protection: { maxStrangeShare: 0.5 } });
    const blank = Array.from({ length: 300 }, () => [0, 0, 0, 0]);
    await guard.admit(ann, model()).model.run(rows(...blank), []);
    await guard.admit({ ...ann, sub: 'bob' }, model()).model.run(rows(...blank.map(() => USUAL)), []);
    await watch.settled();
    expect(raised).toMatchObject([{ subject: 'ann', kind: 'out-of-distribution', evidence: { share: 1 } }]);
  });

  it('leaves out what comes too fast to be looked at, and says so', async () => {
    const { guard, watch, registry } = await setUp({ protection: { minW: 0.95 } });
    const many = Array.from({ length: 3_000 }, (_, index) => [index % 251, index % 7, index % 31, index % 13]);
    await guard.admit(ann, model()).model.run(rows(...many), []);
    await watch.settled();
    const skipped = /saip_misuse_rows_skipped_total (\d+)/.exec(await registry.metrics())?.[1];
    expect(Number(skipped)).toBeGreaterThanOrEqual(900);
  });

  it('gives at most so many callers a series of their own', async () => {
    const { guard, registry } = await setUp();
    for (let caller = 0; caller < 130; caller += 1) {
      const visit = guard.admit({ ...ann, sub: `caller-${String(caller)}` }, model());
      await visit.model.run(rows(USUAL), []);
      visit.answered({});
    }
    const series = (await registry.metrics()).match(/^saip_usage_rows_total\{.*$/gm) ?? [];
    expect(series).toHaveLength(101);
    expect(series).toContain('saip_usage_rows_total{principal="other",model="m"} 30');
  });
});
