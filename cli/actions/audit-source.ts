import { AuditCheckpoints, AuditRecordList, type AuditRecordView } from '../../contracts/audit-api.ts';
import { TILE_WIDTH, tilePath, type LogSource, type PersonalState, type Tile } from '../../lib/audit/index.ts';
import type { ApiClient, CallOptions } from '../client/index.ts';
import { CliError } from '../errors.ts';
import { EXIT } from '../exit-codes.ts';

const READ: CallOptions = { role: 'auditor' };

/** The log behind the API, read as any monitor of a tlog-tiles log reads it. */
export class ApiSource implements LogSource {
  readonly #api: ApiClient;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async checkpoint(): Promise<string> {
    return Buffer.from(await this.#bytes('checkpoint')).toString('utf8');
  }

  async checkpoints(): Promise<readonly string[]> {
    return (await this.#api.get('/v1/audit/checkpoints', AuditCheckpoints, READ)).checkpoints;
  }

  tile(tile: Tile): Promise<Uint8Array | undefined> {
    return this.#optional(tilePath(tile));
  }

  async entries(index: number, width: number): Promise<Uint8Array> {
    return (await this.#optional(tilePath({ level: 'entries', index, width }))) ?? new Uint8Array();
  }

  async personal(index: number, width: number): Promise<(PersonalState | undefined)[]> {
    const first = index * TILE_WIDTH;
    const query = { fromIndex: first, limit: width };
    const { entries } = await this.#api.get('/v1/audit/entries', AuditRecordList, { ...READ, query });
    const byIndex = new Map(entries.map((entry) => [entry.index, entry]));
    return Array.from({ length: width }, (_, offset) => stateOf(byIndex.get(first + offset)));
  }

  async #optional(path: string): Promise<Uint8Array | undefined> {
    try {
      return await this.#bytes(path);
    } catch (error) {
      if (error instanceof CliError && error.exitCode === EXIT.notFound) return undefined;
      throw error;
    }
  }

  async #bytes(path: string): Promise<Uint8Array> {
    const body = await this.#api.download(`/v1/audit/${path}`, READ);
    return new Uint8Array(await new Response(body).arrayBuffer());
  }
}

function stateOf(entry: AuditRecordView | undefined): PersonalState | undefined {
  if (entry === undefined) return undefined;
  if (entry.erasedBy !== undefined) return { erasedBy: entry.erasedBy };
  const { recordId: id, at, action, decision, subject = '', actor = '', traceId, detail = {}, salt = '' } = entry;
  return { record: { id, at, action, decision, subject, actor, traceId, detail }, salt: Buffer.from(salt, 'hex') };
}
