import type { AttackTarget } from '../../contracts/activities.ts';
import type { Measurement } from '../../contracts/adversary.ts';
import { asksGraph, attackName } from '../../contracts/adversary.ts';
import type {
  AttackInput,
  AttackRecord,
  BaselineComparison,
  Measured,
  MeasuredVersion,
} from '../../contracts/attack-retest.ts';
import { failure } from '../shared/failures.ts';
import { percent, worstAt } from './assault.ts';
import type { Assault } from './assault.ts';
import { fitting, measure } from './measure.ts';

/** Questions about one sample of a model from elsewhere, where nobody chose. */
const DEFAULT_QUERIES = 1000;

/** Measures the version that was asked for, keeps the result, and compares it with the stored one. */
export async function attackVersion(assault: Assault): Promise<void> {
  const { input, run, activities, result } = assault;
  const { model, version, goal } = input;
  const target = await run.stage(
    'resolveTarget',
    () =>
      activities
        .data(`Signature and graph of ${model} ${version ?? '(champion)'}`)
        .resolveAttackTarget({ model, ...(version !== undefined && { version }) }),
    ({ version: resolved, digest }) => `version ${resolved}, ${digest.slice(0, 12)}`,
  );
  const measurement = fitting(attacksFor(input, target), target);
  assault.measurement = measurement;
  const { baseline, batches } = await run.stage(
    'baseline',
    () => activities.records('Stored result of this configuration').attackBaseline({ target, measurement }),
    ({ baseline: stored }) => (stored === undefined ? 'none yet' : `version ${stored.version} of ${stored.at}`),
  );
  const attacked = await run.stage(
    'attack',
    () => measureVersion(assault, { target, measurement, batches, stage: 'attack' }),
    ({ measured }) => describe(measured, goal.epsilon),
  );
  result.attacked = attacked;
  if (baseline !== undefined) result.baseline = compare(attacked, baseline);
  run.report.measure({
    cleanAccuracy: attacked.measured.clean.value,
    robustAccuracy: worstAt(attacked.measured, goal.epsilon),
  });
}

/** Nothing but its graph is there of a model from elsewhere, and a graph answers questions only. */
function attacksFor({ measurement, defaultAttacks }: AttackInput, target: AttackTarget): Measurement {
  if (target.network !== undefined || asksGraph(measurement)) return measurement;
  if (defaultAttacks === true) return { ...measurement, attacks: [{ kind: 'square', queries: DEFAULT_QUERIES }] };
  throw failure('ATTACK_UNSUPPORTED', `${target.model} is from elsewhere: only square attacks it.`, 'attacks');
}

export interface VersionMeasurement {
  readonly target: AttackTarget;
  readonly measurement: Measurement;
  readonly batches: number;
  readonly stage: 'attack' | 'retest';
}

/** Attacks a registered version and keeps the result. */
export async function measureVersion(
  assault: Assault,
  { target, measurement, batches, stage }: VersionMeasurement,
): Promise<MeasuredVersion> {
  const { context, run, activities, versions } = assault;
  const title = `Version ${target.version}`;
  const { configSha256, measured, shards } = await measure({
    context,
    activities,
    target,
    measurement,
    batches,
    title,
    onShard: (done) => run.report.advance(stage, done, `${title}: ${percent(done)} of the shards`),
  });
  versions.push({ target, shards });
  await activities
    .records(`Keep the result of version ${target.version}`)
    .recordAttack({ run: context, target, configSha256, measurement, measured });
  return { version: target.version ?? '', digest: target.digest, configSha256, measured };
}

export function describe(measured: Measured, epsilon: number): string {
  const attacks = measured.attacks.filter((attack) => attack.epsilon === epsilon);
  const each = attacks.map(({ attack, accuracy }) => `${attack} ${percent(accuracy.value)}`).join(', ');
  return `clean ${percent(measured.clean.value)}; at ε = ${epsilon}: ${each}, worst case ${percent(worstAt(measured, epsilon))}`;
}

/** The strongest attack of a measurement, at one ε, with so many times its steps. */
export function strongerMeasurement({ attacks, ...rest }: Measurement, epsilon: number, factor: number): Measurement {
  const pgd = attacks.findLast((attack) => attack.kind === 'pgd') ?? {
    kind: 'pgd' as const,
    steps: 20,
    restarts: 1,
  };
  return { ...rest, epsilons: [epsilon], attacks: [{ ...pgd, steps: Math.min(1000, pgd.steps * factor) }] };
}

export function strongestName({ attacks }: Measurement): string {
  const [attack] = attacks;
  return attack === undefined ? '' : attackName(attack);
}

function compare({ digest, measured }: MeasuredVersion, baseline: AttackRecord): BaselineComparison {
  const { version, at, workflowId, measured: before } = baseline;
  return {
    version,
    kind: digest === baseline.digest ? 'same-model' : 'other-version',
    measuredAt: at,
    workflowId,
    cleanChange: measured.clean.value - before.clean.value,
    worstChanges: measured.worst.map(({ epsilon, accuracy }) => ({
      epsilon,
      change: accuracy.value - worstAt(before, epsilon),
    })),
  };
}
