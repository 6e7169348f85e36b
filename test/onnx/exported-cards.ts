import { ModelCard } from '../../contracts/import-model.ts';

const FOLDER = new URL('fixtures/', import.meta.url);

function card(name: string, says: object): ModelCard {
  return ModelCard.parse({
    ...{ name, source: 'a test', licence: 'Apache-2.0', intendedUse: 'Tests of the way in.', input: {} },
    trainingData: 'Samples that the platform does not test on.',
    ...says,
  });
}

/** Files that other libraries wrote, by the scripts beside them, and what somebody would say of each. */
export const EXPORTED = {
  keras: {
    file: new URL('keras-mnist.onnx', FOLDER),
    card: card('keras-mnist', {
      ...{ dataset: 'mnist', framework: { name: 'Keras', version: '3.15.1' } },
      input: { layout: 'channels-last', scale: [1 / 255] },
      output: { name: 'Identity:0', kind: 'probabilities' },
    }),
  },
  torch: {
    file: new URL('torch-mnist.onnx', FOLDER),
    card: card('torch-mnist', {
      ...{ dataset: 'mnist', framework: { name: 'PyTorch', version: '2.13.0' } },
      input: { layout: 'channels-first', scale: [1 / (255 * 0.3081)], offset: [-0.1307 / 0.3081] },
      output: { name: 'logits', kind: 'logits' },
    }),
  },
  /** Named features, whose names the exporter writes with `_`. */
  classes: {
    file: new URL('sklearn-breast-cancer.onnx', FOLDER),
    card: card('breast-cancer-forest', {
      ...{ dataset: 'breast-cancer', framework: { name: 'scikit-learn', version: '1.9.1' } },
      input: { layout: 'columns' },
      output: { name: 'probabilities', kind: 'probabilities', label: 'label' },
      // scikit-learn sorts them.
      labels: ['benign', 'malignant'],
    }),
  },
  /** Named features, one of them a category, and a quantity. */
  quantity: {
    file: new URL('sklearn-diabetes.onnx', FOLDER),
    card: card('diabetes-forest', {
      ...{ dataset: 'diabetes', framework: { name: 'scikit-learn', version: '1.9.1' } },
      input: { layout: 'columns' },
      output: { name: 'variable', kind: 'quantity' },
    }),
  },
} as const;
