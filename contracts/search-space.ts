import { z } from 'zod';
import { ModelConfig, TrainingConfig } from './model-config.ts';

/** Fields that a search may vary. What decides about the data, the length or the measure of a training is not here. */
const TRAINING_PATHS = [
  'training.batchSize',
  'training.weightDecay',
  'training.optimizer.type',
  'training.optimizer.learningRate.initial',
  'training.optimizer.learningRate.schedule',
  'training.optimizer.learningRate.warmupSteps',
  'training.optimizer.beta1',
  'training.optimizer.beta2',
  'training.optimizer.momentum',
] as const;
const LAYER_PATH = /^model\.layers\.(\d|[1-5]\d|6[0-3])\.(units|filters|kernelSize|rate|activation)$/;

/** The fields of each kind of optimiser beside its learning rate. */
const OPTIMIZER_FIELDS = { adam: ['beta1', 'beta2', 'epsilon'], sgd: ['momentum'] } as const;

/** Address of a field of the network or its training, e.g. `training.optimizer.learningRate.initial`. */
export const SearchPath = z
  .string()
  .refine(
    (path) => (TRAINING_PATHS as readonly string[]).includes(path) || LAYER_PATH.test(path),
    `one of ${TRAINING_PATHS.join(', ')}, or model.layers.<index> with .units, .filters, .kernelSize, .rate or .activation`,
  );

const number = z.number().min(-1e9).max(1e9);
const ordered = { message: 'low must be less than high', path: ['high'] };

/** Where the values of one field come from; `int` and `uniform` are even, `logUniform` is even in the logarithm. */
export const SearchRange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform'), low: number, high: number }).refine(inOrder, ordered),
  z.strictObject({ kind: z.literal('logUniform'), low: number.gt(0), high: number.gt(0) }).refine(inOrder, ordered),
  z.strictObject({ kind: z.literal('int'), low: number.int(), high: number.int() }).refine(inOrder, ordered),
  z.strictObject({
    kind: z.literal('choice'),
    values: z
      .array(z.union([number, z.string().max(32)]))
      .min(1)
      .max(32),
  }),
]);
export type SearchRange = z.infer<typeof SearchRange>;

function inOrder({ low, high }: { low: number; high: number }): boolean {
  return low < high;
}

/** Path → range. */
export const SearchSpace = z
  .record(SearchPath, SearchRange)
  .refine((space) => Object.keys(space).length > 0, 'at least one field to vary')
  .refine((space) => Object.keys(space).length <= 16, 'at most 16 fields to vary');
export type SearchSpace = z.infer<typeof SearchSpace>;

/** Path → value: one point of a space. */
export const SearchValues = z.record(z.string(), z.union([z.number(), z.string()]));
export type SearchValues = z.infer<typeof SearchValues>;

/** What a search varies. */
export interface Configuration {
  readonly model: ModelConfig;
  readonly training: TrainingConfig;
}

type Json = Record<string, unknown>;

/**
 * The configuration with the values put in. Another type of optimiser keeps the learning rate and takes its own fields
 * at their defaults; a field of the type that was not drawn is left out.
 * @throws z.ZodError whose path is that of the field at fault
 */
export function withValues({ model, training }: Configuration, values: SearchValues): Configuration {
  const whole = structuredCloneOf({ model, training });
  const type = values['training.optimizer.type'];
  if (type !== undefined) set(whole, 'training.optimizer.type', type);
  const foreign = foreignFields(whole);
  for (const [path, value] of Object.entries(values)) {
    if (!foreign.includes(path)) set(whole, path, value);
  }
  for (const path of foreign) remove(whole, path);
  return z.strictObject({ model: ModelConfig, training: TrainingConfig }).parse(whole);
}

/** Paths of fields that the present type of optimiser does not have. */
function foreignFields(whole: Json): string[] {
  const type = at(whole, ['training', 'optimizer'])?.['type'];
  return Object.entries(OPTIMIZER_FIELDS).flatMap(([kind, fields]) =>
    kind === type ? [] : fields.map((field) => `training.optimizer.${field}`),
  );
}

/** Plain JSON alone goes in, and comes out. */
function structuredCloneOf(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function set(whole: Json, path: string, value: unknown): void {
  const { parent, name } = locate(whole, path);
  if (parent === undefined) {
    throw new z.ZodError([{ code: 'custom', path: path.split('.'), message: 'there is no such field', input: value }]);
  }
  parent[name] = value;
}

function remove(whole: Json, path: string): void {
  const { parent, name } = locate(whole, path);
  if (parent !== undefined) Reflect.deleteProperty(parent, name);
}

function locate(whole: Json, path: string): { parent: Json | undefined; name: string } {
  const steps = path.split('.');
  const name = steps.pop() ?? '';
  return { parent: at(whole, steps), name };
}

/** Paths are allow-listed, so that no step leads to a prototype. */
function at(whole: Json, steps: readonly string[]): Json | undefined {
  let node: unknown = whole;
  for (const step of steps) node = (node as Json | undefined)?.[step];
  return node as Json | undefined;
}
