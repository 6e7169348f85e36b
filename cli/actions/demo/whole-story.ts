import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentTaskResult } from '../../../contracts/agent-task.ts';
import type { WorkflowDetail } from '../../../contracts/api.ts';
import { AttackResult } from '../../../contracts/attack-retest.ts';
import { ReleaseKeys } from '../../../contracts/release-api.ts';
import { ReleaseResult } from '../../../contracts/sign-and-release.ts';
import { TrainResult } from '../../../contracts/train-register-deploy.ts';
import { EXIT } from '../../exit-codes.ts';
import { downloadRelease } from '../releases.ts';
import { verify as verifyRelease } from '../release-verify.ts';
import { FIRST_PRESET, predictTestImages, train } from './main-job.ts';
import { DemoStopped, heading, runWorkflow } from './stage.ts';
import type { StageOptions } from './stage.ts';
import { tellStory } from './story.ts';
import type { Chapter } from './story.ts';

const PARTS = [
  'Start the stack',
  `Train, sign, register and deploy ${FIRST_PRESET}`,
  'Attack it, harden it, attack the hardened version again',
  'Release the hardened version, with the approval of another person',
  'Verify the release with public keys alone',
  'Serve the hardened version, and predict ten test images',
  'Ask the agent what happened',
] as const;
export const FULL_PARTS = PARTS.length;

const QUESTION = `Which version of ${FIRST_PRESET} is the champion?`;

/** All four workflows on one model, from its training to an agent that reports on it; ends with the story. */
export async function wholeStory(stage: StageOptions): Promise<void> {
  const chapters: Chapter[] = [];
  const trained = await part(stage, 2, () => train(stage, FIRST_PRESET));
  chapters.push({ kind: 'trained', detail: trained, result: TrainResult.parse(trained.result) });

  const attacked = await part(stage, 3, () => attack(stage));
  const attackResult = AttackResult.parse(attacked.result);
  chapters.push({ kind: 'attacked', detail: attacked, result: attackResult });
  const version = attackResult.robustVersion ?? attackResult.hardened?.at(-1)?.version;
  if (version === undefined) throw new DemoStopped(EXIT.rejected);

  const released = await part(stage, 4, () => release(stage, version));
  chapters.push({ kind: 'released', detail: released, result: ReleaseResult.parse(released.result) });

  await part(stage, 5, () => verify(stage, version));

  const served = await part(stage, 6, () => serve(stage, version));
  chapters.push({ kind: 'served', detail: served, version });

  const asked = await part(stage, 7, () => ask(stage));
  chapters.push({ kind: 'asked', detail: asked, question: QUESTION, result: AgentTaskResult.parse(asked.result) });
  tellStory(stage, chapters);
}

function part<T>({ io }: StageOptions, number: number, work: () => Promise<T>): Promise<T> {
  heading(io, number, FULL_PARTS, PARTS[number - 1] ?? '');
  return work();
}

/** That the goal was missed is told, and no reason to stop: a hardened version may have been registered. */
function attack(stage: StageOptions): Promise<WorkflowDetail> {
  return runWorkflow(
    stage,
    { path: '/v1/workflows/attack-retest', body: { model: FIRST_PRESET }, role: 'redteam' },
    { accept: [EXIT.ok, EXIT.rejected] },
  );
}

function release(stage: StageOptions, version: string): Promise<WorkflowDetail> {
  const body = { model: FIRST_PRESET, version, approval: { required: true } };
  return runWorkflow(stage, { path: '/v1/workflows/sign-and-release', body, role: 'releaser' }, { approve: true });
}

async function verify({ io, api }: StageOptions, version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'saip-release-'));
  const keyFile = join(folder, 'trusted.pem');
  const { keys } = await api.get('/v1/release-keys', ReleaseKeys, { role: 'viewer' });
  await writeFile(keyFile, keys.map(({ pem }) => pem).join('\n'));
  const to = join(folder, `${FIRST_PRESET}-${version}`);
  await downloadRelease(io, FIRST_PRESET, version, { to });
  const exitCode = await verifyRelease(io, to, { keys: [keyFile] });
  if (exitCode !== EXIT.ok) throw new DemoStopped(exitCode);
}

async function serve(stage: StageOptions, version: string): Promise<WorkflowDetail> {
  const body = { model: FIRST_PRESET, version };
  const rolledOut = await runWorkflow(stage, { path: '/v1/workflows/rollout', body, role: 'trainer' });
  await predictTestImages(stage, FIRST_PRESET);
  return rolledOut;
}

function ask(stage: StageOptions): Promise<WorkflowDetail> {
  const body = { agent: 'model-analyst', question: QUESTION };
  return runWorkflow(stage, { path: '/v1/workflows/agent-task', body, role: 'agent-operator' });
}
