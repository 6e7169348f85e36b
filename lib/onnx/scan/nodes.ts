import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import { SCAN_LIMITS } from './limits.ts';
import { domainOf, OPERATORS } from './operators.ts';
import type { OperatorRule } from './operators.ts';
import { checkName, malformed, printable, refused, tooLarge } from './refusals.ts';
import { checkTensor } from './tensor.ts';
import { checkTrees } from './trees.ts';

const { AttributeType } = onnxProto.onnx.AttributeProto;

const PLAIN = new Set<number>([
  AttributeType.FLOAT,
  AttributeType.INT,
  AttributeType.STRING,
  AttributeType.TENSOR,
  AttributeType.FLOATS,
  AttributeType.INTS,
  AttributeType.STRINGS,
  // Left out by writers of old versions of the format.
  AttributeType.UNDEFINED,
]);

export interface Constants {
  readonly tensors: number;
  readonly elements: number;
}

/**
 * Nodes must stand in the order in which they run, make every value once, be of an allowed operator, and carry plain
 * attributes.
 *
 * @returns what their attributes hold
 * @throws OnnxError naming the node
 */
export function checkNodes(graph: Onnx.IGraphProto, domains: ReadonlySet<string>): Constants {
  const values = new Values(graph);
  let tensors = 0;
  let elements = 0;
  for (const [index, node] of (graph.node ?? []).entries()) {
    const where = node.name || `${node.opType ?? 'node'} ${index}`;
    checkName(node.name ?? '', where);
    const rule = ruleOf(node, domains, where);
    for (const attribute of node.attribute ?? []) {
      for (const tensor of checkAttribute(attribute, where)) {
        tensors += 1;
        elements += checkTensor(tensor, where);
      }
    }
    if (elements > SCAN_LIMITS.elements) throw tooLarge(where, 'too many elements in constants');
    values.pass(node, rule, where);
    checkUse(node, where);
  }
  values.checkOutputs();
  return { tensors, elements };
}

function ruleOf({ domain, opType }: Onnx.INodeProto, domains: ReadonlySet<string>, where: string): OperatorRule {
  const known = domainOf(domain);
  const operators = Object.hasOwn(OPERATORS, known) ? OPERATORS[known] : undefined;
  if (operators === undefined) throw refused(where, `the domain ${printable(known)} is not allowed`);
  if (!domains.has(known)) throw malformed(where, `the domain ${known || 'ai.onnx'} has no version in this file`);
  const name = opType ?? '';
  const rule = Object.hasOwn(operators, name) ? operators[name] : undefined;
  if (rule === undefined) throw refused(where, `the operator ${printable(name)} is not allowed`);
  return rule;
}

/** @returns the tensors that it holds */
function checkAttribute(attribute: Onnx.IAttributeProto, where: string): Onnx.ITensorProto[] {
  const { g, graphs, sparseTensor, sparseTensors, tp, typeProtos, refAttrName, type, t, tensors } = attribute;
  if (g != null || (graphs ?? []).length > 0) throw refused(where, 'a graph inside a node is not allowed');
  if (sparseTensor != null || (sparseTensors ?? []).length > 0) throw refused(where, 'sparse tensors are not allowed');
  if (tp != null || (typeProtos ?? []).length > 0) throw refused(where, 'types as attributes are not allowed');
  if (refAttrName) throw refused(where, 'attributes of functions are not allowed');
  if (!PLAIN.has(type ?? 0)) throw refused(where, `attribute ${printable(attribute.name ?? '')} is of a refused type`);
  return [...(t == null ? [] : [t]), ...(tensors ?? [])];
}

function checkUse(node: Onnx.INodeProto, where: string): void {
  const integer = (name: string): number => Number(node.attribute?.find((one) => one.name === name)?.i ?? 0);
  switch (node.opType) {
    case 'TreeEnsembleClassifier':
    case 'TreeEnsembleRegressor':
      return checkTrees(node, where);
    case 'Dropout':
      if (node.input?.[2]) throw refused(where, 'Dropout may not drop; export the model for inference');
      return;
    case 'BatchNormalization':
      if (integer('training_mode') !== 0) throw refused(where, 'a normalisation that still learns is not allowed');
      return;
    default:
  }
}

/** The values of a graph in the order they are made; which of them depend on constants and shapes alone. */
class Values {
  readonly #graph: Onnx.IGraphProto;
  readonly #known = new Set<string>();
  readonly #constant = new Set<string>();

  constructor(graph: Onnx.IGraphProto) {
    this.#graph = graph;
    for (const { name } of graph.input ?? []) this.#known.add(name ?? '');
    for (const { name } of graph.initializer ?? []) {
      this.#known.add(name ?? '');
      this.#constant.add(name ?? '');
    }
  }

  pass(node: Onnx.INodeProto, { constant }: OperatorRule, where: string): void {
    const inputs = node.input ?? [];
    for (const [position, name] of inputs.entries()) {
      if (name === '') continue;
      if (!this.#known.has(name)) throw malformed(where, `the value ${printable(name)} is used before it is made`);
      if (constant.includes(position) && !this.#constant.has(name)) {
        throw refused(where, `input ${position} decides about a shape and depends on the samples`);
      }
    }
    const shapes = node.opType === 'Shape' || node.opType === 'Size';
    const stays = shapes || inputs.every((name) => name === '' || this.#constant.has(name));
    const outputs = (node.output ?? []).filter((name) => name !== '');
    if (outputs.length === 0) throw malformed(where, 'a node without an output');
    for (const name of outputs) {
      checkName(name, where);
      if (this.#known.has(name)) throw malformed(where, `the value ${printable(name)} is made twice`);
      this.#known.add(name);
      if (stays) this.#constant.add(name);
    }
  }

  checkOutputs(): void {
    for (const { name } of this.#graph.output ?? []) {
      if (!this.#known.has(name ?? '')) throw malformed(name || 'graph.output', 'nothing makes this output');
    }
  }
}
