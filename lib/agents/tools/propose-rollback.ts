import { z } from 'zod';
import { ModelArgument, NumberArgument } from './arguments.ts';
import { defineTool } from './tool.ts';

/** Changes nothing: a proposal is a piece of data that a person may approve after the agent has answered. */
export const proposeRollback = defineTool({
  name: 'propose_rollback',
  description: 'Propose to a person that an earlier version of a model becomes champion again.',
  schema: z.strictObject({
    model: ModelArgument,
    toVersion: NumberArgument.optional().describe('version to go back to; default: the champion before'),
    reason: z.string().min(1).max(300).describe('why, in one sentence'),
  }),
  run: async ({ model, toVersion, reason }, { views }) => {
    const champion = await views.version(model, 'champion');
    if (champion === undefined) return { value: { error: `The model ${model} has no champion.` } };
    const target = toVersion ?? (await views.formerChampion(model));
    if (target === undefined) return { value: { error: `There is no earlier champion of ${model} to go back to.` } };
    const found = await views.version(model, target);
    if (found === undefined) return { value: { error: `There is no version ${target} of ${model}.` } };
    if (found.withdrawnReason !== undefined) return { value: { error: `Version ${target} was withdrawn.` } };
    if (target === champion.version) return { value: { error: `Version ${target} is the champion already.` } };
    return {
      value: { proposed: true, note: 'A person is asked once you have answered. Nothing has changed yet.' },
      proposal: { model, fromVersion: champion.version, toVersion: target, reason },
    };
  },
});
