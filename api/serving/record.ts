import { createHash } from 'node:crypto';
import { AuditError, newRecordId, type SpooledRecord } from '../../lib/audit/index.ts';
import { datatypeOfTensor, type TensorData } from './tensors.ts';

export interface InferenceEvent {
  /** Subject of the token. */
  readonly actor: string;
  /** Id of the API key that the caller came with. */
  readonly apiKey?: string;
  readonly traceId: string;
  /** What the request named, e.g. `mnist-cnn@champion`. */
  readonly asked: string;
  /** What answered; absent where nothing did. */
  readonly model?: { readonly model: string; readonly version: string; readonly digest: string };
  /** SHA-256 of the input; absent where it could not be read. */
  readonly inputDigest?: string;
  /** Summary of the outputs. */
  readonly output?: string;
  /** Milliseconds since the request was read. */
  readonly latency: number;
  /** What the guard did to the answer, or noticed in the input. */
  readonly guard?: string | undefined;
  /** Code of the error that is answered instead of an output. */
  readonly error?: string;
}

export interface InferenceRecorderOptions {
  /** @throws AuditError AUDIT_UNAVAILABLE */
  readonly append: (record: SpooledRecord) => Promise<void>;
  readonly onRefused: () => void;
}

/** Longest summary of outputs, characters. */
const SUMMARY = 512;

/** Writes a record of each inference before it is answered: what cannot be recorded is not answered. */
export class InferenceRecorder {
  readonly #options: InferenceRecorderOptions;

  constructor(options: InferenceRecorderOptions) {
    this.#options = options;
  }

  /** @throws AuditError AUDIT_UNAVAILABLE */
  async record(event: InferenceEvent): Promise<void> {
    const { model, inputDigest, output, error, guard } = event;
    const detail = {
      asked: event.asked,
      ...(event.apiKey !== undefined && { apiKey: event.apiKey }),
      latencyMs: event.latency.toFixed(3),
      ...(model && { digest: model.digest }),
      ...(inputDigest !== undefined && { inputDigest }),
      ...(output !== undefined && { output: output.slice(0, SUMMARY) }),
      ...(guard !== undefined && { guard }),
      ...(error !== undefined && { code: error }),
    };
    const now = Date.now();
    try {
      await this.#options.append({
        id: newRecordId(now),
        at: new Date(now).toISOString(),
        actor: event.actor,
        action: 'model:infer',
        subject: model ? `model:${model.model}/${model.version}` : 'model:unknown',
        decision: error === undefined ? 'allow' : 'error',
        traceId: event.traceId,
        detail,
      });
    } catch (refusal) {
      if (refusal instanceof AuditError) this.#options.onRefused();
      throw refusal;
    }
  }
}

/** SHA-256 over every input by name: element type, shape, and elements as they lie in memory. */
export function inputDigestOf(feeds: Readonly<Record<string, TensorData>>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(feeds).sort()) {
    const tensor = feeds[name];
    if (tensor === undefined) continue;
    hash.update(`${JSON.stringify([name, tensor.type, tensor.dims])}\n`);
    const { data } = tensor;
    hash.update(
      ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : JSON.stringify(data),
    );
  }
  return hash.digest('hex');
}

/** Names, shapes and, of the first row, the largest element: `score FP32[1,10] 3:0.9871`. */
export function summaryOf(outputs: readonly { readonly name: string; readonly tensor: TensorData }[]): string {
  const texts = outputs.map(({ name, tensor }) => {
    const { dims, data } = tensor;
    const row = Array.from(data.slice(0, dims.length > 1 ? dims.at(-1) : 1), Number);
    const best = row.indexOf(Math.max(...row));
    const value = String(Number((row[best] ?? 0).toPrecision(4)));
    return `${name} ${datatypeOfTensor(tensor)}[${dims.join(',')}] ${row.length > 1 ? `${best}:` : ''}${value}`;
  });
  return texts.join('; ');
}
