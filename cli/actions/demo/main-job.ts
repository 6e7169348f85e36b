import { predictMnist } from '../predict.ts';
import { heading, runWorkflow } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** The network worth keeping. A later run of the demo reuses what has not changed since, and takes seconds. */
export const FIRST_PRESET = 'mnist-cnn';
const TEST_IMAGES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Trains, deploys and asks: what the platform is for. @returns the page of the training, and what was trained */
export async function mainJob(
  stage: StageOptions,
  asked: string | undefined,
): Promise<{ preset: string; temporal: string | undefined }> {
  const { io } = stage;
  const preset = asked ?? FIRST_PRESET;
  heading(io, 2, 3, `Train, evaluate, sign, register and deploy ${preset}`);
  const training = await train(stage, preset);
  heading(io, 3, 3, 'Predict ten test images over HTTP');
  await predictTestImages(stage, preset);
  return { preset, temporal: training.links.temporal };
}

export function train(stage: StageOptions, preset: string): ReturnType<typeof runWorkflow> {
  return runWorkflow(stage, {
    path: '/v1/workflows/train-register-deploy',
    body: { model: preset },
    role: 'trainer',
  });
}

export async function predictTestImages({ io, api }: StageOptions, model: string): Promise<void> {
  await predictMnist(io, api, model, TEST_IMAGES, {});
}
