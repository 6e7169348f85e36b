import { compareVersions } from './compare-versions.ts';
import { getRunMetrics } from './get-run-metrics.ts';
import { listModels } from './list-models.ts';
import { proposeRollback } from './propose-rollback.ts';
import type { AgentTool } from './tool.ts';

/** Every tool there is. Which of them an agent has is the policy's decision. */
export const TOOLS: readonly AgentTool[] = [listModels, getRunMetrics, compareVersions, proposeRollback];

export function findTool(name: string): AgentTool | undefined {
  return TOOLS.find((tool) => tool.name === name);
}
