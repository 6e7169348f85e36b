import { ModelList } from '../../../contracts/api.ts';
import type { ApiClient } from '../../client/index.ts';
import type { Io } from '../../io.ts';
import { writeLine } from '../../io.ts';
import { predictMnist } from '../predict.ts';
import { heading, runWorkflow } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** The first run trains the network worth keeping, later ones a small network: they show the same path in less time. */
export const FIRST_PRESET = 'mnist-cnn';
const LATER_PRESET = 'mnist-softmax';
const TEST_IMAGES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Trains, deploys and asks: what the platform is for. @returns the page of the training, and what was trained */
export async function mainJob(
  stage: StageOptions,
  asked: string | undefined,
): Promise<{ preset: string; temporal: string | undefined }> {
  const { io, api } = stage;
  const preset = asked ?? (await choosePreset(io, api));
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

async function choosePreset(io: Io, api: ApiClient): Promise<string> {
  const { models } = await api.get('/v1/models', ModelList, { role: 'viewer', query: { limit: 200 } });
  const champion = models.find(({ name }) => name === FIRST_PRESET)?.aliases.champion;
  if (champion === undefined) return FIRST_PRESET;
  writeLine(io.stdout, `\n${FIRST_PRESET} version ${champion} is the champion already, so this run trains the small`);
  writeLine(io.stdout, `${LATER_PRESET}. To train the large one again: saip demo --preset ${FIRST_PRESET}`);
  return LATER_PRESET;
}
