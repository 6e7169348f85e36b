import { SaipError } from '../../contracts/errors.ts';

/** One setting that cannot be used. `setting` is the variable or the path inside the file. */
export interface ConfigProblem {
  readonly setting: string;
  readonly message: string;
}

/** The configuration cannot be used; `problems` and the message name every setting at fault, never its value. */
export class ConfigError extends SaipError<'CONFIG_INVALID'> {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options: { readonly cause?: unknown } = {}) {
    const lines = problems.map((problem) => `  ${problem.setting}: ${problem.message}`);
    super('CONFIG_INVALID', ['The configuration cannot be used:', ...lines].join('\n'), {
      ...options,
      field: problems[0]?.setting,
    });
    this.problems = problems;
  }
}
