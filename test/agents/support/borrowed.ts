import pg from 'pg';
import { openVault, readCredentials } from '../../../infra/local/openbao/index.ts';
import { readStackState, stackLayout } from '../../../infra/local/index.ts';
import { loadToolchain } from '../../../infra/local/toolchain.ts';
import type { Ports } from '../../../infra/local/ports.ts';
import { connectionOptions } from '../../../lib/clients/postgres/pool.ts';
import { openResources } from '../../../workers/shared/resources.ts';
import type { SaipConfig } from '../../../lib/config/index.ts';

const ROLE = 'database/roles/agent-readonly';
const CHANNEL = 'borrowed';

/** Every password that is lent out, as a watcher that only the test knows hears of it. */
export class BorrowedPasswords {
  readonly heard: string[] = [];
  readonly #listener: pg.Client;

  private constructor(listener: pg.Client) {
    this.#listener = listener;
    listener.on('notification', ({ payload }) => {
      if (payload !== undefined) this.heard.push(payload);
    });
  }

  /**
   * Makes OpenBao tell the passwords of the logins that it lends from now on: a worker keeps them in its memory alone,
   * and a search needs to know what to search for. A notification passes through PostgreSQL's memory, not its tables.
   */
  static async listen(home: string, config: SaipConfig): Promise<BorrowedPasswords> {
    const layout = stackLayout(home);
    const state = readStackState(layout.stateFile);
    if (state === undefined) throw new Error('there is no stack');
    const vault = await openVault({
      ...{ stackId: state.id, layout, toolchain: loadToolchain(), ports: state.ports as Ports },
    });
    const { username: user, password: own } = await readCredentials(vault, 'lender');
    await vault.write('database/config/saip', {
      plugin_name: 'postgresql-database-plugin',
      allowed_roles: ['agent-readonly'],
      connection_url: `postgresql://{{username}}:{{password}}@127.0.0.1:${state.ports['postgres']}/saip?sslmode=disable`,
      // PostgreSQL hashes, not OpenBao, which otherwise tells the verifier alone.
      password_authentication: 'password',
      username: user,
      password: own,
    });
    const { data } = (await vault.read(ROLE)) as { data: { creation_statements: string[] } };
    const notify = `SELECT pg_notify('${CHANNEL}', '{{password}}');`;
    await vault.write(ROLE, { ...data, creation_statements: [...data.creation_statements, notify] });

    const resources = openResources(config);
    try {
      const login = (await resources.bao.kvRead(`saip/postgres/${config.process}`)) as Record<string, string>;
      const { username = '', password = '' } = login;
      const listener = new pg.Client(connectionOptions(config, { username, password }));
      await listener.connect();
      const passwords = new BorrowedPasswords(listener);
      await listener.query(`LISTEN ${CHANNEL}`);
      return passwords;
    } finally {
      await resources.close();
    }
  }

  async stop(): Promise<void> {
    await this.#listener.end();
  }
}
