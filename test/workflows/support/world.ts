import { attackName } from '../../../contracts/adversary.ts';
import type { Measurement } from '../../../contracts/adversary.ts';
import type {
  AttackReportRequest,
  AttackTarget,
  CpuActivities,
  EvaluatedModel,
  GpuActivities,
  PreparedData,
  ReleaseActivities,
  SearchReportRequest,
  TrainedModel,
} from '../../../contracts/activities.ts';
import type { AgentActivities } from '../../../contracts/agent-activities.ts';
import type { NewLineage, StepProducer, StepQuery } from '../../../contracts/step-cache.ts';
import { AttackInput } from '../../../contracts/attack-retest.ts';
import type { AttackRecord, Measured } from '../../../contracts/attack-retest.ts';
import { AgentWorld } from './agent-world.ts';
import { extractions, type KeptCurve } from './extractions.ts';
import { SUBJECT, verifyUnsigned } from './approvals.ts';
import { ref } from './refs.ts';
import { scoring } from './scoring.ts';
import { ReleaseWorld } from './release-world.ts';
import { TrainInput } from '../../../contracts/train-register-deploy.ts';

/** The activities of all pools. */
export type AllActivities = CpuActivities & GpuActivities & ReleaseActivities & AgentActivities;

export { ref, SUBJECT };

export function trainInput(changes: Partial<TrainInput> = {}): TrainInput {
  return TrainInput.parse({
    model: { name: 'tiny', layers: [{ type: 'flatten' }, { type: 'dense', units: 10 }] },
    dataset: 'mnist',
    registerAs: 'tiny',
    seed: 42,
    training: {
      epochs: 1,
      batchSize: 128,
      optimizer: { type: 'sgd', learningRate: { initial: 0.1 } },
    },
    gates: { minAccuracy: 0.9 },
    approval: {},
    rollout: true,
    requestedBy: 'trainer-1',
    ...changes,
  });
}

interface Version {
  withdrawn?: string;
}

/**
 * The outside world as the workflows see it, in memory: registry, aliases, MLflow runs. It stands in for the pools in
 * tests of the workflows' own logic; the real stack is exercised by the integration tests.
 */
export class World {
  readonly calls: string[] = [];
  readonly aliases = new Map<string, string>();
  readonly aliasLog: string[] = [];
  readonly versions = new Map<string, Version>();
  readonly finished: { status: string; outcome: string; reasons: string[] }[] = [];
  readonly audited: string[] = [];
  readonly releases = new ReleaseWorld();
  /** What stages may reuse, by name; taken as whole. */
  readonly kept = new Map<string, StepProducer & { output: unknown }>();
  readonly asked: StepQuery[] = [];
  /** Arguments of the activities that ran stages. */
  readonly ran: Record<string, { keep?: unknown }> = {};
  readonly lineage: NewLineage[] = [];
  /** Digest of the champion, where there is one. */
  championDigest: string | undefined;
  accuracy = 0.95;
  /** How long the training takes, in segments. */
  segments = 1;
  /** Clean and worst-case accuracy that attacks find, by version; `candidate` for one that has none. */
  robustness: (version: string) => { clean: number; worst: number } = () => ({ clean: 0.98, worst: 0.1 });
  readonly attackRecords: AttackRecord[] = [];
  readonly reported: AttackReportRequest[] = [];
  readonly searched: SearchReportRequest[] = [];
  /** Curves that were kept. */
  readonly curves: KeptCurve[] = [];
  /** What agents meet. */
  readonly agent = new AgentWorld();
  served: (version: string, alias: string) => void = () => undefined;

  /** @param changes replaces activities, e.g. to let one fail */
  activities(changes: Partial<AllActivities> = {}): AllActivities {
    const all = {
      ...this.#data(),
      ...this.#imports(),
      ...this.#records(),
      ...this.#rollout(),
      ...this.#attacks(),
      ...searches(this),
      ...extractions(this.curves),
      ...scoring(),
      ...this.releases.activities(),
      ...this.agent.activities(),
      ...changes,
    };
    return Object.fromEntries(
      Object.entries(all).map(([name, activity]) => [
        name,
        (argument: never) => {
          this.calls.push(name);
          this.ran[name] = argument;
          return (activity as (a: never) => unknown)(argument);
        },
      ]),
    ) as unknown as AllActivities;
  }

  /** Counts, e.g. `{trainModel: 2}`. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const name of this.calls) counts[name] = (counts[name] ?? 0) + 1;
    return counts;
  }

  #data(): Omit<GpuActivities, 'attackShard' | 'extractShard'> &
    Pick<CpuActivities, 'verifyDataCard' | 'prepareData' | 'exportOnnx' | 'findStep' | 'logRun' | 'decideGates'> {
    const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
    const data: PreparedData = {
      manifest: ref('manifest'),
      cardSha256: ref('card').sha256,
      dataSha256: ref('data').sha256,
      classes: 10,
      counts: { train: 54_000, validation: 6000, test: 10_000 },
    };
    const trained: TrainedModel = {
      weights: ref('weights'),
      history: ref('history'),
      steps: 422,
      seconds: 12.5,
      tags: { device: 'cpu' },
    };
    const evaluated = (): EvaluatedModel => ({
      summary: {
        samples: 10_000,
        accuracy: interval(this.accuracy),
        macroF1: interval(this.accuracy),
        logLoss: interval(0.2),
        ece: interval(0.02),
      },
      report: ref('report'),
      logits: ref('logits'),
      plots: {},
    });
    let segment = 0;
    return {
      verifyDataCard: async () => ({
        cardSha256: ref('card').sha256,
        dataSha256: ref('data').sha256,
        card: ref('card'),
      }),
      prepareData: async () => data,
      findStep: async (query) => {
        this.asked.push(query);
        const found = this.kept.get(query.stage);
        return { ...(found && { found }), dropped: [] };
      },
      trainModel: async () => {
        segment += 1;
        return segment < this.segments ? { continue: true, step: segment * 100, steps: 422 } : trained;
      },
      evaluateModel: async () => evaluated(),
      exportOnnx: async () => ({ onnx: ref('onnx'), maxAbsDifference: 2e-7, samples: 10_000 }),
      logRun: async () => ({ experimentId: '1', runId: 'run-1' }),
      decideGates: async ({ gates, robustness }) => {
        const passed = this.accuracy >= (gates.minAccuracy ?? 0);
        const reason = `accuracy ${this.accuracy} against ${gates.minAccuracy}`;
        const results = [{ name: 'minAccuracy', passed, reason }, ...(robustness ? [robustness] : [])];
        return { results, subjectDigest: SUBJECT };
      },
    };
  }

  #imports(): Pick<CpuActivities, 'scanImport' | 'adaptImport' | 'evaluateImport' | 'logImport'> {
    const interval = (value: number) => ({ value, low: value - 0.01, high: value + 0.01 });
    return {
      scanImport: async ({ file: { bytes } }) => ({
        ...{ bytes, irVersion: 8, producer: 'a test', opsets: [], nodes: 1, tensors: 0, elements: 0 },
        ...{ operators: [{ domain: 'ai.onnx.ml', name: 'TreeEnsembleClassifier', count: 1 }], inputs: [], outputs: [] },
      }),
      adaptImport: async () => ({ onnx: ref('onnx'), maxAbsDifference: 0, samples: 10_000, logits: ref('logits') }),
      evaluateImport: async () => ({
        summary: {
          samples: 10_000,
          accuracy: interval(this.accuracy),
          macroF1: interval(this.accuracy),
          logLoss: interval(0.2),
          ece: interval(0.02),
        },
        report: ref('report'),
        logits: ref('logits'),
        plots: {},
      }),
      logImport: async () => ({ experimentId: '1', runId: 'import-run' }),
    };
  }

  #records(): Pick<ReleaseActivities, 'signModel'> &
    Pick<
      CpuActivities,
      | 'registerVersion'
      | 'unchangedChampion'
      | 'mirrorVersion'
      | 'withdrawVersion'
      | 'withdrawRegistration'
      | 'finishRun'
      | 'finishUnloggedRun'
      | 'audit'
      | 'verifyApproval'
    > {
    return {
      signModel: async () => ({ digest: ref('model').sha256, files: {}, signature: ref('signature') }),
      unchangedChampion: async ({ registerAs, digest, lineage }) => {
        if (digest !== this.championDigest) return undefined;
        this.lineage.push(lineage);
        const version = this.aliases.get('champion') ?? '1';
        return { model: registerAs, version, digest, files: {}, signature: ref('signature') };
      },
      registerVersion: async ({ registerAs, signed, lineage }) => {
        if (lineage !== undefined) this.lineage.push(lineage);
        const version = String(this.versions.size + 1);
        this.versions.set(version, {});
        return { ...signed, model: registerAs, version };
      },
      mirrorVersion: async () => undefined,
      withdrawVersion: async ({ version, reason }) => {
        this.versions.set(version, { withdrawn: reason });
      },
      withdrawRegistration: async ({ reason }) => {
        for (const version of this.versions.keys()) this.versions.set(version, { withdrawn: reason });
      },
      finishRun: async ({ status, outcome, reasons }) => {
        this.finished.push({ status, outcome, reasons });
      },
      finishUnloggedRun: async ({ status, outcome, reasons }) => {
        this.finished.push({ status, outcome, reasons });
      },
      audit: async ({ actor, action, decision }) => {
        this.audited.push(`${actor} ${action} ${decision}`);
      },
      verifyApproval: async ({ jws, expected }) => verifyUnsigned(jws, expected),
    };
  }

  #attacks(): Pick<GpuActivities, 'attackShard'> & AttackActivities {
    const target = (model: string, version?: string): AttackTarget => ({
      model,
      ...(version !== undefined && { version }),
      digest: ref(`digest of ${version ?? 'candidate'}`).sha256,
      network: trainInput().model,
      onnx: ref('onnx'),
      weights: ref('weights'),
      manifest: ref('manifest'),
      dataset: 'mnist',
      samples: 10_000,
    });
    return {
      resolveAttackTarget: async ({ model, version = this.aliases.get('champion') ?? '1' }) => target(model, version),
      candidateTarget: async ({ registerAs }) => target(registerAs),
      attackBaseline: async ({ measurement: { samples } }) => ({
        configSha256: ref('attack').sha256,
        batches: Math.ceil(samples / 250),
        baseline: this.attackRecords[0],
      }),
      attackShard: async ({ batches }) => ({ batches: batches.map((batch) => ref(`batch ${batch}`)) }),
      summariseAttack: async ({ target: { version = 'candidate' }, measurement }) => ({
        configSha256: ref('attack').sha256,
        measured: measuredAs(measurement, this.robustness(version)),
      }),
      recordAttack: async ({ run, target: { model, version = '', digest }, ...rest }) => {
        const at = new Date(0).toISOString();
        const id = this.attackRecords.length + 1;
        this.attackRecords.push({ id, model, version, digest, ...rest, workflowId: run.key, at });
      },
      reportAttack: async (request) => {
        this.reported.push(request);
        return {
          report: { json: ref('report.json'), markdown: ref('report.md') },
          mlflow: { experimentId: '1', runId: 'attack-run' },
        };
      },
    };
  }

  #rollout(): Pick<CpuActivities, 'currentAlias' | 'previousChampion' | 'setAlias' | 'mirrorAliases' | 'awaitServing'> {
    return {
      currentAlias: async ({ alias }) => {
        const version = this.aliases.get(alias);
        return version === undefined ? undefined : { version };
      },
      previousChampion: async () => {
        const champions = this.aliasLog.filter((entry) => entry.startsWith('champion=')).map((entry) => entry.slice(9));
        const version = champions.findLast((champion) => champion !== this.aliases.get('champion'));
        return version === undefined ? undefined : { version };
      },
      setAlias: async ({ alias, version }) => {
        if (this.aliases.get(alias) === version) return;
        if (version === undefined) this.aliases.delete(alias);
        else this.aliases.set(alias, version);
        this.aliasLog.push(`${alias}=${version ?? ''}`);
      },
      mirrorAliases: async () => undefined,
      awaitServing: async ({ alias, version }) => {
        this.served(version, alias);
        return { replicas: 1 };
      },
    };
  }
}

type AttackActivities = Pick<
  CpuActivities,
  'resolveAttackTarget' | 'candidateTarget' | 'attackBaseline' | 'summariseAttack' | 'recordAttack' | 'reportAttack'
>;

function searches(world: World): Pick<CpuActivities, 'planSearch' | 'reportSearch'> {
  return {
    planSearch: async ({ search }) => ({
      trials: Array.from({ length: search.budget.trials }, (_, index) => ({ 'training.batchSize': index + 1 })),
    }),
    reportSearch: async (request) => {
      world.searched.push(request);
      const report = { json: ref('search.json'), markdown: ref('search.md') };
      return { report, mlflow: { experimentId: '1', runId: 'search-run' } };
    },
  };
}

/** A measurement whose attacks all find the same worst case. */
function measuredAs(
  { attacks, epsilons, samples }: Measurement,
  { clean, worst }: { clean: number; worst: number },
): Measured {
  const interval = (value: number): Measured['clean'] => ({ value, low: value - 0.01, high: value + 0.01 });
  const byEpsilon = epsilons.map((epsilon) => ({ epsilon, accuracy: interval(worst) }));
  return {
    samples,
    clean: interval(clean),
    attacks: attacks.flatMap((attack) => byEpsilon.map((entry) => ({ attack: attackName(attack), ...entry }))),
    worst: byEpsilon,
    served: { examples: samples, same: samples, clean: interval(clean), worst: byEpsilon },
    gradients: samples,
    seconds: 1,
    deviceClass: 'cpu',
  };
}

export function attackInput(changes: Partial<AttackInput> = {}): AttackInput {
  return AttackInput.parse({
    model: 'tiny',
    measurement: {
      attacks: [{ kind: 'fgsm' }, { kind: 'pgd', steps: 20, restarts: 1 }],
      epsilons: [0.1, 0.2],
      samples: 1000,
      seed: 7,
    },
    goal: { epsilon: 0.2, minRobustAccuracy: 0.8 },
    harden: {
      training: { ...trainInput().training, adversarial: { epsilon: 0.2 } },
      seed: 42,
      minAccuracy: 0.9,
    },
    budget: { rounds: 2, minutes: 30 },
    retestStepsFactor: 5,
    requestedBy: 'redteam-1',
    ...changes,
  });
}
