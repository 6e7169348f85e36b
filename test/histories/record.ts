/**
 * Saves the history of a run of a real stack, for the replay test:
 *
 *     node --env-file=$SAIP_HOME/env/worker-orchestration.env test/histories/record.ts NAME WORKFLOW_ID [RUN_ID]
 *
 * The file is `test/histories/<workflow type>/<NAME>.json`: decrypted, without what names the machine or proved
 * anything. Record again when a change of a workflow is meant to end compatibility with old runs, and only then.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { loadConfig } from '../../lib/config/index.ts';
import type { PayloadCodec } from '../../lib/codec/index.ts';
import { openResources } from '../../workers/shared/resources.ts';
import { mapPayloads, textOf, withText } from './payloads.ts';
import type { JsonPayload } from './payloads.ts';
import { findings, scrub } from './scrub.ts';

const [name, workflowId, runId] = process.argv.slice(2);
if (name === undefined || workflowId === undefined) throw new TypeError('usage: record.ts NAME WORKFLOW_ID [RUN_ID]');

const config = loadConfig('worker-orchestration');
const resources = openResources(config);
const connection = await Connection.connect({ address: config.temporal.address });
try {
  const client = new Client({ connection, namespace: config.temporal.namespace });
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const plain = await mapPayloads(JSON.parse(historyToJSON(history)), async (payload) =>
    scrubPayload(await decrypt(payload, resources.codec)),
  );
  // One event a line: small, and a difference shows as one.
  const { events } = scrub(plain) as { events: unknown[] };
  const text = `{"events":[\n${events.map((event) => JSON.stringify(event)).join(',\n')}\n]}\n`;
  const problems = findings(text);
  if (problems.length > 0) throw new Error(`not saved, the history holds ${problems.join('; ')}`);
  const type = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? 'unknown';
  const directory = join(import.meta.dirname, type);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, `${name}.json`), text);
  process.stdout.write(`${type}/${name}.json: ${history.events?.length} events\n`);
} finally {
  await connection.close();
  await resources.close();
}

async function decrypt(payload: JsonPayload, codec: PayloadCodec): Promise<JsonPayload> {
  if (Buffer.from(payload.metadata['encoding'] ?? '', 'base64').toString() !== 'binary/encrypted') return payload;
  const metadata = Object.fromEntries(
    Object.entries(payload.metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
  );
  const [decoded] = await codec.decode([{ metadata, data: Buffer.from(payload.data ?? '', 'base64') }]);
  if (decoded === undefined) throw new Error('the codec gave nothing back');
  return {
    metadata: Object.fromEntries(
      Object.entries(decoded.metadata).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(decoded.data).toString('base64'),
  };
}

function scrubPayload(payload: JsonPayload): JsonPayload {
  const text = textOf(payload);
  if (text === '') return payload;
  const scrubbed = JSON.stringify(scrub(JSON.parse(text)));
  const problems = findings(scrubbed);
  if (problems.length > 0) throw new Error(`not saved, a payload holds ${problems.join('; ')}`);
  return withText(payload, scrubbed);
}
