import type { AttackResult, MeasuredVersion } from '../../contracts/attack-retest.ts';
import type { MetricInterval } from '../../contracts/train-register-deploy.ts';
import type { Io } from '../io.ts';
import { renderPairs, renderTable } from '../render/table.ts';

/** What remained of the accuracy, version by version, and what hardening cost. */
export function renderAttack(result: AttackResult, io: Io): string {
  const versions = [result.attacked, ...(result.hardened ?? [])].filter((version) => version !== undefined);
  const pairs = renderPairs([
    ['model', result.model],
    ['goal', `${percent(result.goal.minRobustAccuracy)} at ε = ${String(result.goal.epsilon)}`],
    ['robust version', result.robustVersion],
    ['hardening', costOf(result)],
    ['baseline', baselineOf(result)],
  ]);
  return versions.length === 0 ? pairs : `${accuracies(versions, io)}\n\n${pairs}`;
}

function accuracies(versions: readonly MeasuredVersion[], io: Io): string {
  const [first] = versions;
  const row = (name: string, of: (version: MeasuredVersion) => MetricInterval | undefined): string[] => [
    name,
    ...versions.map((version) => interval(of(version))),
  ];
  const stronger = versions.find((version) => version.stronger !== undefined)?.stronger;
  const rows = [
    row('clean', ({ measured }) => measured.clean),
    ...(first?.measured.attacks ?? []).map(({ attack, epsilon }, index) =>
      row(`${attack} ε ${String(epsilon)}`, ({ measured }) => measured.attacks[index]?.accuracy),
    ),
    ...(first?.measured.worst ?? []).map(({ epsilon }, index) =>
      row(`worst case ε ${String(epsilon)}`, ({ measured }) => measured.worst[index]?.accuracy),
    ),
    ...(stronger === undefined
      ? []
      : [row(`${stronger.attack} ε ${String(stronger.epsilon)}`, (version) => version.stronger?.accuracy)]),
    ['served graph agrees', ...versions.map(({ measured: { served } }) => percent(served.same / served.examples))],
  ];
  const head = [
    `accuracy (${String(first?.measured.samples)} samples, 95 % interval)`,
    ...versions.map(({ version }, index) => `version ${version}${index === 0 ? '' : ', hardened'}`),
  ];
  return renderTable(head, rows, io);
}

function costOf({ hardened }: AttackResult): string | undefined {
  const last = hardened?.at(-1);
  if (last === undefined) return undefined;
  return `${points(last.cleanChange)} clean for ${points(last.worstChange)} in the worst case (version ${last.version})`;
}

function baselineOf({ baseline, goal }: AttackResult): string | undefined {
  if (baseline === undefined) return undefined;
  const change = baseline.worstChanges.find(({ epsilon }) => epsilon === goal.epsilon)?.change ?? 0;
  const what = baseline.kind === 'same-model' ? 'the same model' : `version ${baseline.version}`;
  return `${points(change)} against ${what}, ${baseline.measuredAt}`;
}

function interval(value: MetricInterval | undefined): string {
  if (value === undefined) return '–';
  return `${percent(value.value)} [${percent(value.low)}, ${percent(value.high)}]`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function points(change: number): string {
  return `${change > 0 ? '+' : ''}${(100 * change).toFixed(1)} points`;
}
