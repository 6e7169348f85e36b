import type { onnx as Onnx } from 'onnx-proto';
import { malformed, refused } from './refusals.ts';

const MODES = new Set(['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GTE', 'BRANCH_GT', 'BRANCH_EQ', 'BRANCH_NEQ', 'LEAF']);

type Numbers = readonly number[];

interface Nodes {
  readonly trees: Numbers;
  readonly ids: Numbers;
  readonly modes: readonly string[];
  readonly yes: Numbers;
  readonly no: Numbers;
}

/**
 * The nodes of a TreeEnsembleClassifier or -Regressor must be trees: ids that exist, no circle, one parent at most. A
 * runtime that follows them then comes to an end, inside of its tables.
 * Attributes: https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html
 *
 * @throws OnnxError MODEL_GRAPH_MALFORMED, MODEL_GRAPH_REFUSED naming the node
 */
export function checkTrees(node: Onnx.INodeProto, where: string): void {
  const attributes = new Map((node.attribute ?? []).map((attribute) => [attribute.name ?? '', attribute]));
  const ints = (name: string): Numbers => (attributes.get(name)?.ints ?? []).map(Number);
  const text = (name: string): string[] =>
    (attributes.get(name)?.strings ?? []).map((value) => Buffer.from(value).toString('latin1'));
  const nodes: Nodes = {
    trees: ints('nodes_treeids'),
    ids: ints('nodes_nodeids'),
    modes: text('nodes_modes'),
    yes: ints('nodes_truenodeids'),
    no: ints('nodes_falsenodeids'),
  };
  const count = nodes.ids.length;
  if (count === 0) throw malformed(where, 'a forest without nodes');
  const features = ints('nodes_featureids');
  const lists = [nodes.trees, nodes.modes, nodes.yes, nodes.no, features];
  if (lists.some(({ length }) => length !== count)) throw malformed(where, 'lists of nodes of different lengths');
  const unknown = nodes.modes.find((mode) => !MODES.has(mode));
  if (unknown !== undefined) throw refused(where, `nodes of mode ${unknown.slice(0, 20)} are not allowed`);
  if (features.some((feature) => !Number.isInteger(feature) || feature < 0)) {
    throw malformed(where, 'a feature of a negative number');
  }
  const places = placesOf(nodes, where);
  checkEdges(nodes, places, where);
  checkTargets(node, { ints, places, where, strings: text('classlabels_strings').length });
}

/** `tree/node` → index. */
function placesOf({ trees, ids }: Nodes, where: string): Map<string, number> {
  const places = new Map(ids.map((id, index) => [`${trees[index]}/${id}`, index]));
  if (places.size !== ids.length) throw malformed(where, 'two nodes of one tree have the same number');
  return places;
}

/** Every node is reached from the root of its tree exactly once: so there is no circle, and nothing hangs loose. */
function checkEdges({ trees, modes, yes, no }: Nodes, places: ReadonlyMap<string, number>, where: string): void {
  const parents = new Uint8Array(trees.length);
  const childrenOf = (index: number): number[] =>
    modes[index] === 'LEAF'
      ? []
      : [yes[index], no[index]].map((id) => {
          const child = places.get(`${trees[index]}/${id}`);
          if (child === undefined)
            throw malformed(where, `tree ${trees[index]} leads to a node ${id} that is not there`);
          return child;
        });
  for (const index of trees.keys()) {
    for (const child of childrenOf(index)) {
      if (parents[child] === 1) throw malformed(where, `a node of tree ${trees[index]} has two parents`);
      parents[child] = 1;
    }
  }
  const open = [...trees.keys()].filter((index) => parents[index] === 0);
  if (new Set(open.map((index) => trees[index])).size !== open.length) {
    throw malformed(where, 'a tree has more than one root');
  }
  let reached = 0;
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    reached += 1;
    open.push(...childrenOf(index));
  }
  if (reached !== trees.length) throw malformed(where, 'the nodes of a tree lead round in a circle');
}

interface Targets {
  readonly ints: (name: string) => Numbers;
  readonly places: ReadonlyMap<string, number>;
  readonly where: string;
  readonly strings: number;
}

/** Weights of leaves must be of nodes and classes that exist. */
function checkTargets({ opType, attribute }: Onnx.INodeProto, { ints, places, where, strings }: Targets): void {
  const prefix = opType === 'TreeEnsembleClassifier' ? 'class' : 'target';
  const [trees, ids, targets] = ['treeids', 'nodeids', 'ids'].map((name) => ints(`${prefix}_${name}`)) as [
    Numbers,
    Numbers,
    Numbers,
  ];
  const weights = attribute?.find(({ name }) => name === `${prefix}_weights`)?.floats ?? [];
  if ([ids, targets, weights].some(({ length }) => length !== trees.length)) {
    throw malformed(where, 'lists of weights of different lengths');
  }
  if (trees.some((tree, index) => !places.has(`${tree}/${ids[index]}`))) {
    throw malformed(where, 'a weight of a node that is not there');
  }
  const classes = prefix === 'class' ? Math.max(ints('classlabels_int64s').length, strings) : Number.POSITIVE_INFINITY;
  if (targets.some((target) => !(target >= 0 && target < classes))) {
    throw malformed(where, 'a weight of a class that is not there');
  }
}
