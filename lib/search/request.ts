import { z } from 'zod';
import type { ModelConfig } from '../../contracts/model-config.ts';
import { withValues } from '../../contracts/search-space.ts';
import type { SearchRange, SearchSpace } from '../../contracts/search-space.ts';
import { SearchInput } from '../../contracts/search.ts';
import type { SearchObjective, SearchRequest } from '../../contracts/search.ts';
import type { TrainInput } from '../../contracts/train-register-deploy.ts';
import { defaultSpace } from './default-space.ts';
import { drawFrom } from './draw.ts';
import { SearchError } from './errors.ts';

const TYPE = 'training.optimizer.type';
/** What each task can be compared by, the usual one first. */
const OBJECTIVES: Readonly<Record<ModelConfig['task'], readonly [SearchObjective, ...SearchObjective[]]>> = {
  multiclass: ['loss', 'accuracy'],
  regression: ['rmse'],
};
/** The fields that one type of optimiser alone has. */
const OWNERS: Readonly<Record<string, string>> = {
  'training.optimizer.beta1': 'adam',
  'training.optimizer.beta2': 'adam',
  'training.optimizer.momentum': 'sgd',
};

/**
 * Resolves a request to the input of the workflow, around the training that its `train` was resolved to.
 *
 * @throws SearchError SEARCH_SPACE_INVALID naming the range at fault; REQUEST_INVALID for budgets that cannot be kept, and
 * for an objective that the task does not have
 */
export function resolveSearchInput(request: SearchRequest, resolved: TrainInput): SearchInput {
  const { maxEpochs = resolved.training.epochs, ...budget } = request.budget;
  const train = { ...resolved, training: { ...resolved.training, epochs: maxEpochs } };
  if (budget.minEpochs > maxEpochs) {
    const message = `budget.minEpochs: ${budget.minEpochs} epochs are more than the whole training's ${maxEpochs}`;
    throw new SearchError('REQUEST_INVALID', message, { field: 'budget.minEpochs' });
  }
  const space = request.space ?? defaultSpace(train);
  checkSpace(train, space);
  return SearchInput.parse({ train, space, objective: objectiveOf(request, train), budget });
}

/** What the task is compared by. @throws SearchError REQUEST_INVALID for a measure that it does not have */
function objectiveOf({ objective }: SearchRequest, { model }: TrainInput): SearchObjective {
  const [usual, ...others] = OBJECTIVES[model.task];
  if (objective === undefined || objective === usual || others.includes(objective)) return objective ?? usual;
  const known = [usual, ...others].join(' or ');
  throw new SearchError('REQUEST_INVALID', `objective: task ${model.task} is compared by ${known}, not ${objective}`, {
    field: 'objective',
  });
}

function checkSpace(train: TrainInput, space: SearchSpace): void {
  for (const [path, range] of Object.entries(space)) {
    const last = `model.layers.${train.model.layers.length - 1}.`;
    if (path.startsWith(last)) throw invalid(path, 'the last layer is what the data set asks for');
    const type = ownerType(train, space, path);
    for (const value of samplesOf(range)) {
      try {
        withValues(train, { ...(type !== undefined && { [TYPE]: type }), [path]: value });
      } catch (error) {
        if (!(error instanceof z.ZodError)) throw error;
        throw invalid(path, `${value}: ${error.issues[0]?.message}`, error);
      }
    }
  }
}

/** The type of optimiser that a field needs, which must be that of the training or among those searched. */
function ownerType(train: TrainInput, space: SearchSpace, path: string): string | undefined {
  const owner = OWNERS[path];
  if (owner === undefined || train.training.optimizer.type === owner) return owner;
  const types = space[TYPE];
  if (types?.kind === 'choice' && types.values.includes(owner)) return owner;
  throw invalid(path, `the optimiser is ${train.training.optimizer.type}, which has no such field`);
}

/** Both ends, and something in between, which must fit whole numbers too. */
function samplesOf(range: SearchRange): (number | string)[] {
  if (range.kind === 'choice') return range.values;
  return [range.low, range.high, drawFrom(range, 0.4321)];
}

function invalid(path: string, message: string, cause?: unknown): SearchError {
  return new SearchError('SEARCH_SPACE_INVALID', `space.${path}: ${message}`, { field: `space.${path}`, cause });
}
