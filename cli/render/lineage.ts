import { CACHED_STAGES } from '../../contracts/step-cache.ts';
import type { LineageRun, VersionLineage } from '../../contracts/step-cache.ts';
import { formatTime } from './time.ts';

/** A line with those below it. */
interface Node {
  readonly text: string;
  readonly children?: readonly Node[];
}

/** The lineage of a version as a tree: what it came from, and what was made of it. */
export function renderLineage(lineage: VersionLineage): string[] {
  const { model, version, aliases, withdrawn } = lineage;
  const notes = [...aliases, ...(withdrawn === undefined ? [] : [`withdrawn: ${withdrawn.reason}`])].join(', ');
  return drawn({
    text: `${model} version ${version}${notes === '' ? '' : ` (${notes})`}`,
    children: [
      { text: `digest     ${lineage.digest}` },
      { text: `signature  ${lineage.signatureSha256}` },
      ...(lineage.runs.length === 0 ? [unknownRun(lineage)] : lineage.runs.map(runNode)),
      ...lineage.attacks.map(({ workflowId, at }) => ({ text: `attacked by ${workflowId}, ${formatTime(at)}` })),
      ...lineage.releases.map((release) => ({
        text: `released by ${release.workflowId}, ${formatTime(release.publishedAt)}${release.withdrawn ? ', withdrawn' : ''}`,
        children: [{ text: `manifest   ${release.manifestSha256}` }],
      })),
    ],
  });
}

/** A version from before lineage was kept. */
function unknownRun({ workflowId, mlflowRunId, createdAt }: VersionLineage): Node {
  return {
    text: `registered by ${workflowId}, ${formatTime(createdAt)}`,
    children: [{ text: `MLflow run ${mlflowRunId}` }],
  };
}

function runNode(run: LineageRun): Node {
  const reused = CACHED_STAGES.flatMap((stage) => {
    const from = run.reused[stage];
    return from === undefined ? [] : [{ text: `${stage} reused from ${from.workflowId}` }];
  });
  const mlflow = { text: `MLflow run ${run.mlflowRunId}` };
  // The same bytes came from the same data and network; what the run did itself is what is new.
  if (run.outcome === 'unchanged') {
    return { text: `made again by ${run.workflowId}, ${formatTime(run.at)}`, children: [mlflow, ...reused] };
  }
  return {
    text: `registered by ${run.workflowId}, ${formatTime(run.at)}`,
    children: [
      mlflow,
      { text: `data set   ${run.dataset}`, children: dataNodes(run) },
      { text: `commit     ${run.gitCommit}`, children: codeNodes(run) },
      { text: `weights    ${run.weightsSha256}` },
      { text: `ONNX       ${run.onnxSha256}` },
      ...reused,
    ],
  };
}

function dataNodes({ cardSha256, dataSha256, preparedSha256 }: LineageRun): Node[] {
  return [
    { text: `card       ${cardSha256}` },
    { text: `data       ${dataSha256}` },
    { text: `prepared   ${preparedSha256}` },
  ];
}

function codeNodes({ codeSha256 }: LineageRun): Node[] {
  return codeSha256 === undefined ? [] : [{ text: `training   ${codeSha256}` }];
}

function drawn({ text, children = [] }: Node): string[] {
  const below = children.flatMap((child, index) => {
    const last = index === children.length - 1;
    const [first = '', ...rest] = drawn(child);
    return [`${last ? '└─' : '├─'} ${first}`, ...rest.map((line) => `${last ? '  ' : '│ '} ${line}`)];
  });
  return [text, ...below];
}
