import type { TrainingConfig } from '../../../contracts/model-config.ts';
import { attribute } from './attributes.ts';
import type { GraphBuilder, Output } from './builder.ts';

type OptimizerConfig = TrainingConfig['optimizer'];

/** Names of the accumulators an optimiser keeps, each as long as the weights. */
export function accumulatorNames(optimizer: OptimizerConfig): readonly string[] {
  if (optimizer.type === 'adam') return ['mean', 'variance'];
  return optimizer.momentum > 0 ? ['momentum'] : [];
}

/** Values of the placeholders at one step. */
export interface OptimizerScalars {
  readonly learningRate: number;
  readonly beta1Power: number;
  readonly beta2Power: number;
}

/** Powers are taken of the step anew, not carried along, so a resumed training computes the same ones. */
export function optimizerScalars(optimizer: OptimizerConfig, learningRate: number, step: number): OptimizerScalars {
  const { beta1, beta2 } = optimizer.type === 'adam' ? optimizer : { beta1: 0, beta2: 0 };
  return { learningRate, beta1Power: beta1 ** step, beta2Power: beta2 ** step };
}

/**
 * Adds one update of `weights` by `gradient` and returns the node to wait for.
 * Adam is the form before section 2.1 of Kingma and Ba (2015), with ε outside the bias correction; momentum is
 * v ← μ·v + g, w ← w − α·v.
 */
export function applyOptimizer(
  graph: GraphBuilder,
  optimizer: OptimizerConfig,
  weights: Output,
  accumulators: readonly Output[],
  gradient: Output,
): Output {
  const learningRate = graph.placeholder('learningRate', []);
  if (optimizer.type === 'adam') {
    const powers = [graph.placeholder('beta1Power', []), graph.placeholder('beta2Power', [])];
    const constants = [optimizer.beta1, optimizer.beta2, optimizer.epsilon].map((value) => graph.scalar(value));
    return graph.float('ResourceApplyAdam', [
      weights,
      ...accumulators,
      ...powers,
      learningRate,
      ...constants,
      gradient,
    ]);
  }
  if (optimizer.momentum === 0) return graph.float('ResourceApplyGradientDescent', [weights, learningRate, gradient]);
  const momentum = graph.scalar(optimizer.momentum);
  return graph.float('ResourceApplyMomentum', [weights, ...accumulators, learningRate, gradient, momentum], {
    use_nesterov: attribute.boolean(false),
  });
}
