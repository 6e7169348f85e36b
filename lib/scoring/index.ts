export { collectScores, type CollectScoresOptions } from './collect.ts';
export { ScoringError, type ScoringErrorCode } from './errors.ts';
export { FeatureReader, numberOrText, shown, type FeatureProblem, type FeatureTensor } from './features.ts';
export { joinStreams } from './join.ts';
export { planFile, type PlanOptions } from './plan.ts';
export { protectionOf } from './protection.ts';
export { predictionsOf, summaryOf, type Predictions } from './predictions.ts';
export { scoreInChild, type ScoreShardOptions } from './score-in-child.ts';
