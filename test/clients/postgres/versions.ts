import type { ArtifactRef } from '../../../contracts/reference.ts';
import type { NewVersion } from '../../../lib/clients/index.ts';

/** A digest that is easy to tell apart: one hexadecimal digit, repeated. */
export const digest = (digit: string): string => digit.repeat(64);

export function reference(digit: string): ArtifactRef {
  return {
    uri: `cas://sha256/${digest(digit)}`,
    sha256: digest(digit),
    bytes: 3,
    mediaType: 'application/octet-stream',
  };
}

/** Something to register: `digit` makes its digest, `workflowId` who registers it. */
export function newVersion(model: string, digit: string, workflowId = `train-${digit}`): NewVersion {
  return {
    model,
    digest: digest(digit),
    files: { 'model.onnx': reference('b') },
    signature: reference('c'),
    mlflowRunId: 'run',
    workflowId,
    metrics: { accuracy: 0.991 },
  };
}
