import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { CheckResult } from './check.ts';
import { ROOT, runCommand } from './run-command.ts';

/** The part of Jest's JSON report that is counted. */
const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  /** Files that could not be loaded, so that their tests never ran. */
  numRuntimeErrorTestSuites: z.int(),
  success: z.boolean(),
});

/** All unit and integration tests and replays, in one run of Jest. */
export async function runTests(): Promise<CheckResult> {
  const directory = mkdtempSync(join(tmpdir(), 'saip-jest-'));
  const outputFile = join(directory, 'report.json');
  try {
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    const { code } = await runCommand({
      name: 'tests',
      command: process.execPath,
      args: [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        jest,
        '--json',
        '--outputFile',
        outputFile,
      ],
      output: 'show',
    });
    return countTests(readFileSync(outputFile, 'utf8'), code);
  } catch (error) {
    console.log(`✗ tests: no report (${error instanceof Error ? error.message : String(error)})`);
    return { passed: 0, failed: 1 };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A run that fails in any other way than by a test, in its set-up say, still counts as one failure. */
export function countTests(report: string, exitCode: number): CheckResult {
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, success } = Report.parse(JSON.parse(report));
  const counted = numFailedTests + numRuntimeErrorTestSuites;
  const failed = success && exitCode === 0 ? counted : Math.max(1, counted);
  return { passed: numPassedTests, failed };
}
