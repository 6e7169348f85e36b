import { join, resolve } from 'node:path';

/** Where one stack keeps its files. Every path is absolute. */
export interface StackLayout {
  readonly home: string;
  /** Identity of the stack, for its whole life. */
  readonly idFile: string;
  readonly stateFile: string;
  /** What `saip up` asked for; the supervisor reads it at its start and on SIGHUP. */
  readonly requestFile: string;
  readonly run: string;
  readonly logs: string;
  readonly data: string;
  readonly env: string;
  readonly secrets: string;
  readonly appRoles: string;
}

/** @param home the state directory (`SAIP_HOME`) */
export function stackLayout(home: string): StackLayout {
  const root = resolve(home);
  const secrets = join(root, 'secrets');
  return {
    home: root,
    idFile: join(root, 'stack-id'),
    stateFile: join(root, 'stack.json'),
    requestFile: join(root, 'run', 'request.json'),
    run: join(root, 'run'),
    logs: join(root, 'logs'),
    data: join(root, 'data'),
    env: join(root, 'env'),
    secrets,
    appRoles: join(secrets, 'approle'),
  };
}

/** PostgreSQL refuses to run as root, and the account it runs under may not be able to enter the state directory
 * (home folders are often mode 0700): as root its data lives here instead. */
export function rootDataDirectory(stackId: string): string {
  return join('/var/lib/saip', stackId);
}
