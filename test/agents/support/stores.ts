import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { rootDataDirectory, stackLayout } from '../../../infra/local/layout.ts';
import { readStackId } from '../../../infra/local/identity.ts';
import { openResources } from '../../../workers/shared/resources.ts';
import type { SaipConfig } from '../../../lib/config/index.ts';
import { mapPayloads, textOf } from '../../histories/payloads.ts';

/** What a secret may look like in a file. */
function forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64').replace(/=+$/, ''), bytes.toString('hex')];
}

/** Files of the stack, but for its folder of secrets, that hold one of the secrets in any form. */
export function filesWith(home: string, secrets: readonly string[]): string[] {
  const layout = stackLayout(home);
  const folders = [layout.data, layout.logs, layout.run, layout.env, rootDataDirectory(readStackId(layout) ?? '')];
  const patterns = join(tmpdir(), `saip-patterns-${process.pid}`);
  writeFileSync(patterns, secrets.flatMap(forms).join('\n'), { mode: 0o600 });
  try {
    const searched = folders.filter((folder) => existsSync(folder));
    const { stdout, status } = spawnSync('grep', ['-rlaF', '-f', patterns, ...searched], { encoding: 'utf8' });
    // 1: nothing was found; anything above is no search.
    if (status === null || status > 1) throw new Error('the stores could not be searched');
    return stdout.split('\n').filter((line) => line !== '');
  } finally {
    rmSync(patterns);
  }
}

/** The whole history of a workflow, payloads decrypted, as one text. */
export async function decryptedHistory(config: SaipConfig, workflowId: string): Promise<string> {
  const resources = openResources(config);
  const connection = await Connection.connect({ address: config.temporal.address });
  try {
    const client = new Client({ connection, namespace: config.temporal.namespace });
    const history = await client.workflow.getHandle(workflowId).fetchHistory();
    const texts: string[] = [];
    await mapPayloads(JSON.parse(historyToJSON(history)), async (payload) => {
      const metadata = Object.fromEntries(
        Object.entries(payload.metadata).map(([key, value]) => [key, Buffer.from(value, 'base64')]),
      );
      if (metadata['encoding']?.toString() !== 'binary/encrypted') texts.push(textOf(payload));
      else {
        const decoded = await resources.codec.decode([{ metadata, data: Buffer.from(payload.data ?? '', 'base64') }]);
        for (const { data } of decoded) texts.push(Buffer.from(data).toString('utf8'));
      }
      return payload;
    });
    return texts.join('\n');
  } finally {
    await connection.close();
    await resources.close();
  }
}

/** The secret id with which the worker logs in to OpenBao. */
export function secretIdOf(config: SaipConfig): string {
  const login = JSON.parse(readFileSync(config.bao.loginFile ?? '', 'utf8')) as { secretId: string };
  return login.secretId;
}
