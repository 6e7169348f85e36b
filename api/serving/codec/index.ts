export { topClasses } from './classify.ts';
export { readInputs, readOutputs } from './feeds.ts';
export { decodeInferRequest, type CallInput, type CallOutput, type InferCall } from './request.ts';
export { encodeInferResponse, type AnswerOutput, type EncodedAnswer, type InferAnswer } from './response.ts';
export { toTensor } from './to-tensor.ts';
