import type { Parameters } from '../../../contracts/inference.ts';
import { ApiError } from '../../errors.ts';

/** Of extensions that are not served here: what asks for them must not be answered as if it had got them. */
const REFUSED: Readonly<Record<string, string>> = {
  sequence_id: 'Models here keep no state between requests.',
  sequence_start: 'Models here keep no state between requests.',
  sequence_end: 'Models here keep no state between requests.',
  shared_memory_region: 'Tensors are not read from or written to shared memory.',
  shared_memory_offset: 'Tensors are not read from or written to shared memory.',
  shared_memory_byte_size: 'Tensors are not read from or written to shared memory.',
};

/** What the platform reads; everything else is the caller's own and is given back. */
const KNOWN: ReadonlySet<string> = new Set(['binary_data_output', 'priority', 'timeout']);

export interface RequestParameters {
  /** Outputs are raw unless one says otherwise. */
  readonly binaryOutput: boolean;
  /** Milliseconds that the caller waits. */
  readonly timeout?: number;
  /** Parameters of the caller's own. */
  readonly own?: Parameters;
}

/** @throws {ApiError} `REQUEST_INVALID` naming the parameter */
export function readParameters(parameters: Parameters = {}): RequestParameters {
  const field = 'body.parameters';
  refuseUnserved(parameters, field);
  const own = Object.entries(parameters).filter(([name]) => !KNOWN.has(name));
  const microseconds = wholeNumber(parameters, 'timeout', field);
  return {
    binaryOutput: flag(parameters, 'binary_data_output', field) ?? false,
    // As Triton reads it, 0 is no limit.
    ...(microseconds !== undefined && microseconds > 0 && { timeout: microseconds / 1000 }),
    ...(own.length > 0 && { own: Object.fromEntries(own) }),
  };
}

/** @throws {ApiError} `REQUEST_INVALID` where parameters ask for an extension that is not served */
export function refuseUnserved(parameters: Parameters, field: string): void {
  const name = Object.keys(parameters).find((candidate) => Object.hasOwn(REFUSED, candidate));
  if (name !== undefined) throw new ApiError('REQUEST_INVALID', REFUSED[name] ?? '', { field: `${field}.${name}` });
}

/** @throws {ApiError} `REQUEST_INVALID` */
export function flag(parameters: Parameters, name: string, field: string): boolean | undefined {
  const value = own(parameters, name);
  if (value === undefined || typeof value === 'boolean') return value;
  throw new ApiError('REQUEST_INVALID', `${name} must be true or false.`, { field: `${field}.${name}` });
}

/** @throws {ApiError} `REQUEST_INVALID` */
export function wholeNumber(parameters: Parameters, name: string, field: string): number | undefined {
  const value = own(parameters, name);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new ApiError('REQUEST_INVALID', `${name} must be a whole number.`, { field: `${field}.${name}` });
}

function own(parameters: Parameters, name: string): Parameters[string] | undefined {
  return Object.hasOwn(parameters, name) ? parameters[name] : undefined;
}
