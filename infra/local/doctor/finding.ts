import type { StackLayout } from '../layout.ts';

export interface Finding {
  readonly check: string;
  /** A `warning` does not stop the platform from working; an `error` does, or leaves a secret open. */
  readonly level: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What to do about it, one command where one is enough. */
  readonly mend?: string;
}

export type Check = (layout: StackLayout) => Finding[] | Promise<Finding[]>;
