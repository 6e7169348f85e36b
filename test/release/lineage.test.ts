import { describe, expect, it } from '@jest/globals';
import { Lineage } from '../../contracts/release.ts';
import { ModelFacts } from '../../contracts/registry.ts';
import { cardDigest, loadCard } from '../../lib/datasets/index.ts';
import { composeLineage } from '../../lib/release/index.ts';
import { sha256 } from '../support/local-transit.ts';
import { ref } from '../workflows/support/refs.ts';
import { trackedRun } from './support/made-release.ts';

const card = await loadCard('mnist');
const interval = { value: 0.9, low: 0.89, high: 0.91 };
const facts = ModelFacts.parse({
  version: 1,
  model: 'tiny',
  dataset: 'mnist',
  cardSha256: cardDigest(card),
  dataSha256: sha256('data'),
  input: { name: 'image', shape: [28, 28, 1] },
  labels: ['a', 'b'],
  evaluation: { samples: 10, accuracy: interval, macroF1: interval, logLoss: interval, ece: interval },
  export: { maxAbsDifference: 0, samples: 10 },
});
const version = {
  model: 'tiny',
  version: '1',
  digest: sha256('model'),
  files: {},
  signature: ref('signature'),
  mlflowRunId: 'run',
  workflowId: 'train-1',
  metrics: {},
  createdAt: '2026-01-01T00:00:00Z',
};

describe('composeLineage', () => {
  it('joins registry, signed facts, card and run', () => {
    const { lineage, findings } = composeLineage({ version, facts, card, run: trackedRun(facts) });
    expect(findings).toEqual([]);
    expect(Lineage.parse(lineage)).toMatchObject({
      registered: { workflowId: 'train-1', signatureSha256: version.signature.sha256 },
      training: { gitCommit: 'b'.repeat(40), startedAt: '2026-01-01T00:00:00.000Z', tags: { seed: '42' } },
      data: { dataset: 'mnist', files: expect.arrayContaining([expect.objectContaining({ bytes: 47_040_016 })]) },
    });
    expect(lineage?.training.tags).not.toHaveProperty('mlflow.user');
  });

  it.each([
    ['data', { 'saip.data.sha256': sha256('other') }],
    ['data card', { 'saip.data.card.sha256': sha256('other') }],
    ['data set', { 'saip.dataset': 'digits' }],
  ])('believes no run that names other %s than was signed', (_what, tags) => {
    const { lineage, findings } = composeLineage({ version, facts, card, run: trackedRun(facts, tags) });
    expect(lineage).toBeUndefined();
    expect(findings).toEqual([expect.stringContaining('run run says')]);
  });

  it('believes no facts about another model', () => {
    const { findings } = composeLineage({
      version: { ...version, model: 'other' },
      facts,
      card,
      run: trackedRun(facts),
    });
    expect(findings).toEqual(['the signed facts are about the model tiny']);
  });
});
