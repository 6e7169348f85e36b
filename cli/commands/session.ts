import type { Command } from 'commander';
import type { LoginOptions, TokenOptions } from '../actions/session.ts';
import type { Io } from '../io.ts';
import type { OutputOptions } from '../render/output.ts';
import { withJson } from './options.ts';

export function registerSession(program: Command, io: Io): void {
  withJson(
    program
      .command('login')
      .description('sign in and remember a short-lived token for later commands')
      .option('--api-url <url>', 'address of the API; default: SAIP_API_URL, else the local stack')
      .option('--role <role>', 'client of the local stack to sign in as (default: viewer)')
      .option('--client-id <id>', 'OAuth client of any other deployment')
      .option('--client-secret-file <file>', 'its secret, "-" for stdin; default: SAIP_CLIENT_SECRET')
      .option('--github-oidc', 'exchange the token of a GitHub Actions job, which needs the permission id-token: write')
      .option('--audience <audience>', 'audience that the platform expects in that token', 'saip'),
  ).action(async (options: LoginOptions) => {
    const { login } = await import('../actions/session.ts');
    process.exitCode = await login(io, options);
  });

  withJson(program.command('logout').description('forget the token of login')).action(
    async (options: OutputOptions) => {
      const { logout } = await import('../actions/session.ts');
      process.exitCode = await logout(io, options);
    },
  );

  const token = program
    .command('token')
    .description('print a short-lived token of the local stack, for scripts')
    .option('--role <role>', 'role of the token: viewer, predictor, trainer, approver, admin, …', 'viewer');
  withJson(
    token.command('revoke').description('end a token before its time').argument('<token>', 'or - for stdin'),
  ).action(async (given: string, options: OutputOptions) => {
    const { revokeToken } = await import('../actions/session.ts');
    process.exitCode = await revokeToken(io, given, options);
  });
  withJson(token).action(async (options: TokenOptions) => {
    const { printToken } = await import('../actions/session.ts');
    process.exitCode = await printToken(io, options);
  });
}
