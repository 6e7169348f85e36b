import type { LoadedModel } from '../loaded-model.ts';

/** What answers a request: a loaded model, or one whose inputs and outputs the guard looks at. */
export type Servable = Pick<LoadedModel, 'model' | 'version' | 'digest' | 'facts' | 'inputs' | 'outputs' | 'run'>;
