import type { ModelConfig } from './model-config.ts';
import type { ArtifactRef } from './reference.ts';

/** What is attacked: the signed graph, taken apart into what gradients need. */
export interface AttackTarget {
  readonly model: string;
  /** Absent for a candidate that is not registered. */
  readonly version?: string;
  /** Of the signed folder; of the graph alone for a candidate. */
  readonly digest: string;
  /** Absent for a model from elsewhere: there is nothing but its graph, which is attacked by its answers. */
  readonly network?: ModelConfig;
  readonly onnx: ArtifactRef;
  /** Weights (safetensors) read out of the graph of a network. */
  readonly weights?: ArtifactRef;
  /** Prepared data with the graph's own preprocessing. */
  readonly manifest: ArtifactRef;
  readonly dataset: string;
  /** In the test set. */
  readonly samples: number;
  /** Run that the version came from. */
  readonly mlflowRunId?: string;
}
