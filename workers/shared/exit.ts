import { isSaipError } from '../../contracts/errors.ts';
import { ConfigError } from '../../lib/config/index.ts';
import type { Logger } from '../../lib/telemetry/index.ts';

/** sysexits.h, EX_CONFIG: starting again will not help. */
const EX_CONFIG = 78;

export function exitCodeOf(error: unknown): number {
  const hopeless = error instanceof ConfigError || (isSaipError(error) && error.code === 'WORKFLOW_REPLAY_FAILED');
  return hopeless ? EX_CONFIG : 1;
}

/** Says why the process ends. A wrong setting is the operator's to mend: the list of them says more than a stack. */
export function explain(error: unknown, logger: Logger | undefined): void {
  if (logger === undefined || error instanceof ConfigError) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  } else if (isSaipError(error)) {
    logger.fatal({ code: error.code, hint: error.spec.hint, err: error }, error.message);
  } else {
    logger.fatal({ err: error }, 'the worker failed');
  }
}
