import { heartbeat, sleep } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import type { ServingReport } from '../../contracts/api.ts';
import { SaipError } from '../../contracts/errors.ts';
import type { AliasLog, LiveAlias, ServingStatus } from '../../lib/clients/index.ts';

export interface ServingDependencies {
  readonly aliases: Pick<AliasLog, 'current'>;
  readonly serving: Pick<ServingStatus, 'reports'>;
}

type Question = Parameters<CpuActivities['awaitServing']>[0];

const POLL_MS = 200;
/** Longer than a restart of the API, and than the life of a replica that died without a word. */
const PATIENCE_MS = 90_000;

/**
 * Waits until every live API process serves the alias.
 * @throws SaipError `ROLLOUT_NOT_SERVED` as soon as one refuses, when the alias means something else by now, or when
 * time is up
 */
export async function awaitServing(
  { aliases, serving }: ServingDependencies,
  { model, alias, version }: Question,
): Promise<{ replicas: number }> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const live = await aliases.current(model, alias);
    if (live?.version !== version) throw notServed(`The ${alias} of ${model} is not version ${version} any more.`);
    const reports = await serving.reports(model, alias);
    const refusal = reports.find((report) => refuses(report, live));
    if (refusal !== undefined) throw notServed(`${refusal.replica} refuses it: ${refusal.code}: ${refusal.reason}`);
    const ready = reports.filter((report) => serves(report, live)).length;
    if (ready > 0 && ready === reports.length) return { replicas: ready };
    if (Date.now() > deadline) throw notServed(overdue(version, ready, reports.length));
    heartbeat({ ready, replicas: reports.length });
    await sleep(POLL_MS);
  }
}

function serves(report: ServingReport, live: LiveAlias): boolean {
  return report.state === 'ready' && report.version === live.version && report.digest === live.digest;
}

/** A refusal from before the alias was set is about an earlier rollout. */
function refuses(report: ServingReport, live: LiveAlias): boolean {
  return report.state === 'refused' && report.version === live.version && report.at >= live.since;
}

function overdue(version: string, ready: number, replicas: number): string {
  const within = `within ${PATIENCE_MS / 1000} s`;
  if (replicas === 0) return `No API process was there to serve version ${version} ${within}.`;
  return `${ready} of ${replicas} API processes served version ${version} ${within}.`;
}

function notServed(message: string): SaipError {
  return new SaipError('ROLLOUT_NOT_SERVED', message);
}
