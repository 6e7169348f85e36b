import type { ImportFacts } from '../../contracts/import-model.ts';
import type { ModelConfig } from '../../contracts/model-config.ts';
import { RELEASE_FILES, type AttackEvidence, type Evidence } from '../../contracts/release.ts';
import { MODEL_FILES, type ModelFacts } from '../../contracts/registry.ts';
import { metricsOf } from '../../contracts/train-register-deploy.ts';
import type { ArtifactRef } from '../../contracts/reference.ts';
import type { DatasetCard } from '../datasets/index.ts';

export interface ModelBomSources {
  readonly model: string;
  readonly version: string;
  readonly files: Readonly<Record<string, ArtifactRef>>;
  readonly facts: ModelFacts;
  /** The network that was trained here, or where the model came from. */
  readonly origin: ModelConfig | ImportFacts;
  readonly card: DatasetCard;
  readonly evidence: readonly Evidence[];
  /** Numbers under attack, where somebody attacked this version. */
  readonly attack?: AttackEvidence | undefined;
}

type Json = Readonly<Record<string, unknown>>;

/** CycloneDX 1.6 (ECMA-424), https://cyclonedx.org/docs/1.6/json/ */
const SPEC = { $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', bomFormat: 'CycloneDX', specVersion: '1.6' };

const DATASET = 'dataset';

/**
 * Machine-learning bill of materials of one version: the model with its card, its files and the data it was trained on.
 * Every number in it was measured and signed with the model; what nobody measured is not there. The same version gives
 * the same document.
 */
export function modelBom(sources: ModelBomSources): { bom: Json; components: number } {
  const components = [datasetComponent(sources), ...fileComponents(sources)];
  const refs = components.map((component) => component['bom-ref']);
  return {
    bom: {
      ...SPEC,
      version: 1,
      metadata: { component: modelComponent(sources) },
      components,
      dependencies: [{ ref: modelRef(sources), dependsOn: refs }, ...refs.map((ref) => ({ ref }))],
    },
    components: components.length,
  };
}

function modelRef({ model, version }: ModelBomSources): string {
  return `model:${model}@${version}`;
}

function modelComponent(sources: ModelBomSources): Json {
  const { model, version, origin, files, evidence } = sources;
  const { description } = 'card' in origin ? origin.card : origin;
  const graph = files[MODEL_FILES.onnx];
  return {
    'bom-ref': modelRef(sources),
    type: 'machine-learning-model',
    name: model,
    version,
    ...(description !== undefined && { description }),
    ...('card' in origin && importedComponent(origin)),
    ...(graph !== undefined && { hashes: [sha256(graph.sha256)] }),
    modelCard: modelCard(sources),
    externalReferences: evidence.map(({ kind, path, ref }) => ({
      type: kind === 'attackReport' ? 'adversary-model' : 'evidence',
      url: path,
      comment: kind,
      hashes: [sha256(ref.sha256)],
    })),
  };
}

/** What the importer declared: who licensed it, and which file it was. */
function importedComponent({ card, original }: ImportFacts): Json {
  return {
    licenses: [{ license: { name: card.licence } }],
    pedigree: {
      ancestors: [
        {
          type: 'machine-learning-model',
          name: `${card.name} (as it was sent)`,
          description: `${card.framework.name}; ${card.source}`,
          hashes: [sha256(original.sha256)],
        },
      ],
      notes:
        'Wrapped in the interface of the platform; the wrapped graph was compared with the file on the whole test set.',
    },
  };
}

function architectureOf(origin: ModelConfig | ImportFacts): Json {
  if ('card' in origin) {
    return {
      task: 'multiclass classification',
      architectureFamily: [origin.card.framework.name, origin.card.framework.version ?? ''].join(' ').trim(),
      modelArchitecture: origin.scan.operators.map(({ name, count }) => `${name} x ${count}`).join(', '),
    };
  }
  return {
    task: origin.task === 'regression' ? 'regression' : `${origin.task} classification`,
    architectureFamily: origin.layers.some(({ type }) => type === 'conv2d') ? 'convolutional' : 'feed-forward',
    modelArchitecture: origin.layers.map(({ type }) => type).join(' > '),
  };
}

/** What nobody here measured stands beside the numbers that were. */
function declared(origin: ModelConfig | ImportFacts): { name: string; value: string }[] {
  if (!('card' in origin)) return [];
  const { card, original } = origin;
  return [
    { name: 'saip:training:lineage', value: 'declared by the importer' },
    { name: 'saip:import:trainingData', value: card.trainingData },
    { name: 'saip:import:source', value: card.source },
    { name: 'saip:import:by', value: origin.importedBy },
    { name: 'saip:import:original:sha256', value: original.sha256 },
  ];
}

function modelCard({ origin, facts, card, attack }: ModelBomSources): Json {
  const imported = 'card' in origin ? origin.card : undefined;
  return {
    modelParameters: {
      approach: { type: 'supervised' },
      ...architectureOf(origin),
      // The data that it was measured on; what it was trained on is the importer's word.
      datasets: [{ ref: DATASET }],
      inputs: inputFormats(facts),
      outputs: [{ format: outputFormat(facts) }],
    },
    quantitativeAnalysis: { performanceMetrics: [...performanceMetrics(facts), ...attackMetrics(attack)] },
    considerations: {
      ...(imported !== undefined && { useCases: [imported.intendedUse] }),
      technicalLimitations: imported?.limitations === undefined ? card['rai:dataLimitations'] : [imported.limitations],
    },
    properties: [
      { name: 'saip:evaluation:samples', value: String(facts.evaluation.samples) },
      { name: 'saip:evaluation:interval', value: '95 % bootstrap' },
      { name: 'saip:export:maxAbsDifference', value: String(facts.export.maxAbsDifference) },
      { name: 'saip:export:samples', value: String(facts.export.samples) },
      ...declared(origin),
    ],
  };
}

function inputFormats(facts: ModelFacts): { format: string }[] {
  if (facts.version === 1) return [{ format: `${facts.input.name}: tensor [${facts.input.shape.join(', ')}]` }];
  return facts.columns.map(({ name, kind }) => ({ format: `${name}: ${kind}` }));
}

function outputFormat(facts: ModelFacts): string {
  if (facts.version === 1 || facts.target === undefined) return `probabilities of ${facts.labels.length} classes`;
  const { name, unit } = facts.target;
  return unit === undefined ? name : `${name} in ${unit}`;
}

function performanceMetrics({ evaluation, dataset }: ModelFacts): Json[] {
  return metricsOf(evaluation).map(({ name, interval: { value, low, high } }) => ({
    type: name,
    value: String(value),
    slice: `test split of ${dataset}`,
    confidenceInterval: { lowerBound: String(low), upperBound: String(high) },
  }));
}

function attackMetrics(attack: AttackEvidence | undefined): Json[] {
  return (attack?.worst ?? []).map(({ epsilon, accuracy: { value, low, high } }) => ({
    type: 'worstCaseAccuracy',
    value: String(value),
    slice: `${attack?.samples} test samples, all attacks up to epsilon ${epsilon}`,
    confidenceInterval: { lowerBound: String(low), upperBound: String(high) },
  }));
}

function datasetComponent({ facts, card }: ModelBomSources): Json & { 'bom-ref': string } {
  return {
    'bom-ref': DATASET,
    type: 'data',
    name: facts.dataset,
    version: card.version,
    description: card.description,
    hashes: [sha256(facts.dataSha256)],
    licenses: [card.license].flat().map((url) => ({ license: { name: url, url } })),
    copyright: card.copyrightNotice,
    externalReferences: [
      { type: 'website', url: card.url },
      {
        type: 'model-card',
        url: `${RELEASE_FILES.model}${MODEL_FILES.card}`,
        comment: 'Croissant data card',
        hashes: [sha256(facts.cardSha256)],
      },
    ],
    data: [
      {
        type: 'dataset',
        name: facts.dataset,
        contents: { url: card.url },
        sensitiveData: card['rai:personalSensitiveInformation'],
      },
    ],
    components: card.distribution.map(({ contentUrl, sha256: digest }) => ({
      'bom-ref': `${DATASET}/${contentUrl}`,
      type: 'file',
      name: contentUrl,
      hashes: [sha256(digest)],
    })),
  };
}

function fileComponents({ files }: ModelBomSources): (Json & { 'bom-ref': string })[] {
  return Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, ref]) => ({
      'bom-ref': `file:${path}`,
      type: 'file',
      name: `${RELEASE_FILES.model}${path}`,
      'mime-type': ref.mediaType,
      hashes: [sha256(ref.sha256)],
    }));
}

function sha256(content: string): Json {
  return { alg: 'SHA-256', content };
}
