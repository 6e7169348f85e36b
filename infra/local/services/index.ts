import type { ServiceSpec } from '../service.ts';
import { mlflow } from './mlflow.ts';
import { openbao } from './openbao.ts';
import { postgres } from './postgres.ts';
import { temporal } from './temporal.ts';

/** Everything that can run in a stack, each after what it depends on. */
export const SERVICES: readonly ServiceSpec[] = [openbao, postgres, temporal, mlflow];

/** Names that stand for several services in `saip up --only`. */
export const GROUPS: Readonly<Record<string, readonly string[]>> = {
  servers: ['openbao', 'postgres', 'temporal', 'mlflow'],
};
