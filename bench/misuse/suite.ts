import { SampleStatistics } from '../../api/serving/guard/sample-statistics.ts';
import { loadConfig } from '../../lib/config/index.ts';
import { median, type Figure, type Suite } from '../figure.ts';
import { images, type Images } from './data.ts';
import { attacks, benign, QUERIES, victimOf } from './traffic.ts';
import { watch, type Watched } from './watch.ts';

/** Callers of each kind. */
const CALLERS = 6;
/** Thresholds are chosen to whole hundredths. */
const GRID = 100;
/** What no setting of the detector tells apart from a thief; docs/misuse.md says so. */
const KNOWN_FALSE = 'by a camera that sees 100 things again and again';

interface Look {
  readonly benign: readonly Watched[];
  readonly attacks: readonly Watched[];
}

/** Chooses the threshold of W on one data set, and looks on another what it is worth. */
export const suite: Suite = {
  title: 'Patterns of queries',
  async run(say) {
    const { misuse } = loadConfig('cli');
    const chosenOn = await images('mnist', { train: 1000, others: 10_000 });
    const heldOut = await images('digits', { train: 500, others: 1300 });
    const look = (own: Images, foreign: Images): Look => {
      say(`${own.name}: ${CALLERS} callers of each kind, ${QUERIES} queries each`);
      return lookAt(own, foreign, misuse);
    };
    const first = look(chosenOn, heldOut);
    const least = Math.min(...first.benign.filter(({ kind }) => kind !== KNOWN_FALSE).map(({ leastW }) => leastW));
    const chosen = Math.floor(GRID * least) / GRID;
    const second = look(heldOut, chosenOn);
    return [
      {
        what: `least W that ${chosenOn.name} gives no benign caller`,
        measured: chosen.toFixed(2),
        target: `${misuse.minW.toFixed(2)} (SAIP_MISUSE_MIN_W)`,
        met: chosen >= misuse.minW,
        detail: `least of ${first.benign.length} callers ${least.toFixed(3)}, in hundredths; fixed cameras left out`,
      },
      ...figures(chosenOn.name, first),
      ...figures(heldOut.name, second),
    ];
  },
};

function lookAt(own: Images, foreign: Images, misuse: { minW: number; maxStrangeShare: number }): Look {
  const victim = victimOf(own);
  const statistics = new SampleStatistics(statisticsOf(own));
  const options = { ...misuse, unlike: (x: Float32Array) => statistics.unlike(x) };
  const seeds = Array.from({ length: CALLERS }, (_, index) => index + 1);
  const all = (streams: (seed: number) => ReturnType<typeof benign>): Watched[] =>
    seeds.flatMap((seed) => streams(seed).map((stream) => watch(stream, own, victim, options)));
  return {
    benign: all((seed) => benign(own, seed)),
    attacks: all((seed) => attacks(own, foreign, victim, seed)),
  };
}

function statisticsOf({ train }: Images): { mean: number; deviation: number } {
  let [sum, squares, count] = [0, 0, 0];
  for (const { x } of train) {
    for (const value of x) {
      sum += value;
      squares += value * value;
    }
    count += x.length;
  }
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(squares / count - mean ** 2) };
}

/** One line a kind. Only that benign callers are left alone is a goal: what is not noticed is printed, not promised. */
function figures(name: string, look: Look): Figure[] {
  const lines = (watched: readonly Watched[], wanted: boolean): Figure[] =>
    [...new Set(watched.map(({ kind }) => kind))].map((kind) => {
      const own = watched.filter((caller) => caller.kind === kind);
      const flagged = own.flatMap(({ flaggedAfter }) => flaggedAfter ?? []);
      const kinds = [...new Set(own.flatMap(({ flag }) => flag ?? []))].join(', ');
      const delay = flagged.length === 0 ? '' : `, by ${kinds} after ${median(flagged)} queries (median)`;
      return {
        what: `${name}, ${wanted ? 'thief' : 'benign'}: ${kind}`,
        measured: `${flagged.length} of ${own.length} flagged`,
        target: wanted || kind === KNOWN_FALSE ? '–' : 'none',
        met: wanted || kind === KNOWN_FALSE || flagged.length === 0,
        detail: `least W ${Math.min(...own.map(({ leastW }) => leastW)).toFixed(3)}${delay}`,
      };
    });
  return [...lines(look.benign, false), ...lines(look.attacks, true)];
}
