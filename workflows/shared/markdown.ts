import type { Progress, StageProgress, StageStatus } from '../../contracts/progress.ts';

export interface Link {
  readonly label: string;
  readonly url: string;
}

const MARKS: Readonly<Record<StageStatus, string>> = {
  pending: '·',
  running: '▶',
  waiting: '⏸',
  done: '✓',
  reused: '↺',
  skipped: '–',
  failed: '✗',
};

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

/** Seconds between two ISO times, as `0.4 s`, `75 s` or `12 min`. */
function duration({ startedAt, endedAt }: StageProgress): string {
  if (startedAt === undefined || endedAt === undefined) return '';
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  if (seconds >= 600) return `${Math.round(seconds / 60)} min`;
  return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

function stageTable(stages: readonly StageProgress[]): string[] {
  const rows = stages.map(
    (stage) =>
      `| ${MARKS[stage.status]} | ${stage.name} | ${stage.status} | ${duration(stage)} | ${cell(stage.detail ?? '')} |`,
  );
  return ['| | Stage | Status | Time | Detail |', '|---|---|---|---|---|', ...rows];
}

function metricTable(metrics: Readonly<Record<string, number>>): string[] {
  const names = Object.keys(metrics);
  if (names.length === 0) return [];
  const rows = names.map((name) => `| ${name} | ${Number(metrics[name]?.toPrecision(5))} |`);
  return ['', '| Metric | Value |', '|---|---|', ...rows];
}

function approvalLines(approval: Progress['approval']): string[] {
  if (approval === undefined) return [];
  return [
    '',
    `**Waiting for approval** of \`${approval.subjectDigest}\`, asked for by ${approval.requestedBy}, until ${approval.deadline}.`,
  ];
}

/** The report that the Temporal UI shows as the current details of a run. */
export function renderReport(title: string, progress: Progress, links: readonly Link[]): string {
  const reasons = (progress.reasons ?? []).map((reason) => `- ${reason}`);
  return [
    `### ${title}`,
    '',
    `**${progress.outcome}**, ${progress.percent} %, stage \`${progress.stage}\``,
    ...approvalLines(progress.approval),
    ...(reasons.length > 0 ? ['', ...reasons] : []),
    '',
    ...stageTable(progress.stages),
    ...metricTable(progress.metrics),
    ...(links.length > 0 ? ['', links.map(({ label, url }) => `[${label}](${url})`).join(' · ')] : []),
  ].join('\n');
}
