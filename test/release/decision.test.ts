import { beforeAll, describe, expect, it } from '@jest/globals';
import { PolicyAnswer, type PolicyInput } from '../../contracts/release.ts';
import { CompiledPolicy } from '../../lib/policy/index.ts';
import { sha256 } from '../support/local-transit.ts';

let policy: CompiledPolicy<PolicyAnswer>;
beforeAll(async () => {
  policy = await CompiledPolicy.load({ name: 'release', decision: PolicyAnswer });
});

const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
const digest = sha256('model');
const question: PolicyInput = {
  request: { requestedBy: 'ann', risk: 'medium', requireAttackReport: false, requireApproval: false },
  version: { model: 'mnist-softmax', version: '1', digest, withdrawn: false, signatureValid: true },
  findings: [],
  evidence: {
    dataCard: { sha256: sha256('card'), licenses: ['https://creativecommons.org/licenses/by-sa/3.0/'] },
    metrics: {
      sha256: sha256('facts'),
      samples: 10_000,
      values: { accuracy: interval(0.92), macroF1: interval(0.91) },
    },
    lineage: { sha256: sha256('lineage'), gitCommit: 'a'.repeat(40) },
    attackReport: { sha256: sha256('attack'), digest, worst: [{ epsilon: 0.2, accuracy: interval(0.9) }] },
  },
  boms: {
    platform: { sha256: sha256('platform'), components: 700 },
    model: { sha256: sha256('bom'), components: 5 },
  },
};

/** What the Rego tests say about the sources holds for the compiled policy that the worker evaluates. */
describe('the compiled release policy', () => {
  it('allows a version with everything in order', () => {
    expect(policy.evaluate(question)).toEqual({ allow: true, requireApproval: false, reasons: [], rule: 'allow' });
  });

  it('asks for another person where nobody attacked the version', () => {
    const evidence = { ...question.evidence, attackReport: undefined };
    expect(policy.evaluate({ ...question, evidence })).toEqual({
      allow: true,
      requireApproval: true,
      reasons: ['nobody has attacked this version'],
      rule: 'approval:no-attack-report',
    });
  });

  it('asks for another person where an attack succeeded', () => {
    const worst = [{ epsilon: 0.2, accuracy: interval(0.1) }];
    const attackReport = { sha256: sha256('attack'), digest, worst };
    expect(policy.evaluate({ ...question, evidence: { ...question.evidence, attackReport } })).toEqual({
      allow: true,
      requireApproval: true,
      reasons: ['under attack at epsilon 0.2 it is not shown to keep an accuracy of 0.8'],
      rule: 'approval:attack-failed',
    });
  });

  it('refuses with reasons that a person can read', () => {
    const values = { accuracy: interval(0.5), macroF1: interval(0.91) };
    const evidence = { ...question.evidence, lineage: undefined, metrics: { sha256: digest, samples: 50, values } };
    expect(policy.evaluate({ ...question, evidence })).toEqual({
      allow: false,
      requireApproval: false,
      reasons: [
        'accuracy is at least 0.49 with 95 % confidence, and 0.85 is asked for',
        'it was measured on 50 samples, and 1000 are asked for',
        'there is no evidence of the kind lineage',
      ],
      rule: 'deny:evidence-missing',
    });
  });

  it.each([{}, { version: 1 }, { ...question, request: { ...question.request, risk: 'none' } }])(
    'refuses what is no question about a release (%#)',
    (input) => {
      expect(policy.evaluate(input)).toMatchObject({ allow: false, rule: 'deny:input' });
    },
  );
});
