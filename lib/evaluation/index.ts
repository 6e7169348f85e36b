export { EvaluationError } from './errors.ts';
export type { EvaluationErrorCode } from './errors.ts';
export { evaluate } from './evaluate.ts';
export type { EvaluateOptions, EvaluationOutput, EvaluationProgress } from './evaluate.ts';
export { mcnemar } from './mcnemar.ts';
export type { McNemarResult } from './mcnemar.ts';
export { argmax, predict, softmax } from './predictions.ts';
export type { Predictions } from './predictions.ts';
export { EvaluationReport } from './report.ts';
