import type { ServiceSpec } from '../service.ts';
import { mlflow } from './mlflow.ts';
import { openbao } from './openbao.ts';
import { api, sequencer, workers } from './platform.ts';
import { postgres } from './postgres.ts';
import { temporal } from './temporal.ts';

const servers: readonly ServiceSpec[] = [openbao, postgres, temporal, mlflow];

/** Everything that can run in a stack, each after what it depends on. */
export const SERVICES: readonly ServiceSpec[] = [...servers, api, sequencer, ...workers];

const names = (specs: readonly ServiceSpec[]): string[] => specs.map(({ name }) => name);

/** Names that stand for several services in `saip up --only`. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  servers: names(servers),
  workers: names(workers),
};
