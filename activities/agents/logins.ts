import type { AgentActivities } from '../../contracts/agent-activities.ts';
import { AgentViews } from '../../lib/clients/index.ts';
import type { AgentContext } from './context.ts';

type LoginActivities = Pick<AgentActivities, 'borrowLogin' | 'revokeLogins'>;

/** The database login of a task: borrowed when it begins, ended when its work is done. */
export function loginActivities({ logins, note }: AgentContext): LoginActivities {
  return {
    async borrowLogin({ run }) {
      const { pool } = await logins.use(run.key);
      const username = await new AgentViews(pool).whoAmI();
      await note({
        task: run.key,
        id: `login/${username}`,
        actor: 'worker:agents',
        action: 'login:borrow',
        subject: `login:${username}`,
        decision: 'borrowed',
        detail: { role: 'agent-readonly' },
      });
      return { username };
    },

    async revokeLogins({ run }) {
      const revoked = await logins.revoke(run.key);
      await note({
        task: run.key,
        id: 'login/revoked',
        actor: 'worker:agents',
        action: 'login:revoke',
        subject: `task:${run.key}`,
        decision: 'revoked',
        detail: { role: 'agent-readonly' },
      });
      return { revoked };
    },
  };
}
