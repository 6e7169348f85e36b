import { z } from 'zod';
import { Epsilon, Measurement } from './adversary.ts';
import { TrainingConfig, TrainingOverrides } from './model-config.ts';
import { ArtifactRef, Name, Sha256 } from './reference.ts';
import { MetricInterval } from './train-register-deploy.ts';

/** Stages of `attackRetest`, in order; `harden` and `retest` repeat while the budget lasts. */
export const ATTACK_STAGES = ['resolveTarget', 'baseline', 'attack', 'decide', 'harden', 'retest', 'report'] as const;
export const AttackStage = z.enum(ATTACK_STAGES);
export type AttackStage = z.infer<typeof AttackStage>;

/** What a version must withstand: a worst-case accuracy at one ε. */
export const AttackGoal = z.strictObject({
  epsilon: Epsilon.default(0.2),
  minRobustAccuracy: z.number().min(0).max(1).default(0.8),
});
export type AttackGoal = z.infer<typeof AttackGoal>;

export const AttackBudget = z.strictObject({
  /** Trainings that hardening may take; each one attacks with twice the steps of the one before. */
  rounds: z.int().min(1).max(10).default(2),
  /** From the start of the workflow; a round that is under way then is cancelled. */
  minutes: z.int().min(1).max(1440).default(30),
});

const version = z.string().regex(/^[1-9]\d{0,8}$/, 'the number of a version');

/** Body of `POST /v1/workflows/attack-retest`. */
export const AttackRequest = z.strictObject({
  model: Name,
  /** Default: the champion when the workflow begins. */
  version: version.optional(),
  /** Default: FGSM and PGD with 20 steps; of a model from elsewhere Square Attack with 1000 queries. */
  attacks: Measurement.shape.attacks.optional(),
  /** The goal's ε is measured too. */
  epsilons: z.array(Epsilon).min(1).max(8).default([0.1, 0.2, 0.3]),
  samples: Measurement.shape.samples.default(1000),
  seed: Measurement.shape.seed.default(7),
  goal: AttackGoal.prefault({}),
  harden: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Over the platform's recipe for hardening. */
      training: TrainingOverrides.optional(),
      /** Accuracy on unchanged samples that a hardened version must keep to be registered. */
      minAccuracy: z.number().min(0).max(1).default(0.95),
    })
    .prefault({}),
  budget: AttackBudget.prefault({}),
  /** A second measurement of a hardened version at the goal's ε takes so many times the steps. */
  retestStepsFactor: z.int().min(1).max(50).default(5),
});
export type AttackRequest = z.infer<typeof AttackRequest>;

/** Workflow input: the request with the recipe resolved, and who asked. */
export const AttackInput = z.strictObject({
  model: Name,
  version: version.optional(),
  measurement: Measurement,
  /** Nobody chose the attacks: a model from elsewhere is attacked by its answers instead. */
  defaultAttacks: z.boolean().optional(),
  goal: AttackGoal,
  /** Absent: measure only. */
  harden: z.strictObject({ training: TrainingConfig, seed: z.int(), minAccuracy: z.number() }).optional(),
  budget: AttackBudget,
  retestStepsFactor: z.int().min(1),
  /** Subject of the token, or `schedule:<id>`. */
  requestedBy: z.string(),
  tenant: z.string().default('default'),
});
export type AttackInput = z.infer<typeof AttackInput>;

/** Accuracy under attack at one ε. `worst` counts a sample that any attack at this ε or a smaller one broke. */
export const AttackedAccuracy = z.strictObject({ attack: z.string(), epsilon: Epsilon, accuracy: MetricInterval });
export type AttackedAccuracy = z.infer<typeof AttackedAccuracy>;

/** What the exported ONNX graph, which is what is served, says of the same samples and adversarial examples. */
export const ServedAgreement = z.strictObject({
  /** Clean and adversarial examples that were compared. */
  examples: z.int(),
  /** Of those, the ones that graph and attacked network put into the same class. */
  same: z.int(),
  clean: MetricInterval,
  worst: z.array(z.strictObject({ epsilon: Epsilon, accuracy: MetricInterval })),
});
export type ServedAgreement = z.infer<typeof ServedAgreement>;

/** Result of one measurement of one model. Intervals are Wilson's, 95 %. */
export const Measured = z.strictObject({
  samples: z.int(),
  clean: MetricInterval,
  attacks: z.array(AttackedAccuracy),
  worst: z.array(z.strictObject({ epsilon: Epsilon, accuracy: MetricInterval })),
  served: ServedAgreement,
  /** Gradients that were computed, or questions to the served graph; one a sample. */
  gradients: z.int(),
  /** Seconds on devices, all shards together. */
  seconds: z.number(),
  deviceClass: z.string(),
});
export type Measured = z.infer<typeof Measured>;

export const MeasuredVersion = z.strictObject({
  version: z.string(),
  digest: Sha256,
  /** Digest of the measurement's configuration and of the data. */
  configSha256: Sha256,
  measured: Measured,
  /** The same at the goal's ε with more steps. */
  stronger: z
    .strictObject({ attack: z.string(), epsilon: Epsilon, accuracy: MetricInterval, seconds: z.number() })
    .optional(),
});
export type MeasuredVersion = z.infer<typeof MeasuredVersion>;

/** A stored result, and what is compared with it. */
export const BaselineComparison = z.strictObject({
  version: z.string(),
  /** `same-model`: the numbers should repeat; `other-version`: they show what changed. */
  kind: z.enum(['same-model', 'other-version']),
  measuredAt: z.string(),
  workflowId: z.string(),
  cleanChange: z.number(),
  /** Changes of the worst-case accuracy by ε. */
  worstChanges: z.array(z.strictObject({ epsilon: Epsilon, change: z.number() })),
});
export type BaselineComparison = z.infer<typeof BaselineComparison>;

/** Result of the workflow. `rejected` is a business outcome: the goal was not reached within the budget. */
export const AttackResult = z.strictObject({
  outcome: z.enum(['completed', 'rejected', 'cancelled']),
  reasons: z.array(z.string()),
  model: Name,
  goal: AttackGoal,
  attacked: MeasuredVersion.optional(),
  baseline: BaselineComparison.optional(),
  /** One entry a round of hardening, in order. */
  hardened: z
    .array(
      MeasuredVersion.extend({
        trainingWorkflowId: z.string(),
        /** Change of the clean accuracy against the attacked version; negative is a cost. */
        cleanChange: z.number(),
        worstChange: z.number(),
      }),
    )
    .optional(),
  /** The version that reaches the goal. */
  robustVersion: z.string().optional(),
  report: z.strictObject({ json: ArtifactRef, markdown: ArtifactRef, picture: ArtifactRef.optional() }).optional(),
  mlflow: z.strictObject({ experimentId: z.string(), runId: z.string() }).optional(),
});
export type AttackResult = z.infer<typeof AttackResult>;
export type HardenedVersion = NonNullable<AttackResult['hardened']>[number];

/** One row of `GET /v1/attacks`. */
export const AttackRecord = z.strictObject({
  id: z.int(),
  model: Name,
  version: z.string(),
  digest: Sha256,
  configSha256: Sha256,
  measurement: Measurement,
  measured: Measured,
  workflowId: z.string(),
  at: z.string(),
});
export type AttackRecord = z.infer<typeof AttackRecord>;
