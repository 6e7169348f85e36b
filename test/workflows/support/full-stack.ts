import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { z } from 'zod';
import { ApiClient, path } from '../../../cli/client/index.ts';
import { WorkflowDetail, WorkflowStarted, WorkflowUpdated } from '../../../contracts/api.ts';
import type { ApprovalRequest } from '../../../contracts/approval.ts';
import type { Role } from '../../../contracts/roles.ts';
import { TrainResult } from '../../../contracts/train-register-deploy.ts';
import type { TrainRequest } from '../../../contracts/train-register-deploy.ts';
import type { PlatformProcess } from '../../../infra/local/environment.ts';
import { readStackState, removeStack, stackLayout } from '../../../infra/local/index.ts';
import { loadConfig } from '../../../lib/config/index.ts';
import type { SaipConfig } from '../../../lib/config/index.ts';
import { startTestStack } from '../../support/stack-process.ts';

/** Set it to the state directory of a whole stack that runs already. */
const FULL_HOME = 'SAIP_TEST_FULL_HOME';

type Request = z.input<typeof TrainRequest>;

/** Every server, the API and every worker, as `saip up` starts them. */
export class FullStack {
  readonly home: string;
  readonly api: ApiClient;
  readonly #own: boolean;

  private constructor(home: string, api: ApiClient, own: boolean) {
    this.home = home;
    this.api = api;
    this.#own = own;
  }

  static async start(): Promise<FullStack> {
    const given = process.env[FULL_HOME];
    const home = given ?? (await startTestStack([]));
    return FullStack.at(home, given === undefined);
  }

  /** A stack that runs in `home`; `own` ones are removed by {@link stop}. */
  static async at(home: string, own: boolean): Promise<FullStack> {
    return new FullStack(home, await ApiClient.open({ SAIP_HOME: home }), own);
  }

  async stop(): Promise<void> {
    if (!this.#own) return;
    await removeStack(this.home);
    await rm(this.home, { recursive: true, force: true });
  }

  /** The configuration that a process of the stack has. */
  config(name: PlatformProcess): SaipConfig {
    const env = parseEnv(readFileSync(join(this.home, 'env', `${name}.env`), 'utf8'));
    return loadConfig(name, env);
  }

  pid(name: PlatformProcess): number | undefined {
    return readStackState(stackLayout(this.home).stateFile)?.services.find((service) => service.name === name)?.pid;
  }

  /** @returns the id of the workflow */
  async train(request: Request): Promise<string> {
    const role = { role: 'trainer' as const };
    const started = await this.api.post('/v1/workflows/train-register-deploy', request, WorkflowStarted, role);
    return started.workflowId;
  }

  /** @returns the id of the workflow */
  async attack(request: object): Promise<string> {
    const role = { role: 'redteam' as const };
    const started = await this.api.post('/v1/workflows/attack-retest', request, WorkflowStarted, role);
    return started.workflowId;
  }

  show(id: string): Promise<WorkflowDetail> {
    return this.api.get(path`/v1/workflows/${id}`, WorkflowDetail, { role: 'viewer' });
  }

  approve(id: string, body: ApprovalRequest, role: Role): Promise<WorkflowUpdated> {
    return this.api.post(path`/v1/workflows/${id}/approve`, body, WorkflowUpdated, { role });
  }

  cancel(id: string, reason: string): Promise<WorkflowUpdated> {
    return this.api.post(path`/v1/workflows/${id}/cancel`, { reason }, WorkflowUpdated, { role: 'trainer' });
  }

  /** Asks until `reached`. @throws Error when the run ends before */
  async until(id: string, reached: (detail: WorkflowDetail) => boolean): Promise<WorkflowDetail> {
    for (;;) {
      const detail = await this.show(id);
      if (reached(detail)) return detail;
      if (detail.status !== 'running') throw new Error(`${id} is ${detail.status}: ${JSON.stringify(detail.failure)}`);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async result(id: string): Promise<TrainResult> {
    const { result } = await this.until(id, ({ status }) => status === 'completed');
    return TrainResult.parse(result);
  }
}
