import type { z } from 'zod';
import { AttackRequest } from '../../contracts/attack-retest.ts';
import { usageError } from '../errors.ts';
import { assign, parseAssignment } from './assignments.ts';
import type { Assignment, JsonObject } from './assignments.ts';

/** Options of `saip attack start` that shape the request. */
export interface AttackRequestOptions {
  readonly modelVersion?: string;
  readonly epsilon?: readonly number[];
  readonly samples?: number;
  readonly seed?: number;
  readonly steps?: number;
  readonly restarts?: number;
  readonly goal?: number;
  readonly goalEpsilon?: number;
  readonly rounds?: number;
  readonly minutes?: number;
  readonly harden?: boolean;
  readonly set?: readonly string[];
}

/** The request as its sender writes it: the server fills in the defaults. */
export type AttackRequestBody = z.input<typeof AttackRequest>;

/**
 * Builds the body of `POST /v1/workflows/attack-retest` from options, with `--set` last.
 * @throws CliError `usage` that names every wrong field.
 */
export function buildAttackRequest(model: string, options: AttackRequestOptions): AttackRequestBody {
  const base: JsonObject = { model };
  const body = assign(base, [...optionAssignments(options), ...(options.set ?? []).map(parseAssignment)]);
  const checked = AttackRequest.safeParse(body);
  if (checked.success) return body as AttackRequestBody;
  const issues = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'request'}: ${message}`);
  throw usageError(issues.join('; '), 'docs/adversarial-lab.md describes every field.');
}

function optionAssignments(options: AttackRequestOptions): Assignment[] {
  const { steps, restarts } = options;
  const pgd = { kind: 'pgd', ...(steps !== undefined && { steps }), ...(restarts !== undefined && { restarts }) };
  const given = [
    [['version'], options.modelVersion],
    [['epsilons'], options.epsilon === undefined ? undefined : [...options.epsilon].sort((a, b) => a - b)],
    [['samples'], options.samples],
    [['seed'], options.seed],
    [['attacks'], steps === undefined && restarts === undefined ? undefined : [{ kind: 'fgsm' }, pgd]],
    [['goal', 'minRobustAccuracy'], options.goal],
    [['goal', 'epsilon'], options.goalEpsilon],
    [['budget', 'rounds'], options.rounds],
    [['budget', 'minutes'], options.minutes],
    [['harden', 'enabled'], options.harden === false ? false : undefined],
  ] as const;
  return given.flatMap(([path, value]) => (value === undefined ? [] : [{ path, value }]));
}
