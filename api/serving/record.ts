import { createHash, hash } from 'node:crypto';
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
  /** Rule of the policy that refused it. */
  readonly deniedBy?: string;
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
    const { model, inputDigest, output, error, guard, deniedBy } = event;
    const detail: Record<string, string> = { asked: event.asked };
    if (event.apiKey !== undefined) detail['apiKey'] = event.apiKey;
    detail['latencyMs'] = event.latency.toFixed(3);
    if (model !== undefined) detail['digest'] = model.digest;
    if (inputDigest !== undefined) detail['inputDigest'] = inputDigest;
    if (output !== undefined) detail['output'] = output.slice(0, SUMMARY);
    if (guard !== undefined) detail['guard'] = guard;
    if (error !== undefined) detail['code'] = error;
    if (deniedBy !== undefined) Object.assign(detail, { code: 'FORBIDDEN', rule: deniedBy });
    const now = Date.now();
    try {
      await this.#options.append({
        id: newRecordId(now),
        at: new Date(now).toISOString(),
        actor: event.actor,
        action: 'model:infer',
        subject: model ? `model:${model.model}/${model.version}` : 'model:unknown',
        decision: deniedBy !== undefined ? 'deny' : error === undefined ? 'allow' : 'error',
        traceId: event.traceId,
        detail,
      });
    } catch (refusal) {
      if (refusal instanceof AuditError) this.#options.onRefused();
      throw refusal;
    }
  }
}

/** Inputs up to this size are hashed in one go, which is faster. */
const SMALL_BYTES = 64 * 1024;
const scratch = Buffer.allocUnsafeSlow(SMALL_BYTES);

/** SHA-256 over every input by name: element type, shape, and elements as they lie in memory. */
export function inputDigestOf(feeds: Readonly<Record<string, TensorData>>): string {
  const small = smallDigest(feeds);
  if (small !== undefined) return small;
  const digest = createHash('sha256');
  for (const name of Object.keys(feeds).sort()) {
    const tensor = feeds[name];
    if (tensor === undefined) continue;
    digest.update(headOf(name, tensor));
    digest.update(bytesOf(tensor));
  }
  return digest.digest('hex');
}

/** Gathers what is hashed in one place; undefined where it does not fit. */
function smallDigest(feeds: Readonly<Record<string, TensorData>>): string | undefined {
  let at = 0;
  for (const name of Object.keys(feeds).sort()) {
    const tensor = feeds[name];
    if (tensor === undefined) continue;
    const head = headOf(name, tensor);
    const bytes = bytesOf(tensor);
    // A character of a string has three bytes in UTF-8 at most.
    if (at + head.length * 3 + bytes.byteLength > SMALL_BYTES) return undefined;
    at += scratch.write(head, at);
    scratch.set(bytes, at);
    at += bytes.byteLength;
  }
  return hash('sha256', scratch.subarray(0, at));
}

function headOf(name: string, { type, dims }: TensorData): string {
  return `${JSON.stringify([name, type, dims])}\n`;
}

function bytesOf({ data }: TensorData): Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Buffer.from(JSON.stringify(data));
}

/** Names, shapes and, of the first row, the largest element: `score FP32[1,10] 3:0.9871`. */
export function summaryOf(outputs: readonly { readonly name: string; readonly tensor: TensorData }[]): string {
  let text = '';
  for (const { name, tensor } of outputs) {
    const { dims, data } = tensor;
    const width = Math.min(data.length, dims.length > 1 ? (dims.at(-1) ?? 1) : 1);
    const best = largest(data, width);
    const value = String(Number(Number(data[best] ?? 0).toPrecision(4)));
    const place = width > 1 ? `${String(best)}:` : '';
    text += `${text === '' ? '' : '; '}${name} ${datatypeOfTensor(tensor)}[${dims.join(',')}] ${place}${value}`;
  }
  return text;
}

function largest(data: TensorData['data'], width: number): number {
  let best = 0;
  let most = Number(data[0]);
  for (let index = 1; index < width; index += 1) {
    const value = Number(data[index]);
    if (value > most) [best, most] = [index, value];
  }
  return best;
}
