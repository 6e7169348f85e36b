/** What a media range of `Accept` says about one type: how much it is wanted, and how closely it is named. */
interface Wish {
  readonly weight: number;
  readonly closeness: number;
}

const RANGE = /^\s*([^\s;]+)\s*((?:;[^;]*)*)$/;

/**
 * Whether a client wants OpenMetrics 1.0.0 rather than the text format 0.0.4 (RFC 9110 section 12.5.1). Of the parameters
 * only version and weight count: Prometheus adds others that tell how it would like names to be escaped.
 */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  const ranges = (accept ?? '').split(',');
  const open = wish(ranges, 'application/openmetrics-text', '1.0.0');
  const text = wish(ranges, 'text/plain', '0.0.4');
  // Who has no preference gets what every tool reads.
  return (
    open.weight > text.weight || (open.weight > 0 && open.weight === text.weight && open.closeness > text.closeness)
  );
}

function wish(ranges: readonly string[], type: string, version: string): Wish {
  let best: Wish = { weight: 0, closeness: 0 };
  for (const range of ranges) {
    const [, name = '', rest = ''] = RANGE.exec(range.toLowerCase()) ?? [];
    const closeness = ['*/*', `${type.split('/')[0] ?? ''}/*`, type].indexOf(name) + 1;
    const parameters = new Map(rest.split(';').map((text) => text.trim().split('=') as [string, string | undefined]));
    if (closeness === 0 || (parameters.get('version') ?? version) !== version) continue;
    const weight = Number(parameters.get('q') ?? '1');
    if (closeness > best.closeness || (closeness === best.closeness && weight > best.weight))
      best = { weight, closeness };
  }
  return best;
}
