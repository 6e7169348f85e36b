import { z } from 'zod';

/**
 * Open Inference Protocol V2 (kserve/open-inference-protocol, REST). `BYTES` are strings. `FP16` is part of the protocol
 * but not of what this platform serves: it is answered with `UNSUPPORTED_DATATYPE`.
 */
export const DATATYPES = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const;
export const Datatype = z.enum(DATATYPES);
export type Datatype = z.infer<typeof Datatype>;

const parameter = z.union([z.string(), z.number(), z.boolean()]);
const parameters = z.record(z.string().max(256), parameter);
export type Parameters = z.infer<typeof parameters>;

/** Row-major, nested by dimension or flat. Elements are checked where they become a tensor, not here. */
const tensorData = z.custom<unknown[]>(Array.isArray, 'expected an array').meta({
  description:
    'Row-major elements, nested by dimension or flat. Left out where the elements follow the JSON as raw bytes.',
  override: { type: 'array', items: {} },
});

export const InferInput = z.object({
  name: z.string().min(1).max(256),
  shape: z.array(z.int().nonnegative()).min(1).max(8),
  datatype: Datatype,
  /** `binary_data_size`: the bytes of this tensor after the JSON, little-endian. */
  parameters: parameters.optional(),
  data: tensorData.optional(),
});
export type InferInput = z.infer<typeof InferInput>;

/** Body of `POST /v2/models/{model}[/versions/{version}]/infer`. */
export const InferRequest = z.object({
  id: z.string().max(256).optional(),
  /** `binary_data_output`: raw outputs; `timeout`: microseconds. What nobody knows here is given back. */
  parameters: parameters.optional(),
  /** A model of a table has one input a feature. */
  inputs: z.array(InferInput).min(1).max(2048),
  /** Parameters of an output: `binary_data`, and `classification` for so many best classes. */
  outputs: z
    .array(z.object({ name: z.string().min(1).max(256), parameters: parameters.optional() }))
    .max(16)
    .optional(),
});
export type InferRequest = z.infer<typeof InferRequest>;

export const InferOutput = z.object({
  name: z.string(),
  shape: z.array(z.int()),
  datatype: Datatype,
  parameters: parameters.optional(),
  /** Flat, row-major. `null` for NaN and infinities, which JSON does not have. */
  data: z.array(z.union([z.number(), z.boolean(), z.string(), z.null()])),
});
export type InferOutput = z.infer<typeof InferOutput>;

export const InferResponse = z.object({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string(),
  parameters: parameters.optional(),
  outputs: z.array(InferOutput),
});
export type InferResponse = z.infer<typeof InferResponse>;

export const ServerMetadata = z.object({
  name: z.string(),
  version: z.string(),
  extensions: z.array(z.string()),
});
export type ServerMetadata = z.infer<typeof ServerMetadata>;

/** `-1` is a variable dimension. */
export const TensorMetadata = z.object({
  name: z.string(),
  datatype: Datatype,
  shape: z.array(z.int().min(-1)),
});
export type TensorMetadata = z.infer<typeof TensorMetadata>;

export const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(TensorMetadata),
  outputs: z.array(TensorMetadata),
});
export type ModelMetadata = z.infer<typeof ModelMetadata>;

export const ServerLive = z.object({ live: z.boolean() });
export const ServerReady = z.object({ ready: z.boolean() });
/** `reason` and `code` say why a model is not ready. */
export const ModelReady = z.object({
  name: z.string(),
  ready: z.boolean(),
  version: z.string().optional(),
  code: z.string().optional(),
  reason: z.string().optional(),
});
export type ModelReady = z.infer<typeof ModelReady>;
