import onnxProto from 'onnx-proto';
import type { onnx as Onnx } from 'onnx-proto';
import type { ScanReport, ValueSummary } from '../../../contracts/import-model.ts';
import { OnnxError } from '../errors.ts';
import { SCAN_LIMITS } from './limits.ts';
import { checkNodes } from './nodes.ts';
import { domainOf, OPERATORS } from './operators.ts';
import { checkName, malformed, printable, refused, tooLarge } from './refusals.ts';
import { checkTensor, typeName } from './tensor.ts';
import { walk } from './wire.ts';

const { DataType } = onnxProto.onnx.TensorProto;

export interface ScannedModel {
  readonly model: Onnx.ModelProto;
  readonly graph: Onnx.IGraphProto;
  readonly report: ScanReport;
}

/**
 * Judges an ONNX file from elsewhere by its structure, and loads nothing: limits first, on the bytes as they are; then
 * operators, tensors and names of the decoded graph. What passes is a pure function of one tensor of samples, whose
 * memory depends on the number of samples alone.
 *
 * Decoding takes memory and time: call it in a child process (`scanOnnx`).
 * @throws OnnxError MODEL_GRAPH_MALFORMED, MODEL_GRAPH_TOO_LARGE, MODEL_GRAPH_REFUSED; `field` names the node, tensor or
 * value at fault
 */
export function scanModel(bytes: Uint8Array): ScannedModel {
  if (bytes.length === 0) throw malformed('model', 'the file is empty');
  if (bytes.length > SCAN_LIMITS.bytes) throw tooLarge('model', `${bytes.length} bytes`);
  walk(bytes);
  const model = decode(bytes);
  const { graph } = model;
  if (graph == null) throw malformed('model', 'there is no graph');
  const opsets = opsetsOf(model);
  checkVersions(model, opsets);
  checkTexts(model);
  const elements = checkInitializers(graph);
  checkInterface(graph);
  const constants = checkNodes(graph, new Set(opsets.keys()));
  return {
    model,
    graph,
    report: {
      bytes: bytes.length,
      irVersion: Number(model.irVersion),
      producer: printable([model.producerName, model.producerVersion].filter(Boolean).join(' ')),
      opsets: [...opsets].map(([domain, version]) => ({ domain: domain || 'ai.onnx', version })),
      operators: countOperators(graph),
      nodes: (graph.node ?? []).length,
      tensors: (graph.initializer ?? []).length + constants.tensors,
      elements: elements + constants.elements,
      inputs: (graph.input ?? []).map(summary),
      outputs: (graph.output ?? []).map(summary),
    },
  };
}

function decode(bytes: Uint8Array): Onnx.ModelProto {
  try {
    return onnxProto.onnx.ModelProto.decode(bytes);
  } catch (cause) {
    throw new OnnxError('MODEL_GRAPH_MALFORMED', 'model: the file is no ONNX model', { field: 'model', cause });
  }
}

function opsetsOf({ opsetImport }: Onnx.ModelProto): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of opsetImport) {
    const name = domainOf(domain);
    // Some exporters say the same twice.
    if ((opsets.get(name) ?? Number(version)) !== Number(version)) {
      throw malformed('model.opset_import', `the domain ${name || 'ai.onnx'} is there in two versions`);
    }
    opsets.set(name, Number(version));
  }
  return opsets;
}

function checkVersions({ irVersion }: Onnx.ModelProto, opsets: ReadonlyMap<string, number>): void {
  const { ir, opset } = SCAN_LIMITS;
  const version = Number(irVersion);
  if (!(version >= ir.from && version <= ir.to)) {
    throw refused('model.ir_version', `version ${version}, not ${ir.from} to ${ir.to}`);
  }
  if (opsets.size === 0) throw malformed('model.opset_import', 'no set of operators is named');
  for (const [domain, found] of opsets) {
    const range = (opset as Readonly<Record<string, { from: number; to: number }>>)[domain];
    if (range === undefined || !Object.hasOwn(OPERATORS, domain)) {
      throw refused('model.opset_import', `the domain ${printable(domain)} is not allowed`);
    }
    if (!(found >= range.from && found <= range.to)) {
      throw refused(
        'model.opset_import',
        `version ${found} of ${domain || 'ai.onnx'}, not ${range.from} to ${range.to}`,
      );
    }
  }
}

function checkTexts({ metadataProps, graph }: Onnx.ModelProto): void {
  if (metadataProps.length > SCAN_LIMITS.metadata) throw tooLarge('model.metadata_props', 'too many entries');
  for (const { key } of metadataProps) checkName(key ?? '', 'model.metadata_props');
  for (const { name } of [...(graph?.input ?? []), ...(graph?.output ?? []), ...(graph?.initializer ?? [])]) {
    checkName(name ?? '', 'graph');
  }
}

/** @returns elements of all of them */
function checkInitializers({ initializer, input }: Onnx.IGraphProto): number {
  const inputs = new Set((input ?? []).map(({ name }) => name));
  const seen = new Set<string>();
  let elements = 0;
  for (const tensor of initializer ?? []) {
    const name = tensor.name ?? '';
    if (name === '') throw malformed('graph.initializer', 'an initializer without a name');
    if (seen.has(name)) throw malformed(name, 'two initializers have this name');
    if (inputs.has(name)) throw refused(name, 'an initializer shadows an input');
    seen.add(name);
    elements += checkTensor(tensor, name);
    if (elements > SCAN_LIMITS.elements) throw tooLarge(name, 'too many elements in all tensors');
  }
  return elements;
}

/**
 * What comes in is one tensor of floats, or named features with one value a sample each; samples are along the first
 * axis. What goes out has a type and a name of its own.
 */
function checkInterface({ input = [], output = [] }: Onnx.IGraphProto): void {
  const inputs = input ?? [];
  if (inputs.length === 0) throw refused('graph.input', 'no input');
  if (inputs.length > SCAN_LIMITS.inputs) throw tooLarge('graph.input', `${inputs.length} inputs`);
  for (const one of inputs) checkInput(one, inputs.length);
  if (new Set(inputs.map(({ name }) => name)).size !== inputs.length) throw malformed('graph.input', 'one is twice');
  const outputs = output ?? [];
  if (outputs.length === 0) throw malformed('graph.output', 'there is none');
  if (outputs.length > SCAN_LIMITS.outputs) throw tooLarge('graph.output', `${outputs.length} outputs`);
  if (new Set(outputs.map(({ name }) => name)).size !== outputs.length) throw malformed('graph.output', 'one is twice');
}

const NUMBERS = [DataType.FLOAT, DataType.DOUBLE];
const FEATURES = [...NUMBERS, DataType.INT64, DataType.STRING];

function checkInput({ name, type }: Onnx.IValueInfoProto, inputs: number): void {
  const where = name || 'graph.input';
  const tensor = type?.tensorType;
  if (!name || tensor == null) throw refused(where, 'an input must be a tensor with a name');
  const dims = tensor.shape?.dim;
  if (dims == null || dims.length < 2 || dims.length > SCAN_LIMITS.rank) {
    throw refused(where, 'an input must have an axis of samples and at least one more');
  }
  if (fixed(dims[0]) !== undefined) throw refused(where, 'the axis of samples is fixed; export it as a free one');
  const feature = dims.length === 2 && fixed(dims[1]) === 1;
  if (inputs > 1 && !feature) throw refused(where, 'one of several inputs must be a feature of the shape [batch, 1]');
  if ((feature ? FEATURES : NUMBERS).includes(tensor.elemType ?? 0)) return;
  const served = feature ? 'float, double, int64 or string' : 'float or double';
  throw refused(where, `an input of type ${typeName(tensor.elemType)}, where ${served} is served`);
}

/** Size of an axis, or undefined where it is free. */
export function fixed(dim: Onnx.TensorShapeProto.IDimension | undefined): number | undefined {
  if (dim?.dimValue == null || dim.dimParam) return undefined;
  const size = Number(dim.dimValue);
  // Some exporters write a free axis as -1 or 0.
  return size > 0 ? size : undefined;
}

function summary({ name, type }: Onnx.IValueInfoProto): ValueSummary {
  const tensor = type?.tensorType;
  if (tensor == null) return { name: printable(name ?? ''), type: type?.sequenceType ? 'sequence' : 'unknown' };
  const shape = tensor.shape?.dim?.map((dim) => fixed(dim) ?? printable(dim.dimParam || '?'));
  return { name: printable(name ?? ''), type: typeName(tensor.elemType), ...(shape && { shape }) };
}

function countOperators({ node }: Onnx.IGraphProto): ScanReport['operators'] {
  const counts = new Map<string, { domain: string; name: string; count: number }>();
  for (const { domain, opType } of node ?? []) {
    const entry = { domain: domainOf(domain) || 'ai.onnx', name: opType ?? '', count: 0 };
    const key = `${entry.domain}/${entry.name}`;
    counts.set(key, { ...entry, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  return [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}
