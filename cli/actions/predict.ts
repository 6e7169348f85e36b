import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { InferRequest, InferResponse, ModelMetadata } from '../../contracts/inference.ts';
import { ApiClient, path } from '../client/index.ts';
import { CliError, usageError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { TestSamples } from '../../lib/datasets/index.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { writeLine } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';
import { renderPredictions } from '../render/prediction-grid.ts';
import { renderTable } from '../render/table.ts';
import { readClasses } from './classes.ts';
import { predictRecords } from './predict-records.ts';
import { scoreFile } from './score-file.ts';
import type { RecordSources } from './predict-records.ts';

export interface PredictOptions extends OutputOptions, RecordSources {
  /** File with an Open Inference request, `-` for stdin. */
  readonly input?: string;
  /** The file is answered while it is sent. */
  readonly stream?: boolean;
  /** Positions in MNIST's test set. */
  readonly mnist?: readonly number[];
}

/**
 * `saip predict`: one call of `POST /v2/models/{model}/infer`, or with records of named features of
 * `POST /v1/models/{model}/predict`. `model` may name an alias: `mnist-cnn@challenger`.
 */
export async function predict(io: Io, model: string, options: PredictOptions): Promise<ExitCode> {
  const { input, mnist, record, file } = options;
  if ([input, mnist, record, file].filter((source) => source !== undefined).length !== 1) {
    throw usageError('give one of --record JSON…, --file CSV, --input FILE and --mnist INDEX…');
  }
  if (options.stream === true && file === undefined) throw usageError('--stream needs --file FILE');
  const api = await ApiClient.open(io.env);
  if (options.stream === true && file !== undefined) return scoreFile(io, api, model, file);
  if (record !== undefined || file !== undefined) return predictRecords(io, api, model, options);
  if (options.mnist !== undefined) return predictMnist(io, api, model, options.mnist, options);
  const request = await readRequest(options.input ?? '-');
  const response = await api.postText(path`/v2/models/${model}/infer`, request, InferResponse, { role: 'predictor' });
  present(io, options, response, () => describe(response, io));
  return EXIT.ok;
}

/** Sends images of MNIST's test set and shows them with what the model says. */
export async function predictMnist(
  io: Io,
  api: ApiClient,
  model: string,
  indices: readonly number[],
  options: OutputOptions,
): Promise<ExitCode> {
  const { shape, labels, samples } = await testSamples(indices);
  const metadata = await api.get(path`/v2/models/${model}`, ModelMetadata, { role: 'predictor' });
  const input = metadata.inputs[0];
  if (input === undefined) throw new CliError(`${model} describes no input`);
  const response = await infer(api, model, {
    inputs: [
      {
        name: input.name,
        datatype: input.datatype,
        shape: [samples.length, ...shape],
        data: samples.flatMap(({ x }) => [...x]),
      },
    ],
  });
  const classes = readClasses(response);
  const [height = 1, width = 1] = shape;
  const predictions = samples.map(({ index, x, label }, row) => {
    const { label: predicted, confidence } = classes[row] ?? { label: -1, confidence: 0 };
    const image = { width, height, data: x };
    return { index, image, predicted: labels[predicted] ?? String(predicted), truth: label, confidence };
  });
  const value = {
    model: response.model_name,
    version: response.model_version,
    predictions: predictions.map(({ index, predicted, truth, confidence }) => ({
      index,
      predicted,
      truth,
      confidence,
    })),
  };
  present(io, options, value, () => renderPredictions(predictions, io));
  if (options.json !== true) {
    const right = predictions.filter(({ predicted, truth }) => predicted === truth).length;
    writeLine(
      io.stdout,
      `${String(right)} of ${String(predictions.length)} right, by ${value.model} version ${value.version}`,
    );
  }
  return EXIT.ok;
}

async function testSamples(indices: readonly number[]): Promise<TestSamples> {
  const { DatasetError, readTestSamples } = await import('../../lib/datasets/index.ts');
  try {
    return await readTestSamples('mnist', indices);
  } catch (error) {
    if (error instanceof DatasetError && error.field === 'index') throw usageError(error.message);
    throw error;
  }
}

function infer(api: ApiClient, model: string, request: InferRequest): Promise<InferResponse> {
  return api.post(path`/v2/models/${model}/infer`, request, InferResponse, { role: 'predictor' });
}

/** The text of a request, once it is seen to be one. */
async function readRequest(file: string): Promise<string> {
  const source = file === '-' ? await text(process.stdin) : await readFile(file, 'utf8').catch(unreadable);
  try {
    InferRequest.parse(JSON.parse(source));
    return source;
  } catch (error) {
    throw usageError(
      `${file} is no Open Inference request: ${error instanceof SyntaxError ? error.message : 'see inputs'}`,
      'It looks like {"inputs":[{"name":…,"shape":[1,…],"datatype":"FP32","data":[…]}]}.',
    );
  }
}

function unreadable(error: unknown): never {
  throw usageError(`cannot read the input: ${error instanceof Error ? error.message : String(error)}`);
}

function describe(response: InferResponse, io: Io): string {
  const classes = readClasses(response);
  if (classes.length > 0) {
    const rows = classes.map(({ label, confidence }, row) => [row, label, `${(confidence * 100).toFixed(2)} %`]);
    return renderTable(['sample', 'label', 'confidence'], rows, io);
  }
  const rows = response.outputs.map(({ name, datatype, shape }) => [name, datatype, shape.join('x')]);
  return renderTable(['output', 'datatype', 'shape'], rows, io);
}
