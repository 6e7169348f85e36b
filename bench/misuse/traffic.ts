import { RandomStream } from '../../lib/ml/index.ts';
import { resized, type Image, type Images } from './data.ts';
import { extract } from './jacobian.ts';
import { SoftmaxRegression } from './softmax.ts';

/** Queries of one caller, in order. */
export interface Stream {
  readonly kind: string;
  readonly rows: readonly Float32Array[];
}

/** Of one stream. */
export const QUERIES = 1000;

const WIDEST_SHIFT = 0.04;

/** Callers who want nothing but answers. */
export function benign({ others, side }: Images, seed: number): Stream[] {
  const order = new RandomStream('benign order', seed).permutation(others.length);
  const drawn = Array.from(order.subarray(0, QUERIES), (index) => others[index] as Image);
  const camera = new RandomStream('camera', seed);
  const seen = ({ x }: Image): Float32Array => photographed(x, side, camera);
  const few = drawn.slice(0, 100);
  const again = new RandomStream('again', seed);
  const any = (): Image => few[again.below(few.length)] as Image;
  return [
    { kind: 'in random order', rows: drawn.map(({ x }) => x) },
    { kind: 'class by class', rows: [...drawn].sort((a, b) => a.y - b.y).map(({ x }) => x) },
    {
      kind: 'with repetitions',
      rows: [...drawn, ...drawn.slice(0, 300)].map((image, i) => (i % 3 === 2 ? any().x : image.x)),
    },
    { kind: 'by a camera', rows: drawn.map(seen) },
    {
      kind: 'by a camera that sees 100 things again and again',
      rows: Array.from({ length: QUERIES }, () => seen(any())),
    },
  ];
}

/** Callers who want the model. @param foreign pictures of another data set */
export function attacks(own: Images, foreign: Images, victim: SoftmaxRegression, seed: number): Stream[] {
  const order = new RandomStream('thief', seed).permutation(own.others.length);
  const seeds = Array.from(order.subarray(0, 100), (index) => (own.others[index] as Image).x);
  const noise = new RandomStream('noise', seed);
  const others = new RandomStream('foreign', seed).permutation(foreign.others.length);
  return [
    { kind: 'Jacobian augmentation, λ = 0.1', rows: jacobian(seeds, victim, 25.5) },
    { kind: 'Jacobian augmentation, λ = 0.3', rows: jacobian(seeds, victim, 76.5) },
    { kind: 'steps of FGSM from each sample', rows: fgsm(seeds, victim) },
    {
      kind: 'uniform noise',
      rows: Array.from({ length: QUERIES }, () =>
        Float32Array.from(own.others[0]?.x ?? [], () => 255 * noise.uniform()),
      ),
    },
    {
      kind: 'natural pictures of another kind',
      rows: Array.from(
        others.subarray(0, QUERIES),
        (index) => resized(foreign.others[index] as Image, foreign.side, own.side).x,
      ),
    },
  ];
}

/** The victim of a data set: a softmax regression, which answers as a served model does. */
export function victimOf({ train, side }: Images): SoftmaxRegression {
  const victim = new SoftmaxRegression(side * side, 10);
  victim.fit(train, 2);
  return victim;
}

function jacobian(seeds: readonly Float32Array[], victim: SoftmaxRegression, step: number): Float32Array[] {
  const rows: Float32Array[] = [];
  const oracle = (x: Float32Array): number => {
    rows.push(x);
    return victim.predict(x);
  };
  extract(seeds, oracle, { rounds: 3, step });
  return rows.slice(0, QUERIES);
}

/** Someone who looks for the border: from each sample nine steps along the gradient of a substitute. */
function fgsm(seeds: readonly Float32Array[], victim: SoftmaxRegression): Float32Array[] {
  const substitute = new SoftmaxRegression(seeds[0]?.length ?? 0, 10);
  substitute.fit(
    seeds.map((x) => ({ x, y: victim.predict(x) })),
    4,
  );
  return seeds.flatMap((x) => {
    const gradient = substitute.gradient(x, victim.predict(x));
    return Array.from({ length: 10 }, (_, step) =>
      x.map((value, i) => Math.min(255, Math.max(0, value - 8 * step * Math.sign(gradient[i] ?? 0)))),
    );
  });
}

/** Brightness within a tenth, a shift of at most a twenty-fifth of the edge, and noise of 10 grey values. */
function photographed(x: Float32Array, side: number, random: RandomStream): Float32Array {
  const reach = Math.round(WIDEST_SHIFT * side);
  const [down, right] = [random.below(2 * reach + 1) - reach, random.below(2 * reach + 1) - reach];
  const gain = 0.9 + 0.2 * random.uniform();
  return x.map((_, at) => {
    const [row, column] = [Math.floor(at / side) - down, (at % side) - right];
    const inside = row >= 0 && row < side && column >= 0 && column < side;
    const value = gain * (inside ? (x[row * side + column] ?? 0) : 0) + 10 * normal(random);
    return Math.min(255, Math.max(0, value));
  });
}

/** Box and Muller (1958). */
function normal(random: RandomStream): number {
  return Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
}
