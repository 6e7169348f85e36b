import { ScoreInput } from '../../../contracts/batch-score.ts';
import type { ScoreActivities } from '../../../contracts/score-activities.ts';
import { ref } from './refs.ts';

/** Records of a shard in the world of the tests. */
export const SHARD_RECORDS = 100;

export function scoreInput(changes: Partial<ScoreInput> = {}): ScoreInput {
  return ScoreInput.parse({
    ...{ model: 'iris', alias: 'champion', file: ref('records'), format: 'csv' },
    ...{ requestedBy: 'ann', roles: ['predictor'], tenant: 'default', ...changes },
  });
}

/** Files of three shards, of which each has one record that is refused. */
export function scoring(): ScoreActivities {
  const shards = 3;
  const counts = (records: number, refused: number) => ({ records, scored: records - refused, refused, outOfRange: 0 });
  return {
    pinModel: async ({ input: { model } }) => ({ model, version: '7', digest: ref('model').sha256 }),
    planScore: async () => ({ plan: ref('plan'), records: shards * SHARD_RECORDS, shards }),
    scoreShard: async ({ shard }) => ({
      ...{ predictions: ref(`predictions ${shard}`), refused: ref(`refused ${shard}`) },
      counts: counts(SHARD_RECORDS, 1),
    }),
    joinScores: async () => ({
      ...{ predictions: ref('predictions'), refused: ref('refused') },
      counts: counts(shards * SHARD_RECORDS, shards),
    }),
  };
}
