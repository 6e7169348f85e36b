import { globSync } from 'node:fs';
import { join } from 'node:path';
import { TEST_HOME, removeStaleTestStacks, startTestStack } from './stack-process.ts';

/** The part of Jest's configuration that says which tests were asked for. */
interface JestConfig {
  readonly rootDir: string;
  readonly testPathPatterns: { readonly patterns: readonly string[] };
}

/** Starts one stack of real servers for all integration tests of this run; unit tests alone need none. */
export default async function globalSetup(config: JestConfig): Promise<void> {
  if (!selectsIntegrationTests(config)) return;
  if (process.env[TEST_HOME] !== undefined) return;
  await removeStaleTestStacks();
  process.env[TEST_HOME] = await startTestStack();
}

function selectsIntegrationTests({ rootDir, testPathPatterns }: JestConfig): boolean {
  const patterns = testPathPatterns.patterns.map((pattern) => new RegExp(pattern, 'i'));
  return globSync('test/**/*.int.test.ts', { cwd: rootDir })
    .map((file) => join(rootDir, file))
    .some((file) => patterns.length === 0 || patterns.some((pattern) => pattern.test(file)));
}
