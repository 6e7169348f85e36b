import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assign, parseAssignment } from '../../cli/actions/assignments.ts';
import type { JsonObject, JsonValue } from '../../cli/actions/assignments.ts';

const name = fc
  .stringMatching(/^[a-z][A-Za-z0-9]{0,8}$/)
  .filter((text) => text !== 'constructor' && text !== 'prototype');

function read(object: JsonObject, path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((node, key) => (node as JsonObject | undefined)?.[key], object);
}

describe('parseAssignment', () => {
  it.each([
    ['training.epochs=2', ['training', 'epochs'], 2],
    ['rollout=false', ['rollout'], false],
    ['registerAs=digits', ['registerAs'], 'digits'],
    ['a=b=c', ['a'], 'b=c'],
    ['a=', ['a'], ''],
    ['gates={"minAccuracy":0.9}', ['gates'], { minAccuracy: 0.9 }],
  ])('reads %s', (text, path, value) => {
    expect(parseAssignment(text)).toEqual({ path, value });
  });

  it.each(['epochs', '=1', 'a..b=1', '.a=1', '__proto__.polluted=1', 'a.constructor.prototype=1'])(
    'refuses %s',
    (text) => {
      expect(() => parseAssignment(text)).toThrow(expect.objectContaining({ exitCode: 2 }));
    },
  );
});

describe('assign', () => {
  it('gives back what was set, whatever the path and value', () => {
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), fc.jsonValue(), (path, value) => {
        const text = `${path.join('.')}=${JSON.stringify(value)}`;
        const result = assign({}, [parseAssignment(text)]);
        expect(read(result, path)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('keeps its argument and the neighbours of what it sets', () => {
    const target: JsonObject = { model: { layers: [{ units: 10 }, { units: 20 }] }, seed: 1 };
    const result = assign(target, [parseAssignment('model.layers.1.units=64')]);
    expect(result).toEqual({ model: { layers: [{ units: 10 }, { units: 64 }] }, seed: 1 });
    expect(target).toEqual({ model: { layers: [{ units: 10 }, { units: 20 }] }, seed: 1 });
  });

  it('refuses to go through a plain value', () => {
    expect(() => assign({ model: 'mnist-cnn' }, [parseAssignment('model.layers=[]')])).toThrow(
      '"model" is a value, not a group of settings',
    );
  });
});
