/** @jest-environment ./test/support/ort-environment.js */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ApiError } from '../../../api/errors.ts';
import { LoadedModel } from '../../../api/serving/loaded-model.ts';
import { Reconciler, type AliasReport } from '../../../api/serving/reconciler.ts';
import { ThreadPool } from '../../../api/serving/runtime/thread-pool.ts';
import { ServedModels, type ServedAlias } from '../../../api/serving/served-models.ts';
import { SaipError, isSaipError } from '../../../contracts/errors.ts';
import { linearModel } from '../support/onnx-models.ts';

const settings = { intraOpNumThreads: 1 };
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined };

let log: ServedAlias[];
let loads: string[];
let failure: Error | undefined;
let unreadable: boolean;
let reports: readonly AliasReport[];
let served: ServedModels;
let reconciler: Reconciler;

const alias = (name: string, version: string, model = 'm'): ServedAlias => ({
  model,
  alias: name,
  version,
  digest: `digest-${version}`,
});

beforeEach(() => {
  [log, loads, failure, unreadable, reports, served] = [[], [], undefined, false, [], new ServedModels()];
  const threads = new ThreadPool({ size: 1, settings });
  reconciler = new Reconciler({
    served,
    logger: silent,
    interval: 60_000,
    aliases: async () => {
      if (unreadable) throw new SaipError('DATABASE_UNAVAILABLE', 'PostgreSQL is away.');
      return log;
    },
    load: async ({ model, version, digest }) => {
      loads.push(version);
      if (failure) throw failure;
      return LoadedModel.load({ model, version, digest, bytes: linearModel(), settings, threads });
    },
    report: async (latest) => {
      reports = latest;
    },
  });
});

afterEach(() => reconciler.stop());

const codeOf = (work: () => unknown): string | undefined => {
  try {
    work();
  } catch (error) {
    return isSaipError(error) ? error.code : String(error);
  }
  return undefined;
};

describe('Reconciler', () => {
  it('loads a version once for all aliases that mean it', async () => {
    log = [alias('champion', '1'), alias('stable', '1')];
    await reconciler.notify();
    expect(loads).toEqual(['1']);
    expect(served.resolve('m', 'champion')).toBe(served.resolve('m', 'stable'));
    expect(reports.map(({ state }) => state)).toEqual(['ready', 'ready']);
  });

  it('serves the former version until the new one is ready, when that takes more than one try', async () => {
    log = [alias('champion', '1')];
    await reconciler.notify();
    failure = new SaipError('MLFLOW_UNAVAILABLE', 'MLflow does not answer.');
    log = [alias('champion', '2')];
    await reconciler.notify();
    expect(served.resolve('m', 'champion').version).toBe('1');
    expect(reports).toMatchObject([{ state: 'loading', code: 'MLFLOW_UNAVAILABLE', target: { version: '2' } }]);
    failure = undefined;
    await reconciler.notify();
    expect(served.resolve('m', 'champion').version).toBe('2');
    expect(reports).toMatchObject([{ state: 'ready' }]);
  });

  it('refuses a version that fails verification, and does not try it again at once', async () => {
    log = [alias('champion', '1'), alias('stable', '1')];
    await reconciler.notify();
    failure = new ApiError('SIGNATURE_INVALID', 'model.onnx was changed after it was signed.');
    log = [alias('champion', '2'), alias('stable', '1')];
    await reconciler.notify();
    await reconciler.notify();
    expect(loads).toEqual(['1', '2']);
    expect(codeOf(() => served.resolve('m', 'champion'))).toBe('SIGNATURE_INVALID');
    expect(served.resolve('m', 'stable').version).toBe('1');
    expect(reports.find(({ target }) => target.alias === 'champion')).toMatchObject({
      state: 'refused',
      code: 'SIGNATURE_INVALID',
      reason: 'model.onnx was changed after it was signed.',
    });
  });

  it('lets go of an alias that was taken away', async () => {
    log = [alias('champion', '1'), alias('challenger', '2')];
    await reconciler.notify();
    const challenger = served.resolve('m', 'challenger');
    log = [alias('champion', '1')];
    await reconciler.notify();
    expect(codeOf(() => served.resolve('m', 'challenger'))).toBe('ALIAS_UNKNOWN');
    expect(codeOf(() => served.resolveVersion('m', '2'))).toBe('MODEL_VERSION_UNKNOWN');
    await expect(challenger.run({}, [])).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
  });

  it('keeps what it serves while the alias log cannot be read', async () => {
    log = [alias('champion', '1')];
    await reconciler.notify();
    unreadable = true;
    await reconciler.notify();
    expect(served.resolve('m', 'champion').version).toBe('1');
  });

  it('sees a change that comes while it is at work', async () => {
    log = [alias('champion', '1')];
    const first = reconciler.notify();
    log = [alias('champion', '2')];
    await Promise.all([first, reconciler.notify()]);
    expect(served.resolve('m', 'champion').version).toBe('2');
  });

  it('says of an alias that was never loaded why it is not ready', async () => {
    failure = new SaipError('MLFLOW_UNAVAILABLE', 'MLflow does not answer.');
    log = [alias('champion', '1')];
    await reconciler.notify();
    expect(codeOf(() => served.resolve('m', 'champion'))).toBe('MODEL_NOT_READY');
    expect(() => served.resolve('m', 'champion')).toThrow(
      'm@champion (version 1) is not loaded: MLflow does not answer.',
    );
    expect(codeOf(() => served.resolve('unknown', 'champion'))).toBe('MODEL_UNKNOWN');
  });
});
