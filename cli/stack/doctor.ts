import { diagnose } from '../../infra/local/index.ts';
import type { Finding } from '../../infra/local/index.ts';
import { saipHome } from '../client/stack-file.ts';
import { EXIT } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Io } from '../io.ts';
import { colorsOf } from '../render/colors.ts';
import type { OutputOptions } from '../render/output.ts';
import { present } from '../render/output.ts';

/** @returns 1 when anything is wrong that stops the platform from working */
export async function doctor(io: Io, options: OutputOptions): Promise<ExitCode> {
  const findings = await diagnose(saipHome(io.env));
  const healthy = findings.every(({ level }) => level !== 'error');
  present(io, options, { healthy, findings }, () =>
    [...findings.map((f) => line(io, f)), summary(findings)].join('\n'),
  );
  return healthy ? EXIT.ok : EXIT.failure;
}

function line(io: Io, { check, level, message, mend }: Finding): string {
  const colors = colorsOf(io);
  const marks = { ok: colors.green('✓'), warning: colors.yellow('!'), error: colors.red('✗') };
  const hint = mend === undefined ? '' : `\n    mend: ${mend}`;
  return `${marks[level]} ${check}: ${message}${hint}`;
}

function summary(findings: readonly Finding[]): string {
  const count = findings.filter(({ level }) => level === 'error').length;
  return count === 0 ? '\nNothing is wrong.' : `\n${count} ${count === 1 ? 'thing is' : 'things are'} wrong.`;
}
