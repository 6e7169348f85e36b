/** Task queues. A worker of a pool polls the queue of its name; GPU and release pools hold what others must not. */
export const TASK_QUEUES = {
  orchestration: 'saip-orchestration',
  cpu: 'saip-cpu',
  gpu: 'saip-gpu',
  agents: 'saip-agents',
  release: 'saip-release',
} as const;
export type Pool = keyof typeof TASK_QUEUES;

/** Typed custom search attributes; they stay in clear text and hold no personal data. */
export const SEARCH_ATTRIBUTES = {
  SaipModel: 'Keyword',
  SaipStage: 'Keyword',
  SaipDataset: 'Keyword',
  SaipRequestedBy: 'Keyword',
  SaipRisk: 'Keyword',
} as const;
