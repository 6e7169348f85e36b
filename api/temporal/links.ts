import type { WorkflowLinks } from '../../contracts/api.ts';
import type { z } from 'zod';

/** Where an execution is found: in this API and, where the deployment has one, in the Temporal UI. */
export function workflowLinks(
  execution: { workflowId: string; runId: string },
  at: { uiUrl: string | undefined; namespace: string },
): z.infer<typeof WorkflowLinks> {
  const self = `/v1/workflows/${encodeURIComponent(execution.workflowId)}`;
  const ui = `${at.uiUrl ?? ''}/namespaces/${encodeURIComponent(at.namespace)}/workflows`;
  return {
    self,
    events: `${self}/events`,
    ...(at.uiUrl !== undefined && {
      temporal: `${ui}/${encodeURIComponent(execution.workflowId)}/${execution.runId}`,
    }),
  };
}
