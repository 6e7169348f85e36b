import type { LoadedModel } from '../loaded-model.ts';

/** What answers a request: a loaded model, or one whose inputs and outputs the guard looks at. */
export interface Servable extends Pick<
  LoadedModel,
  'model' | 'version' | 'digest' | 'facts' | 'inputs' | 'outputs' | 'run'
> {
  /** What is said in an answer of how it came about, once the model has run; absent where nothing is. */
  told?(): Readonly<Record<string, string | number>> | undefined;
}
