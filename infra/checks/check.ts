/** What one check found; a check of many tests counts each. */
export interface CheckResult {
  readonly passed: number;
  readonly failed: number;
}

/** A command that must succeed. */
export interface Check {
  readonly name: string;
  /** Executable in `node_modules/.bin`, or `node`. */
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Checks of the source text, independent of each other, as lanes that run side by side. Lint takes as long as all the
 * others together; with types it needs 5 GiB.
 */
export const STATIC_CHECKS: readonly (readonly Check[])[] = [
  [{ name: 'lint', command: 'eslint', args: ['--max-warnings', '0', '.'] }],
  [
    { name: 'format', command: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
    { name: 'types', command: 'tsc', args: ['--noEmit'] },
    {
      name: 'dependency rules',
      command: 'depcruise',
      args: [
        ...['--config', '.dependency-cruiser.cjs', '--output-type', 'err'],
        ...['contracts', 'lib', 'workflows', 'activities', 'workers', 'api', 'cli', 'infra', 'test', 'bench'],
      ],
    },
  ],
];

/** Rego tests, and whether the committed policies are what their sources say. Needs opa, so it comes last. */
export const POLICY_CHECK: Check = {
  name: 'policies are current',
  command: 'node',
  args: ['infra/policies/check.ts'],
};
