/** Exit codes of every `saip` command. Scripts rely on them: a change here is a breaking change. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** Wrong arguments, or a request that the server refused as invalid (400, 413, 415, 422). */
  usage: 2,
  /** No valid token, or a token that may not do this (401, 403). */
  forbidden: 3,
  notFound: 4,
  /** The workflow ended `rejected`: a gate, an approver or a time-out said no. */
  rejected: 5,
  /** Nothing answers at the API's address. */
  unreachable: 6,
  /** The audit log is not what was signed. */
  tampered: 7,
  /** Ctrl-C. A followed workflow goes on without its viewer. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const INVALID_REQUEST = new Set([400, 413, 415, 422]);

/** The exit code for an HTTP status that reports an error. */
export function exitCodeOfStatus(status: number): ExitCode {
  if (INVALID_REQUEST.has(status)) return EXIT.usage;
  if (status === 401 || status === 403) return EXIT.forbidden;
  if (status === 404) return EXIT.notFound;
  return EXIT.failure;
}
