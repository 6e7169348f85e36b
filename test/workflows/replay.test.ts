import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { ReplayWorkerOptions } from '@temporalio/worker';
import { FAILURE_CONVERTER } from '../../workers/shared/bundle.ts';
import { spanSink } from '../../workers/shared/spans.ts';
import { mapPayloads, textOf } from '../histories/payloads.ts';
import { findings } from '../histories/scrub.ts';
import { testBundle } from '../support/workflow-bundle.ts';

const DIRECTORY = join(import.meta.dirname, '..', 'histories');
const FILES = readdirSync(DIRECTORY, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));

const read = (file: string): string => readFileSync(join(DIRECTORY, file), 'utf8');

interface History {
  readonly events: readonly { readonly workflowExecutionStartedEventAttributes?: { readonly workflowId?: string } }[];
}

/** Children and aliases are named after the id that a run had. */
function parse(text: string): { workflowId: string; history: never } {
  const history = JSON.parse(text) as History;
  const workflowId = history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? 'unknown';
  // Temporal takes the JSON form as well, but does not say so in its types.
  return { workflowId, history: history as never };
}

/** One worker replays all of them, in order. */
async function replay(texts: readonly string[]): Promise<(Error | undefined)[]> {
  const errors: (Error | undefined)[] = [];
  for await (const { error } of Worker.runReplayHistories(options, texts.map(parse))) errors.push(error);
  return errors;
}

let options: ReplayWorkerOptions;
let errors: ReadonlyMap<string, Error | undefined>;
beforeAll(async () => {
  const logger = new DefaultLogger('ERROR', () => undefined);
  Runtime.install({ logger, telemetryOptions: { logging: { forward: {}, filter: 'OFF' } } });
  options = {
    workflowBundle: await testBundle(),
    dataConverter: { failureConverterPath: FAILURE_CONVERTER },
    sinks: spanSink({ enabled: false, recordSpan: () => undefined }),
  };
  const results = await replay(FILES.map(read));
  errors = new Map(FILES.map((file, index) => [file, results[index]]));
});
afterAll(() => Runtime.instance().shutdown());

describe('saved histories', () => {
  it.each([
    ...['trainRegisterDeploy', 'rolloutModel', 'attackRetest', 'signAndRelease', 'agentTask'],
    ...['importModel', 'searchHyperparameters', 'runTrial', 'measureExtraction'],
    'batchScore',
  ])('exist for %s', (type) => {
    expect(FILES.filter((file) => file.startsWith(`${type}/`)).length).toBeGreaterThan(2);
  });

  it.each(FILES)('%s is replayed by the present code', (file) => {
    expect(errors.has(file)).toBe(true);
    expect(errors.get(file)).toBeUndefined();
  });

  it.each(FILES)('%s holds no secret and no path of a machine', async (file) => {
    const text = read(file);
    expect(findings(text)).toEqual([]);
    await mapPayloads(JSON.parse(text), async (payload) => {
      expect(findings(textOf(payload))).toEqual([]);
      return payload;
    });
  });

  it('would show an incompatible change', async () => {
    const changed = read('trainRegisterDeploy/completed.json').replace('"name":"prepareData"', '"name":"prepareOther"');
    const [error] = await replay([changed]);
    expect(error?.message).toContain('nondeterminism');
  });
});
