import { stackLayout } from '../../../infra/local/index.ts';
import { ensureOAuthClients } from '../../../infra/local/postgres/oauth-clients.ts';
import { OAuthClients } from '../../../lib/clients/index.ts';
import type { PrivateDatabase } from '../../support/private-database.ts';
import { testHome } from '../../support/stack.ts';

/** Makes the clients of the test stack known to a database of a test's own. */
export async function copyClients({ owner }: PrivateDatabase): Promise<void> {
  await ensureOAuthClients(stackLayout(testHome()), new OAuthClients(owner));
}
