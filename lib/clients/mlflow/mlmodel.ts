import { stringify } from 'yaml';

/** Shape of one tensor of a model; `-1` is a variable dimension. */
export interface TensorSpec {
  readonly name: string;
  /** NumPy's name, e.g. `float32`. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

export interface MlmodelOptions {
  readonly modelId: string;
  readonly runId: string;
  /** File of the ONNX graph, beside the `MLmodel` file. */
  readonly data: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** Version of MLflow whose layout is written. */
const MLFLOW_VERSION = '3.17.2';

/**
 * The `MLmodel` file of a model with the flavour `onnx`: what MLflow's page of a model, and `mlflow.onnx.load_model`,
 * read its signature from (MLflow documentation, "MLflow Models: storage format").
 */
export function mlmodelFile(options: MlmodelOptions): string {
  return stringify({
    flavors: { onnx: { data: options.data, providers: ['CPUExecutionProvider'] } },
    mlflow_version: MLFLOW_VERSION,
    model_id: options.modelId,
    model_uuid: options.modelId,
    run_id: options.runId,
    signature: { inputs: schema(options.inputs), outputs: schema(options.outputs), params: null },
    utc_time_created: new Date(options.createdAt).toISOString().replace('T', ' ').replace('Z', ''),
  });
}

function schema(specs: readonly TensorSpec[]): string {
  return JSON.stringify(
    specs.map(({ name, dtype, shape }) => ({ name, type: 'tensor', 'tensor-spec': { dtype, shape } })),
  );
}
