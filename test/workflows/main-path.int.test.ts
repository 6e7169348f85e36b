import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { generateKeyPair, SignJWT } from 'jose';
import { Client, Connection } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import type { ApprovalClaims } from '../../contracts/approval.ts';
import { AliasHistory, AliasList, AttackList } from '../../contracts/api.ts';
import type { WorkflowDetail } from '../../contracts/api.ts';
import { AttackResult } from '../../contracts/attack-retest.ts';
import { CACHED_STAGES, LineageAnswer, StepCollection, VersionLineage } from '../../contracts/step-cache.ts';
import { MLFLOW_TAGS, MlflowClient } from '../../lib/clients/index.ts';
import { signApproval, TransitKeySet } from '../../lib/identity/index.ts';
import { dataConverter } from '../../workers/shared/data-converter.ts';
import { openResources } from '../../workers/shared/resources.ts';
import { ImportResult } from '../../contracts/import-model.ts';
import { saip } from '../cli/support/process.ts';
import { searchTests } from './support/search-on-stack.ts';
import { trainForest } from './support/forest.ts';
import { failureType } from './support/driver.ts';
import { FullStack } from './support/full-stack.ts';

const MINUTES = 60_000;

let stack: FullStack;
beforeAll(async () => {
  stack = await FullStack.start();
}, 6 * MINUTES);
afterAll(() => stack.stop(), 2 * MINUTES);

/** A model of its own for each test, so that none sees another's champion. */
function small(registerAs: string, changes: object = {}): Parameters<FullStack['train']>[0] {
  return { model: 'mnist-softmax', registerAs, training: { epochs: 1 }, gates: { minAccuracy: 0.85 }, ...changes };
}

describe('a training on the real stack', () => {
  it(
    'leaves one MLflow run, one version, and a champion that is served',
    async () => {
      const id = await stack.train(small('main-path'));
      const result = await stack.result(id);
      expect(result).toMatchObject({ outcome: 'completed', reasons: [], alias: 'champion' });

      const mlflow = new MlflowClient({ url: stack.config('worker-cpu').mlflow.url });
      const runs = await mlflow.runs.find(result.mlflow?.experimentId ?? '', { [MLFLOW_TAGS.runKey]: id });
      expect(runs.map(({ runId }) => runId)).toEqual([result.mlflow?.runId]);
      const versions = await mlflow.registeredModels.find('main-path', { [MLFLOW_TAGS.runKey]: id });
      expect(versions).toHaveLength(1);
      expect(versions[0]?.tags[MLFLOW_TAGS.digest]).toBe(result.registered?.digest);
      expect(await mlflow.registeredModels.aliases('main-path')).toEqual({ champion: versions[0]?.version });

      const { aliases } = await stack.api.get('/v1/models/main-path/aliases', AliasList, { role: 'viewer' });
      expect(aliases).toMatchObject([
        {
          alias: 'champion',
          version: '1',
          digest: result.registered?.digest,
          workflowId: 'rollout-main-path',
          serving: [{ state: 'ready', version: '1' }],
        },
      ]);
      const { events } = await stack.api.get('/v1/models/main-path/history', AliasHistory, { role: 'viewer' });
      expect(events.map(({ alias, version }) => [alias, version])).toEqual([
        ['challenger', undefined],
        ['champion', '1'],
        ['challenger', '1'],
      ]);
    },
    3 * MINUTES,
  );
});

describe('a second training with nothing changed', () => {
  it(
    'reuses every stage, registers nothing, and trains again only what was damaged',
    async () => {
      const first = await stack.result(await stack.train(small('reused')));
      const id = await stack.train(small('reused'));
      const result = await stack.result(id);
      expect(result).toMatchObject({ outcome: 'completed', unchanged: true, registered: { version: '1' } });
      expect(result.registered?.digest).toBe(first.registered?.digest);
      const { progress } = await stack.show(id);
      const reused = progress?.stages.filter(({ status }) => status === 'reused').map(({ name }) => name);
      expect(reused).toEqual([...CACHED_STAGES, 'registerVersion']);

      const mlflow = new MlflowClient({ url: stack.config('worker-cpu').mlflow.url });
      const run = await mlflow.runs.get(result.mlflow?.runId ?? '');
      const { workflowId, runId } = result.reused?.train ?? {};
      expect(run.tags['saip.reused.train']).toBe(`${workflowId}/${runId}`);

      const lineage = await stack.api.get('/v1/models/reused/versions/1/lineage', VersionLineage, { role: 'viewer' });
      expect(lineage.runs).toMatchObject([{ outcome: 'registered' }, { outcome: 'unchanged', workflowId: id }]);
      for (const query of [{ run: id }, { data: lineage.runs[0]?.dataSha256 }, { digest: result.weightsSha256 }]) {
        const { versions } = await stack.api.get('/v1/lineage', LineageAnswer, { role: 'viewer', query });
        expect(versions.map(({ model }) => model)).toContain('reused');
      }

      const weights = result.weightsSha256 ?? '';
      await rm(join(stack.config('worker-cpu').artifacts, 'sha256', weights.slice(0, 2), weights));
      const mended = await stack.train(small('reused'));
      expect((await stack.result(mended)).weightsSha256).toBe(weights);
      const stage = (await stack.show(mended)).progress?.stages.find(({ name }) => name === 'train');
      expect(stage).toMatchObject({ status: 'done', detail: expect.stringContaining('is not in the store') });
      const collected = await stack.api.post('/v1/step-cache/collect', undefined, StepCollection, { role: 'admin' });
      expect(collected).toMatchObject({ entries: 0, freedBytes: 0 });
    },
    4 * MINUTES,
  );
});

describe('an attack on the real stack', () => {
  it(
    'measures a version, hardens it, and leaves a report in MLflow',
    async () => {
      const loose = { minAccuracy: 0.8, maxLogLoss: 2, maxEce: 1 };
      await stack.result(await stack.train(small('attacked', { gates: loose, rollout: false })));
      const request = {
        model: 'attacked',
        version: '1',
        attacks: [{ kind: 'fgsm' }, { kind: 'pgd', steps: 10 }],
        epsilons: [0.05],
        samples: 300,
        goal: { epsilon: 0.05, minRobustAccuracy: 0.55 },
        harden: {
          minAccuracy: 0.6,
          training: { epochs: 1, optimizer: { type: 'adam', learningRate: { initial: 0.003 } } },
        },
        budget: { rounds: 1 },
      };
      const id = await stack.attack(request);
      const { result } = await stack.until(id, ({ status }) => status === 'completed');
      const { attacked, hardened, ...rest } = AttackResult.parse(result);
      expect(rest).toMatchObject({ outcome: 'completed', model: 'attacked', robustVersion: '2' });
      const [version] = hardened ?? [];
      expect(attacked?.measured.worst[0]?.accuracy.high).toBeLessThan(version?.stronger?.accuracy.low ?? 0);
      for (const { measured } of [attacked, version].filter((one) => one !== undefined)) {
        expect(measured.served.same / measured.served.examples).toBeGreaterThan(0.995);
      }

      const mlflow = new MlflowClient({ url: stack.config('worker-cpu').mlflow.url });
      const [run] = await mlflow.runs.find(rest.mlflow?.experimentId ?? '', { [MLFLOW_TAGS.runKey]: id });
      expect(run).toMatchObject({ runId: rest.mlflow?.runId, status: 'FINISHED' });
      expect(run?.tags).toMatchObject({ 'saip.attacked.version': '1', 'saip.hardened.versions': '2' });
      const picture = await mlflow.artifacts.download(run?.artifactUri ?? '', 'attack/example.png');
      expect(picture?.subarray(1, 4).toString()).toBe('PNG');
      const report = await mlflow.artifacts.download(run?.artifactUri ?? '', 'attack/report.json');
      expect(JSON.parse(report?.toString() ?? '{}')).toMatchObject({ model: 'attacked', robustVersion: '2' });

      const { attacks } = await stack.api.get('/v1/attacks', AttackList, {
        role: 'viewer',
        query: { model: 'attacked' },
      });
      expect(attacks.map((record) => record.version)).toEqual(['2', '1']);
      const { aliases } = await stack.api.get('/v1/models/attacked/aliases', AliasList, { role: 'viewer' });
      expect(aliases).toEqual([]);
    },
    4 * MINUTES,
  );
});

/** A Temporal client with the keys of a worker: the most that somebody beside the API can have. */
async function rawClient(
  identity: string,
): Promise<{ client: Client; unencrypted: Client; close: () => Promise<void> }> {
  const config = stack.config('worker-cpu');
  const resources = openResources(config);
  const connection = await Connection.connect({ address: config.temporal.address });
  const { codec } = resources;
  const client = new Client({ connection, identity, dataConverter: dataConverter(codec) });
  const sendsPlain = { encode: async (payloads: Payload[]) => payloads, decode: codec.decode.bind(codec) };
  const unencrypted = new Client({ connection, identity, dataConverter: { payloadCodecs: [sendsPlain] } });
  return {
    client,
    unencrypted,
    close: async () => {
      await connection.close();
      await resources.close();
    },
  };
}

/** Everything right but the key: nobody but the API may sign with the platform's. */
async function forge(claims: ApprovalClaims): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256');
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'approval+jwt', kid: 'x' })
    .sign(privateKey);
}

/** A statement of the API, but about another run. */
async function borrow(claims: ApprovalClaims): Promise<{ jws: string; claims: ApprovalClaims }> {
  const config = stack.config('api');
  const { bao, close } = openResources(config);
  const keys = new TransitKeySet({ transit: bao, key: 'approvals' });
  const { sub, runId, stage, subjectDigest, decision } = claims;
  const approval = { sub, workflowId: 'another-run', runId, stage, subjectDigest, decision };
  try {
    return await signApproval({ keys, issuer: config.api.url, approval });
  } finally {
    await close();
  }
}

describe('an approval', () => {
  it(
    'counts only when the API signed it for this run and another person gave it',
    async () => {
      const id = await stack.train(small('approved', { approval: { required: true }, rollout: false }));
      const { progress, runId } = await stack.until(id, (detail) => detail.progress?.approval !== undefined);
      const subjectDigest = progress?.approval?.subjectDigest ?? '';
      const { client, unencrypted, close } = await rawClient('local-approver');
      const handle = client.workflow.getHandle(id);
      const claims: ApprovalClaims = {
        ...{ iss: stack.config('api').api.url, sub: 'local-approver', jti: 'forged', iat: 0, exp: 2 ** 32 },
        ...{ workflowId: id, runId, stage: 'approval', subjectDigest, decision: 'approve' },
      };

      const forged = handle.executeUpdate('approve', { args: [{ jws: await forge(claims) }], updateId: 'forged' });
      expect(await failureType(forged)).toBe('APPROVAL_INVALID');
      const other = await borrow(claims);
      const borrowed = handle.executeUpdate('approve', { args: [{ jws: other.jws }], updateId: other.claims.jti });
      expect(await failureType(borrowed)).toBe('APPROVAL_INVALID');
      const plain = unencrypted.workflow
        .getHandle(id)
        .executeUpdate('approve', { args: [{ jws: await forge(claims) }] });
      expect(await failureType(plain)).toBe('PAYLOAD_UNDECRYPTABLE');
      await close();

      const decision = { decision: 'approve' as const, subjectDigest };
      await expect(stack.approve(id, decision, 'trainer')).rejects.toThrow();
      expect((await stack.show(id)).progress?.approval).toBeDefined();
      await stack.approve(id, decision, 'approver');
      expect(await stack.result(id)).toMatchObject({ outcome: 'completed', registered: { version: '1' } });
    },
    3 * MINUTES,
  );
});

describe('kill -9 of the gpu worker in mid-training', () => {
  it(
    'is an ordinary retry that ends in the same weights',
    async () => {
      // Long enough to be caught in the middle; checkpoints often enough that little is repeated.
      const request = small('killed', {
        model: 'mnist-mlp',
        training: { epochs: 4, checkpointSteps: 50 },
        gates: {},
        rollout: false,
      });
      const undisturbed = await stack.result(await stack.train(request));

      const id = await stack.train({ ...request, cache: { from: 'train' } });
      const { progress } = await stack.until(id, (detail) => (detail.progress?.training?.checkpointStep ?? 0) > 0);
      const before = progress?.training;
      expect(before?.step).toBeLessThan(before?.steps ?? 0);
      process.kill(stack.pid('worker-gpu') ?? NaN, 'SIGKILL');
      const result = await stack.result(id);
      expect(result.weightsSha256).toBe(undisturbed.weightsSha256);
      const { progress: after } = await stack.show(id);
      expect(after?.stages.find(({ name }) => name === 'train')?.status).toBe('done');
    },
    6 * MINUTES,
  );
});

describe('kill -9 of the gpu worker in mid-attack', () => {
  it(
    'is an ordinary retry that ends in the same numbers and repeats no finished batch',
    async () => {
      await stack.result(await stack.train(small('besieged', { rollout: false })));
      // One shard of two batches, each long enough to be caught in.
      const request = {
        model: 'besieged',
        version: '1',
        attacks: [{ kind: 'pgd', steps: 40, restarts: 12 }],
        epsilons: [0.02],
        samples: 500,
        goal: { epsilon: 0.02, minRobustAccuracy: 0 },
        harden: { enabled: false },
      };
      const measure = async (id: string) => {
        const { result } = await stack.until(id, ({ status }) => status === 'completed');
        const { measured } = AttackResult.parse(result).attacked ?? {};
        return { ...measured, seconds: undefined };
      };
      const undisturbed = await measure(await stack.attack(request));

      const resources = openResources(stack.config('worker-gpu'));
      const finished = async (id: string) => {
        // A batch that were done again would carry a later time.
        const sql = 'SELECT batch, at FROM attack_batches WHERE key LIKE $1 ORDER BY batch';
        const { rows } = await (await resources.database()).query<{ batch: number; at: Date }>(sql, [`${id}/%`]);
        return rows;
      };
      const id = await stack.attack(request);
      const durable = ({ progress }: WorkflowDetail) => progress?.attacks?.[0]?.durable ?? 0;
      expect(durable(await stack.until(id, (detail) => durable(detail) > 0))).toBe(250);
      process.kill(stack.pid('worker-gpu') ?? NaN, 'SIGKILL');
      const [first] = await finished(id);
      expect(first).toMatchObject({ batch: 0 });
      expect(await measure(id)).toEqual(undisturbed);
      expect(await finished(id)).toEqual([first, expect.objectContaining({ batch: 1 })]);
      await resources.close();
    },
    6 * MINUTES,
  );
});

describe('a search on the real stack', () => searchTests(() => stack));

describe('a model from elsewhere on the real stack', () => {
  it(
    'comes in as a file, is measured, attacked, served and released like any other, and says where it is from',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'saip-forest-'));
      const run = (...args: string[]) => saip([...args, '--json'], { env: { SAIP_HOME: stack.home } });
      const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await run(...args)).stdout) as T;
      try {
        const { onnx, card } = await trainForest(folder);
        expect(await json('models', 'scan', onnx)).toMatchObject({ verdict: 'allowed', nodes: 3 });
        const gate = ['--min-accuracy', '0.8'];
        const imported = await json<{ result: unknown }>('models', 'import', onnx, '--card', card, ...gate, '--follow');
        const result = ImportResult.parse(imported.result);
        expect(result).toMatchObject({ outcome: 'completed', alias: 'champion', registered: { version: '1' } });

        const request = {
          inputs: [{ name: 'image', shape: [1, 28, 28, 1], datatype: 'FP32', data: new Array(784).fill(0) }],
        };
        await writeFile(join(folder, 'request.json'), JSON.stringify(request));
        const { outputs } = await json<{ outputs: object[] }>(
          'predict',
          'forest',
          '--input',
          join(folder, 'request.json'),
        );
        expect(outputs).toMatchObject([{ name: 'probabilities', shape: [1, 10] }, { name: 'label' }]);

        const attack = await stack.attack({
          ...{ model: 'forest', attacks: [{ kind: 'square', queries: 60 }], epsilons: [0.1], samples: 100 },
          goal: { epsilon: 0.1, minRobustAccuracy: 0.5 },
        });
        const { result: attacked } = await stack.until(attack, ({ status }) => status === 'completed');
        const { measured } = AttackResult.parse(attacked).attacked ?? {};
        expect(measured?.worst[0]?.accuracy.value).toBeLessThan(measured?.clean.value ?? 0);
        expect(measured?.served).toMatchObject({ examples: 200, same: 200 });

        const { workflowId } = await json<{ workflowId: string }>('release', 'start', 'forest');
        await stack.until(workflowId, ({ progress }) => progress?.approval !== undefined);
        await json('workflows', 'approve', workflowId);
        await stack.until(workflowId, ({ status }) => status === 'completed');
        const released = join(folder, 'released');
        await json('release', 'download', 'forest', '1', '--to', released);
        const keys = join(folder, 'keys.pem');
        await writeFile(keys, (await saip(['release', 'keys'], { env: { SAIP_HOME: stack.home } })).stdout);
        const verified = await saip(['release', 'verify', released, '--keys', keys, '--json']);
        expect(JSON.parse(verified.stdout)).toMatchObject({ model: 'forest', version: '1' });
        const text = await readFile(join(released, 'bom', 'model.cdx.json'), 'utf8');
        expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
        const bom: unknown = JSON.parse(text);
        const declared = { name: 'saip:training:lineage', value: 'declared by the importer' };
        expect(bom).toHaveProperty('metadata.component.modelCard.properties', expect.arrayContaining([declared]));
        const family = 'metadata.component.modelCard.modelParameters.architectureFamily';
        expect(bom).toHaveProperty(family, 'scikit-learn');
      } finally {
        await rm(folder, { recursive: true });
      }
    },
    4 * MINUTES,
  );
});
