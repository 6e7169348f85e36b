/**
 * What a child inherits: where things are and how to talk, never a login. Credentials of the pool process stay with it,
 * as native code that parses data is the last place to keep them.
 */
const INHERITED = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LANG',
  'LC_ALL',
  'TZ',
  'LD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
  'NVIDIA_VISIBLE_DEVICES',
  'XLA_FLAGS',
  // By it a supervisor finds what it started, in whatever process group that runs.
  'SAIP_SUPERVISED_BY',
];

/** The environment of a child: the inherited names, then `extra`. */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...extra };
}
