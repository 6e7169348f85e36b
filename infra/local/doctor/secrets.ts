import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StackLayout } from '../layout.ts';
import type { Finding } from './finding.ts';

const check = 'secrets';

/** No other account may read a secret: folders 0700, files 0600, all owned by the account of the stack. */
export function checkSecrets({ secrets }: StackLayout): Finding[] {
  if (!existsSync(secrets)) return [];
  const inside = readdirSync(secrets, { recursive: true, encoding: 'utf8' }).map((name) => join(secrets, name));
  const findings = [secrets, ...inside].flatMap(judge);
  if (findings.length > 0) return findings;
  return [{ check, level: 'ok', message: `${inside.length} files and folders, closed to other accounts` }];
}

function judge(path: string): Finding[] {
  const { mode, uid } = statSync(path);
  const findings: Finding[] = [];
  if ((mode & 0o077) !== 0) {
    const open = (mode & 0o777).toString(8);
    findings.push({ check, level: 'error', message: `${path} is open to others (${open})`, mend: `chmod go= ${path}` });
  }
  if (uid !== process.getuid?.()) {
    findings.push({
      check,
      level: 'error',
      message: `${path} belongs to another account (uid ${uid})`,
      mend: `chown ${process.getuid?.()} ${path}`,
    });
  }
  return findings;
}
