import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { SaipError } from '../../contracts/errors.ts';

/** Root of the checkout this code runs from. */
export const CHECKOUT = join(import.meta.dirname, '..', '..');

const AbsolutePath = z.string().startsWith('/');

/** `.saip/toolchain.json`, written by `make setup`: absolute paths of the pinned tools. */
export const Toolchain = z.object({
  /** Downloads and builds that checkouts share. */
  cache: AbsolutePath,
  node: AbsolutePath,
  npmCli: AbsolutePath,
  python: AbsolutePath,
  temporal: AbsolutePath,
  bao: AbsolutePath,
  postgresBin: AbsolutePath,
  mlflow: AbsolutePath,
  /** Reference implementation of OpenSSF Model Signing, for tests. */
  modelSigning: AbsolutePath,
  /** Reference implementation of Croissant, for tests. */
  croissant: AbsolutePath,
  /** Python with scikit-learn and its exporter to ONNX, for tests. */
  sklearnOnnx: AbsolutePath,
  /** Python with public clients of the inference API, for tests. */
  apiClients: AbsolutePath,
  /** Catalogues lock files for releases. */
  syft: AbsolutePath,
  tensorflowLib: AbsolutePath,
  /** Weights (GGUF) of the embedded chat model. */
  llmModel: AbsolutePath,
  /** Folders a process that loads TensorFlow needs in LD_LIBRARY_PATH; empty on the CPU. */
  cudaLibraryPath: z.array(AbsolutePath).default([]),
  device: z.enum(['cpu', 'cuda']),
});
export type Toolchain = z.infer<typeof Toolchain>;

/** @throws SaipError TOOL_MISSING when the toolchain was not set up, or its manifest is damaged */
export function loadToolchain(checkout: string = CHECKOUT): Toolchain {
  const file = join(checkout, '.saip', 'toolchain.json');
  try {
    return Toolchain.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SaipError('TOOL_MISSING', 'The toolchain is not set up: run make setup.', { cause, field: file });
  }
}
