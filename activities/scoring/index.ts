import { trace } from '@opentelemetry/api';
import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CpuActivities } from '../../contracts/activities.ts';
import { ScorePlan } from '../../contracts/batch-score.ts';
import type { ScoredShard, ScoreShard } from '../../contracts/batch-score.ts';
import type { ScoreActivities, ScoreShardRequest } from '../../contracts/score-activities.ts';
import { SaipError } from '../../contracts/errors.ts';
import type { ArtifactStore } from '../../lib/artifacts/index.ts';
import type { BatchScores, Datasets, NewAuditEntry } from '../../lib/clients/index.ts';
import { inWorkFolder } from '../../lib/heavy/index.ts';
import { planFile, scoreInChild } from '../../lib/scoring/index.ts';
import { BatchGuard } from './guard.ts';
import type { GuardDependencies } from './guard.ts';
import { joined } from './join.ts';
import { pinned, pinnedFiles } from './pinned.ts';
import type { PinDependencies } from './pinned.ts';

export interface ScoringDependencies extends PinDependencies, GuardDependencies {
  readonly store: ArtifactStore;
  readonly scores: Pick<BatchScores, 'charge' | 'finish' | 'shards' | 'keep'>;
  readonly uploads: Pick<Datasets, 'upload'>;
}

const NDJSON = 'application/x-ndjson';
/** So soon a limit that was raised is noticed; and the file never counts as one that nobody uses. */
const LONGEST_WAIT = 3600;

/** Files of records, scored in shards by one version, with the rules that requests are under. */
export function createScoringActivities(dependencies: ScoringDependencies): Pick<CpuActivities, keyof ScoreActivities> {
  const { store, scores, uploads } = dependencies;
  const guard = new BatchGuard(dependencies);
  return {
    async pinModel({ input }) {
      const version = await pinned(dependencies, input);
      await pinnedFiles(dependencies, version);
      return version;
    },

    /** Heartbeats with every mebibyte of the file. */
    async planScore({ input, pinned: version }) {
      const { facts } = await pinnedFiles(dependencies, version);
      const { dailyRows } = (await guard.rulesFor(input)).limit;
      const plan = await planFile({
        ...{ file: input.file, format: input.format, facts, bytes: store.stream(input.file) },
        // A shard that is larger than what a day allows would wait for ever.
        ...(dailyRows > 0 && { records: Math.min(dailyRows, 100_000) }),
        onProgress: (bytes) => {
          cancellationSignal().throwIfAborted();
          heartbeat({ kind: 'reading', bytes, of: input.file.bytes });
        },
      });
      return { plan: await store.putJson(plan), records: plan.records, shards: plan.shards.length };
    },

    async scoreShard(request) {
      const { input, pinned: version, run, shard: index } = request;
      await uploads.upload(input.tenant, input.file.sha256);
      const plan = await store.readJson(request.plan, ScorePlan);
      const shard = plan.shards[index];
      if (shard === undefined) throw new SaipError('INTERNAL', `The plan has no shard ${index}.`);
      const model = await pinnedFiles(dependencies, version);
      const rules = await guard.rulesFor(input);
      guard.admit(input, rules);
      const key = { workflowId: run.key, shard: index };
      const charged = await scores.charge({
        ...{ ...key, account: rules.account, records: shard.records, dailyRows: rules.limit.dailyRows },
      });
      if ('done' in charged) {
        if (await whole(store, charged.done)) return charged.done;
        throw new SaipError('ARTIFACT_NOT_FOUND', `What shard ${index} came to is not in the store any more.`);
      }
      if ('waitSeconds' in charged) return { waitSeconds: Math.min(charged.waitSeconds, LONGEST_WAIT) };
      await guard.spend(rules, charged.window);
      const { result, output } = await score(store, { request, plan, shard, model, rules });
      await guard.judge(rules, result.counts);
      return scores.finish(key, result, auditEntry({ request, shard, shards: plan.shards.length, output }));
    },

    async joinScores({ run, plan }) {
      const { shards } = await store.readJson(plan, ScorePlan);
      const parts = await scores.shards(run.key);
      if (parts.length !== shards.length) {
        throw new SaipError('INTERNAL', `${parts.length} of ${shards.length} shards were scored.`);
      }
      const result = await joined(store, parts);
      await scores.keep(run.key, result);
      return result;
    },
  };
}

async function whole(store: ArtifactStore, { predictions, refused }: ScoredShard): Promise<boolean> {
  return (await store.exists(predictions)) && (await store.exists(refused));
}

interface ShardWork {
  readonly request: ScoreShardRequest;
  readonly plan: ScorePlan;
  readonly shard: ScoreShard;
  readonly model: Awaited<ReturnType<typeof pinnedFiles>>;
  readonly rules: Awaited<ReturnType<BatchGuard['rulesFor']>>;
}

/** Heartbeats after each batch of records. */
function score(
  store: ArtifactStore,
  { request, plan, shard, model, rules }: ShardWork,
): Promise<{ result: ScoredShard; output: string }> {
  return inWorkFolder(async (folder) => {
    const files = { predictions: `${folder}/predictions`, refused: `${folder}/refused` };
    const { counts, output } = await scoreInChild({
      ...{ store, onnx: model.onnx, facts: model.facts, version: request.pinned.version },
      bytes: await store.readPart(plan.file, shard),
      ...{ format: plan.format, columns: plan.columns, record: shard.record, line: shard.line },
      hardening: rules.protection,
      refuseOutOfRange: rules.protection.outOfRange === 'refuse',
      ...files,
      signal: cancellationSignal(),
      onProgress: ({ done }) => heartbeat({ kind: 'scoring', shard: request.shard, done, records: shard.records }),
    });
    const [predictions, refused] = await Promise.all([
      store.putFile(files.predictions, { mediaType: NDJSON }),
      store.putFile(files.refused, { mediaType: NDJSON }),
    ]);
    return { result: { predictions, refused, counts }, output };
  });
}

interface Scored extends Pick<ShardWork, 'request' | 'shard'> {
  readonly shards: number;
  readonly output: string;
}

/** One record a shard, like that of a request: who, by which version, the digest of what was asked, and what came out. */
function auditEntry({ request, shard, shards, output }: Scored): NewAuditEntry {
  const { input, pinned: version, run } = request;
  return {
    actor: input.requestedBy,
    action: 'model:infer',
    subject: `model:${version.model}/${version.version}`,
    decision: 'allow',
    traceId: trace.getActiveSpan()?.spanContext().traceId,
    operationId: `${run.key}/shard/${request.shard}`,
    detail: {
      asked: `${version.model}@${input.alias}`,
      workflowId: run.key,
      shard: `${request.shard + 1} of ${shards}`,
      rows: String(shard.records),
      digest: version.digest,
      inputDigest: shard.sha256,
      output,
      ...(input.apiKey !== undefined && { apiKey: input.apiKey }),
    },
  };
}
