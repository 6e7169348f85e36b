import { z } from 'zod';
import { SETTING_META, Settings, type SettingMeta } from './schema.ts';

/** One setting, with the way to it through the schema and the file, e.g. `['api', 'port']`. */
export interface Leaf extends SettingMeta {
  readonly path: readonly string[];
  readonly schema: z.ZodType;
}

function collect(shape: Readonly<Record<string, unknown>>, above: readonly string[]): Leaf[] {
  return Object.entries(shape).flatMap(([key, schema]) => {
    const path = [...above, key];
    if (schema instanceof z.ZodPrefault) return collect({ [key]: schema.unwrap() }, above);
    if (schema instanceof z.ZodObject) return collect(schema.shape, path);
    if (!(schema instanceof z.ZodType)) return [];
    const meta = SETTING_META.get(schema);
    return meta === undefined ? [] : [{ ...meta, path, schema }];
  });
}

/** Every setting, in the order of the schema. */
export const LEAVES: readonly Leaf[] = collect(Settings.shape, []);

/** Variables that other programs of the platform read; known here so that a misspelt one is noticed. */
export const OTHER_VARIABLES: Readonly<Record<string, string>> = {
  SAIP_CONFIG: 'Path of the settings file. Default: `saip.yaml` in the folder that holds `SAIP_HOME`, if there is one.',
  SAIP_TOKEN: 'Access token for the CLI; without it the CLI gets one for itself where it may.',
  SAIP_CLIENT_SECRET: 'Client secret for `saip login`.',
  SAIP_DEBUG: '`1`: the CLI prints the stack of an unexpected error.',
  SAIP_CACHE:
    'Cache of `make setup`. Default: `/var/cache/saip` for root, else `$XDG_CACHE_HOME/saip` or `~/.cache/saip`.',
  SAIP_DEVICE: '`cpu` or `cuda`, for `make setup`. Default: `cuda` where an NVIDIA driver answers.',
  SAIP_DISK_GIB: 'Free disk space that `make setup` asks for, in GiB.',
  SAIP_READY_FILE: 'Set by the supervisor: the file a worker writes once it polls.',
  SAIP_SUPERVISED_BY: 'Set by the supervisor in the processes it starts: the id of their stack.',
  SAIP_TEST_HOME: 'State directory of a running stack for the integration tests. Default: they start one.',
  SAIP_BENCH_REQUESTS: 'Requests over which `saip bench inference` looks at memory. Default: 100,000.',
  SAIP_CHAOS_ROUNDS: 'Trainings that the chaos harness disturbs. Default: 3 in `make test`, 20 in `make test-chaos`.',
  SAIP_CHAOS_SEED: 'Seed of the chaos harness: what is killed, and when. A failing round prints it.',
  SAIP_CHAOS_ROUND: 'The one round of that seed to repeat. Default: all.',
};

/** `OTEL_*` variables the telemetry looks at itself; the OpenTelemetry SDK reads the rest of the standard ones. */
export const TELEMETRY_VARIABLES: Readonly<Record<string, string>> = {
  OTEL_EXPORTER_OTLP_ENDPOINT: 'Turns tracing on and sends spans to this OTLP endpoint.',
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'The same, for traces alone.',
  OTEL_TRACES_EXPORTER: 'Turns tracing on with this exporter (`otlp`, `console`, …); `none` turns it off.',
  OTEL_SDK_DISABLED: '`true` turns all of it off.',
};
