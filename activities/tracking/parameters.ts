import type { CpuActivities } from '../../contracts/activities.ts';
import type { Layer } from '../../contracts/model-config.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import { MLFLOW_TAGS, type Tags } from '../../lib/clients/index.ts';

export type RunRecord = Parameters<CpuActivities['logRun']>[0];

/** The configuration, flat: `training.optimizer.learningRate.initial` → `0.001`; one parameter for each layer. */
export function parametersOf({ dataset, model, training, seed, data }: RunRecord): Tags {
  const { layers, name, task } = model;
  return {
    ...flatten({ dataset, seed, model: { name, task }, training, samples: data.counts }),
    ...Object.fromEntries(
      layers.map((layer, index) => [`model.layers.${String(index).padStart(2, '0')}`, describeLayer(layer)]),
    ),
  };
}

function describeLayer({ type, ...options }: Layer): string {
  return [type, ...Object.entries(options).map(([name, value]) => `${name}=${value}`)].join(' ');
}

function flatten(value: object, above = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, part]: [string, unknown]) =>
      typeof part === 'object' && part !== null
        ? Object.entries(flatten(part, `${above}${key}.`))
        : [[`${above}${key}`, String(part)]],
    ),
  );
}

/** Where the run came from and what it made; digests tie it to the artifacts. */
export function tagsOf({ run, registerAs, dataset, data, trained, exported, reused = {} }: RunRecord): Tags {
  const commit = trained.tags['git.commit'] ?? '';
  return {
    ...Object.fromEntries(Object.entries(trained.tags).map(([key, value]) => [`saip.${key}`, value])),
    ...Object.fromEntries(
      Object.entries(reused).map(([stage, from]) => [`saip.reused.${stage}`, `${from.workflowId}/${from.runId}`]),
    ),
    ...(/^[0-9a-f]{40,64}$/.test(commit) ? { 'mlflow.source.git.commit': commit } : {}),
    'mlflow.source.name': `trainRegisterDeploy ${run.key}`,
    'mlflow.source.type': 'JOB',
    [MLFLOW_TAGS.workflowRunId]: run.runId,
    'saip.model': registerAs,
    'saip.dataset': dataset,
    'saip.data.sha256': data.dataSha256,
    'saip.data.card.sha256': data.cardSha256,
    'saip.weights.sha256': trained.weights.sha256,
    'saip.onnx.sha256': exported.onnx.sha256,
  };
}

/** The run's description in MLflow's UI, Markdown. */
export function noteOf(
  {
    run,
    registerAs,
    evaluated: { summary },
    exported,
  }: Pick<RunRecord, 'run' | 'registerAs' | 'evaluated' | 'exported'>,
  workflowUrl: string,
): string {
  const rows = metricsOf(summary).map(({ name, interval: { value, low, high } }) => {
    const bounds = `${low.toPrecision(5)} – ${high.toPrecision(5)}`;
    return `| ${name} | ${value.toPrecision(5)} | ${bounds} |`;
  });
  return [
    `**${registerAs}**, asked for by ${run.requestedBy} · [workflow](${workflowUrl})`,
    '',
    `| on ${summary.samples} test samples | value | 95 % interval |`,
    '| --- | --- | --- |',
    ...rows,
    '',
    `The ONNX graph differs from the trained model by at most ${exported.maxAbsDifference.toExponential(1)}.`,
  ].join('\n');
}
