/** The entry of the workflow bundle: every function exported here is a workflow type. */
export { attackRetest } from './attackRetest.ts';
export { batchScore } from './batchScore.ts';
export { agentTask } from './agentTask.ts';
export { importModel } from './importModel.ts';
export { measureExtraction } from './measureExtraction.ts';
export { rolloutModel } from './rolloutModel.ts';
export { runTrial } from './runTrial.ts';
export { searchHyperparameters } from './searchHyperparameters.ts';
export { signAndRelease } from './signAndRelease.ts';
export { trainRegisterDeploy } from './trainRegisterDeploy.ts';
