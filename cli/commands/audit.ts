import type { Command } from 'commander';
import type { ProveOptions, ShowAuditOptions } from '../actions/audit.ts';
import type { ExportAuditOptions, VerifyAuditOptions } from '../actions/audit-verify.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { collect, wholeNumber, withJson } from './options.ts';

export function registerAudit(program: Command, io: Io): void {
  const group = program.command('audit').description('read the audit log, and verify that nothing in it was changed');
  registerReading(group, io);
  registerVerifying(group, io);

  withJson(
    group
      .command('erase')
      .description('erase what the records hold about one person or client; leaves and proofs stay')
      .requiredOption('--subject <name>', 'subject of its tokens, or its client id'),
  ).action(async (options: OutputOptions & { subject: string }) => {
    const { eraseAudit } = await import('../actions/audit.ts');
    process.exitCode = await eraseAudit(io, options);
  });
}

function registerReading(group: Command, io: Io): void {
  withJson(
    group
      .command('show')
      .description('list records, newest first, or by their place in the tree')
      .option('--actor <name>', 'only those of one actor')
      .option('--action <action>', 'only those of one action, such as model:infer')
      .option('--subject <subject>', 'only those about one thing, such as model:mnist-cnn/3')
      .option('--from-index <n>', 'leaves from this one on, oldest first', wholeNumber(0))
      .option('--limit <n>', 'rows of a page', wholeNumber(1))
      .option('--page-token <token>', 'the page after the last one'),
  ).action(async (options: ShowAuditOptions) => {
    const { showAudit } = await import('../actions/audit.ts');
    process.exitCode = await showAudit(io, options);
  });

  withJson(group.command('key').description('print the verifier keys of the log, for audit verify --key')).action(
    async (options: OutputOptions) => {
      const { printAuditKey } = await import('../actions/audit-verify.ts');
      process.exitCode = await printAuditKey(io, options);
    },
  );
}

function registerVerifying(group: Command, io: Io): void {
  withJson(
    group
      .command('verify')
      .description(
        'recompute the log, of the platform or of an exported folder; exit code 7: it is not what was signed',
      )
      .argument('[folder]', 'an exported log; no server is asked then')
      .option('--key <key>', 'verifier key that you trust; repeatable', collect(String))
      .option('--witness <file>', 'where the newest checkpoint is kept; default: audit-witness.json in SAIP_HOME')
      .option('--copy <folder>', 'an older export: names the very leaf where a rewritten log departs'),
  ).action(async (folder: string | undefined, options: VerifyAuditOptions) => {
    const { verifyAudit } = await import('../actions/audit-verify.ts');
    process.exitCode = await verifyAudit(io, folder, options);
  });

  withJson(
    group
      .command('prove')
      .description('prove that a record is in the log, and check the proof')
      .argument('<index>', 'its leaf', wholeNumber(0))
      .option('--size <n>', 'of the tree; default: the newest signed one', wholeNumber(1))
      .option('--since <n>', 'prove as well that this tree continues the one of so many leaves', wholeNumber(1)),
  ).action(async (index: number, options: ProveOptions) => {
    const { proveAudit } = await import('../actions/audit.ts');
    process.exitCode = await proveAudit(io, index, options);
  });

  withJson(
    group
      .command('export')
      .description('write the log as a folder that any tlog-tiles client reads; it holds no personal data')
      .argument('<folder>', 'a folder that does not exist yet')
      .option('--key <key>', 'verifier key that you trust; repeatable', collect(String)),
  ).action(async (folder: string, options: ExportAuditOptions) => {
    const { exportAudit } = await import('../actions/audit-verify.ts');
    process.exitCode = await exportAudit(io, folder, options);
  });
}
