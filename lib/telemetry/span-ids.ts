import { randomBytes } from 'node:crypto';

/** Ids that a span had where it ended. */
export interface GivenIds {
  readonly traceId: string;
  readonly spanId: string;
}

/** Random ids (W3C Trace Context), except while a span is taken over that has its ids already. */
export class SpanIds {
  #given: GivenIds | undefined;

  generateTraceId(): string {
    return this.#given?.traceId ?? randomBytes(16).toString('hex');
  }

  generateSpanId(): string {
    return this.#given?.spanId ?? randomBytes(8).toString('hex');
  }

  /** `make` starts one span, synchronously. */
  reuse<T>(ids: GivenIds, make: () => T): T {
    this.#given = ids;
    try {
      return make();
    } finally {
      this.#given = undefined;
    }
  }
}
