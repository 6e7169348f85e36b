import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { loadAgent, TOOLS, ToolPolicy } from '../../lib/agents/index.ts';

let policy: ToolPolicy;
beforeAll(async () => {
  policy = await ToolPolicy.load();
});

const NAMES = TOOLS.map(({ name }) => name);

const call = (tool: string, args: unknown, changes: object = {}) =>
  policy.decide({
    agent: 'model-analyst',
    model: 'remote',
    phase: 'call',
    tool,
    arguments: args,
    proposals: 0,
    task: { requestedBy: 'ann' },
    ...changes,
  });

describe('the policy tools', () => {
  it('grants the agent what it asks for, and a model of this size no tool with an effect', () => {
    const definition = loadAgent('model-analyst');
    expect(policy.granted(definition, 'remote')).toEqual([
      { tool: 'list_models', approval: false },
      { tool: 'get_run_metrics', approval: false },
      { tool: 'compare_versions', approval: false },
      { tool: 'propose_rollback', approval: true },
    ]);
    expect(policy.granted(definition, 'embedded').map(({ tool }) => tool)).toEqual([
      'list_models',
      'get_run_metrics',
      'compare_versions',
    ]);
  });

  it('knows no other tool, agent or phase', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.jsonValue(), (agent, tool, args) => {
        fc.pre(!NAMES.includes(tool) || agent !== 'model-analyst');
        for (const phase of ['offer', 'call', 'effect'] as const) {
          expect(policy.decide({ agent, model: 'remote', phase, tool, arguments: args }).allow).toBe(false);
        }
      }),
    );
  });

  it('allows no arguments that the schema of the tool does not', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('mnist-cnn', '1', 'champion', 'x'.repeat(301), 5));
    const args = fc.dictionary(
      fc.constantFrom('model', 'version', 'first', 'second', 'toVersion', 'reason', 'limit', 'sql', '__proto__'),
      value,
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(fc.constantFrom(...TOOLS), args, (tool, given) => {
        if (call(tool.name, given).allow) expect(tool.schema.safeParse(given).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('allows a proposal once, and its effect only by another person about exactly this', () => {
    const args = { model: 'mnist-cnn', toVersion: '1', reason: 'worse' };
    expect(call('propose_rollback', args)).toMatchObject({ allow: true, approval: true });
    expect(call('propose_rollback', args, { proposals: 1 }).rule).toBe('deny:second-proposal');
    const digest = 'a'.repeat(64);
    const effect = (by: string, subjectDigest: string) =>
      call('propose_rollback', args, { phase: 'effect', approval: { by, subjectDigest }, subjectDigest: digest }).allow;
    expect(effect('bob', digest)).toBe(true);
    expect(effect('ann', digest)).toBe(false);
    expect(effect('bob', 'b'.repeat(64))).toBe(false);
  });
});
