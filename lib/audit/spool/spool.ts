import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { mkdir, open, rename, rm, rmdir, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { AuditError } from '../errors.ts';
import { Lines } from './lines.ts';
import { ownerOf } from './owner.ts';
import { encodeRecord, type SpooledRecord } from './record.ts';
import { finishSegment, readBatch, segmentName, type Batch } from './segment.ts';

export interface SpoolOptions {
  /** Folder of all spools of this machine; each process has one of its own in it. */
  readonly root: string;
  /** Most bytes that may wait; the disk holds at most one segment more. */
  readonly limit: number;
  /**
   * `each`: a record counts as written once it is on the disk. `window`: once the system has it, which a kill of the
   * process cannot undo; the disk has it at most 20 ms later.
   */
  readonly sync: 'each' | 'window';
  /** Bytes after which a new segment begins; default 4 MiB. */
  readonly segment?: number;
}

const SEGMENT = 4 * 1024 * 1024;
const WINDOW_MS = 20;
export const OWNER_FILE = 'owner.json';

interface Segment {
  readonly file: string;
  /** Undefined once nothing is added to it any more. */
  handle: FileHandle | undefined;
  /** Bytes that were acknowledged. */
  size: number;
  shipped: number;
  damaged: boolean;
}

interface Waiting {
  readonly done: () => void;
  readonly failed: (error: AuditError) => void;
}

/**
 * An append-only file of one process in which records lie until they are in PostgreSQL. Requests of one turn of the event
 * loop, and those that come while the disk is busy, share a write and its flush (group commit). Bounded: what does not fit
 * is refused.
 */
export class Spool {
  readonly folder: string;
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  #number = 0;
  #waiting: Waiting[] = [];
  /** Of those who wait, in their order; while it is written, others gather in the spare one. */
  #lines = new Lines();
  #spare = new Lines();
  #backlog = 0;
  /** A write is at work, or will be once this turn of the event loop ends. */
  #writing = false;
  #closed = false;
  #unsynced: NodeJS.Timeout | undefined;

  private constructor(options: SpoolOptions, folder: string) {
    this.#options = options;
    this.folder = folder;
  }

  /** @throws AuditError AUDIT_UNAVAILABLE where the folder cannot be written */
  static async open(options: SpoolOptions): Promise<Spool> {
    const name = randomUUID();
    const made = join(options.root, `.${name}`);
    try {
      await mkdir(made, { recursive: true, mode: 0o700 });
      await writeFile(join(made, OWNER_FILE), JSON.stringify(ownerOf(process.pid)), { mode: 0o600 });
      const folder = join(options.root, name);
      // It appears with its owner, so that no other process takes it for one that was left behind.
      await rename(made, folder);
      return new Spool(options, folder);
    } catch (cause) {
      throw new AuditError('AUDIT_UNAVAILABLE', `The audit spool in ${options.root} cannot be written.`, { cause });
    }
  }

  /** Bytes of records that are not in PostgreSQL yet. */
  get backlog(): number {
    return this.#backlog;
  }

  /**
   * Settles once a kill of this process cannot lose the record.
   * @throws AuditError AUDIT_UNAVAILABLE when the spool is full or the disk refuses; nothing may then be answered
   */
  append(record: SpooledRecord): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = this.#lines.add(encodeRecord(record));
      if (this.#closed || this.#backlog + bytes > this.#options.limit) {
        this.#lines.drop(bytes);
        throw new AuditError('AUDIT_UNAVAILABLE', 'The audit spool is full, so nothing is answered.');
      }
      this.#waiting.push({ done: resolve, failed: reject });
      this.#backlog += bytes;
      this.#writeSoon();
    });
  }

  /**
   * Hands the oldest records that were not shipped to `send`, and forgets them when it has settled.
   * @returns how many; 0 where none waits
   * @throws what `send` throws; the records then stay
   */
  async ship(send: (batch: Batch) => Promise<void>): Promise<number> {
    for (const segment of [...this.#segments]) {
      const batch = await readBatch(segment.file, segment.shipped, segment.size);
      if (batch !== undefined) {
        await send(batch);
        this.#backlog -= batch.end - segment.shipped;
        segment.shipped = batch.end;
        segment.damaged ||= batch.damaged > 0;
        if (segment.handle === undefined) await this.#finishShipped(segment);
        return batch.count;
      }
      await this.#finishShipped(segment);
    }
    return 0;
  }

  /** Ends the open segment where all of it is shipped, so that an idle process holds no disk. Call it between writes. */
  async tidy(): Promise<void> {
    const open = this.#segments.at(-1);
    if (open?.handle === undefined || this.#writing || open.shipped < open.size || open.size === 0) return;
    this.#writing = true;
    try {
      await this.#seal(open);
      await this.#finishShipped(open);
    } finally {
      this.#written();
    }
  }

  /** Takes no more records; an empty spool removes its folder. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#unsynced);
    while (this.#writing) await new Promise((resolve) => setTimeout(resolve, 1));
    for (const segment of [...this.#segments]) {
      await this.#seal(segment);
      await this.#finishShipped(segment);
    }
    if (this.backlog > 0) return;
    await rm(join(this.folder, OWNER_FILE), { force: true });
    // Segments that were found damaged are kept, and the folder with them.
    await rmdir(this.folder).catch(() => undefined);
  }

  #writeSoon(): void {
    if (this.#writing) return;
    this.#writing = true;
    setImmediate(() => void this.#write());
  }

  #written(): void {
    this.#writing = false;
    if (this.#waiting.length > 0) this.#writeSoon();
  }

  async #write(): Promise<void> {
    let failure: unknown;
    const segment = await this.#openSegment().catch((error: unknown) => void (failure = error));
    const group = this.#waiting;
    const lines = this.#lines;
    this.#waiting = [];
    [this.#lines, this.#spare] = [this.#spare, lines];
    try {
      if (segment === undefined) throw failure;
      await this.#writeGroup(segment, lines.bytes);
      for (const { done } of group) done();
    } catch (cause) {
      const error = new AuditError('AUDIT_UNAVAILABLE', 'The audit spool cannot be written.', { cause });
      this.#backlog -= lines.length;
      for (const { failed } of group) failed(error);
    }
    lines.clear();
    this.#written();
  }

  async #writeGroup(segment: Segment, bytes: Buffer): Promise<void> {
    const { handle } = segment;
    if (handle === undefined) throw new Error('the segment is closed');
    try {
      writeAll(handle.fd, bytes, segment.size);
      if (this.#options.sync === 'each') await handle.datasync();
    } catch (error) {
      // A part of the group may be there. It was not acknowledged: it goes, or it stays the torn end of its segment.
      await handle.truncate(segment.size).catch(() => this.#seal(segment));
      throw error;
    }
    segment.size += bytes.length;
    if (this.#options.sync === 'window') this.#syncSoon();
    // Nobody waits for its last flush: what `sync` asks for is done.
    if (segment.size >= (this.#options.segment ?? SEGMENT)) void this.#seal(segment);
  }

  #syncSoon(): void {
    this.#unsynced ??= setTimeout(() => {
      this.#unsynced = undefined;
      const open = this.#segments.at(-1);
      // A segment whose flush failed takes no more: what the system then does with its pages is not known.
      open?.handle?.datasync().catch(() => this.#seal(open));
    }, WINDOW_MS);
  }

  async #openSegment(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last?.handle !== undefined) return last;
    const file = join(this.folder, segmentName(this.#number));
    const handle = await open(file, 'wx', 0o600);
    this.#number += 1;
    const segment: Segment = { file, handle, size: 0, shipped: 0, damaged: false };
    this.#segments.push(segment);
    return segment;
  }

  async #seal(segment: Segment): Promise<void> {
    const { handle } = segment;
    segment.handle = undefined;
    await handle?.datasync().catch(() => undefined);
    await handle?.close().catch(() => undefined);
  }

  async #finishShipped(segment: Segment): Promise<void> {
    if (segment.handle !== undefined || segment.shipped < segment.size) return;
    const at = this.#segments.indexOf(segment);
    if (at >= 0) this.#segments.splice(at, 1);
    await finishSegment(segment.file, segment);
  }
}

/**
 * The system takes some kilobytes into its memory within microseconds. To hand them to another thread and to hear of it
 * costs ten times as much, on the way of every request; the flush to the disk, which takes long, is left to a thread.
 */
function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
