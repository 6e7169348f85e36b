import type { AttackHeartbeat, StageProgress, StageStatus, TrainingHeartbeat } from '../../contracts/progress.ts';
import type { Colors } from '../render/colors.ts';
import { formatDuration } from '../render/time.ts';

interface Mark {
  readonly symbol: string;
  readonly paint: (colors: Colors) => (text: string) => string;
}

/** One mark a status: readable by shape alone where there are no colours. */
const MARKS: Readonly<Record<StageStatus, Mark>> = {
  pending: { symbol: '○', paint: (c) => c.dim },
  running: { symbol: '●', paint: (c) => c.cyan },
  waiting: { symbol: '◆', paint: (c) => c.yellow },
  done: { symbol: '✓', paint: (c) => c.green },
  reused: { symbol: '↺', paint: (c) => c.green },
  skipped: { symbol: '–', paint: (c) => c.dim },
  failed: { symbol: '✗', paint: (c) => c.red },
};

export function stageMark(status: StageStatus, colors: Colors): string {
  const { symbol, paint } = MARKS[status];
  return paint(colors)(symbol);
}

/** Time a stage has taken, up to `now` while it is open; `undefined` before it starts. `now` is ms since the epoch. */
export function stageElapsed(stage: StageProgress, now: number): number | undefined {
  if (stage.startedAt === undefined) return undefined;
  const end = stage.endedAt === undefined ? now : Date.parse(stage.endedAt);
  return Math.max(0, end - Date.parse(stage.startedAt));
}

/** Words after a stage's name: its own detail, or the status where that says more than the mark. */
export function stageNote(stage: StageProgress): string {
  if (stage.detail !== undefined) return stage.detail;
  return stage.status === 'reused' || stage.status === 'skipped' ? stage.status : '';
}

/** `epoch 2/3 · step 640/1266 · loss 0.0712 · 3,412 samples/s · ETA 34s`. */
export function trainingNote(training: TrainingHeartbeat): string {
  return [
    `epoch ${String(training.epoch)}/${String(training.epochs)}`,
    `step ${String(training.step)}/${String(training.steps)}`,
    `loss ${training.loss.toFixed(4)}`,
    `${formatCount(training.throughput)} samples/s`,
    `ETA ${formatDuration(training.eta * 1000)}`,
  ].join(' · ');
}

/** `shard 1/2 · pgd-20 at 0.2 · 250/500 samples done · 2,100 gradients/s · ETA 12s`. */
export function attackNote(attack: AttackHeartbeat): string {
  return [
    `shard ${String(attack.shard + 1)}/${String(attack.shards)}`,
    attack.attack,
    `${String(attack.durable)}/${String(attack.samples)} samples done`,
    `${formatCount(attack.throughput)} gradients/s`,
    `ETA ${formatDuration(attack.eta * 1000)}`,
  ].join(' · ');
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}
