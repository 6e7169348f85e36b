import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeInferRequest } from '../../../../api/serving/codec/index.ts';
import { liftNumbers } from '../../../../api/serving/codec/lift-numbers.ts';

const lift = (text: string) => liftNumbers(Buffer.from(text));
const first = (text: string) => lift(`{"data":${text}}`)?.arrays[0];

/** Numbers as JSON may spell them. */
const spelled = fc.oneof(
  fc.integer({ min: -300, max: 300 }).map(String),
  fc.maxSafeInteger().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  fc
    .tuple(fc.nat(999_999), fc.nat(999_999), fc.integer({ min: -30, max: 30 }), fc.constantFrom('e', 'E', 'e+'))
    .map(
      ([whole, part, power, letter]) => `${String(whole)}.${String(part)}${power < 0 ? 'e' : letter}${String(power)}`,
    ),
  fc.constantFrom('0', '-0', '0.0', '-0.0', '0e5', '123456789', '1234567890', '0.123456789', '1.5e-3'),
);
const space = fc.constantFrom('', '', '', ' ', '\n\t', '\r\n  ');

describe('liftNumbers', () => {
  it('gives the doubles that JSON.parse gives, or leaves the text to it', () => {
    const separated = fc.array(fc.tuple(space, spelled, space), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(separated, space, (parts, around) => {
        const text = `[${parts.map((part) => part.join('')).join(',')}]`;
        const lifted = lift(`{"x":1,${around}"data"${around}:${around}${text}${around}}`);
        if (lifted === undefined) return;
        expect([...(lifted.arrays[0]?.numbers ?? [])]).toEqual(JSON.parse(text));
        expect(JSON.parse(lifted.envelope)).toEqual({ x: 1, data: [0] });
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['[1,2,3]', [1, 2, 3], [3]],
    [' [ 0.5 , -2 ,3e2 ] ', [0.5, -2, 300], [3]],
    ['[[1,2,3],[4,5,6]]', [1, 2, 3, 4, 5, 6], [2, 3]],
    ['[[[1],[2]],[[3],[4]],[[5],[6]]]', [1, 2, 3, 4, 5, 6], [3, 2, 1]],
    ['[100000000000000]', [1e14], [1]],
    [
      JSON.stringify(Array.from({ length: 10_000 }, (_, i) => i)),
      Array.from({ length: 10_000 }, (_, i) => i),
      [10_000],
    ],
  ])('takes out %.40s', (text, numbers, dims) => {
    const array = first(text);
    expect([...(array?.numbers ?? [])]).toEqual(numbers);
    expect(array?.dims).toEqual(dims);
  });

  it.each([
    ['no number', '[1,"2"]'],
    ['null', '[null]'],
    ['booleans', '[true]'],
    ['an empty array', '[]'],
    ['an empty row', '[[1],[]]'],
    ['ragged rows', '[[1,2],[3]]'],
    ['numbers beside rows', '[1,[2]]'],
    ['rows beside numbers', '[[1],2]'],
    ['nine levels', '[[[[[[[[[1]]]]]]]]]'],
    ['sixteen digits', '[9007199254740993]'],
    ['seventeen digits after the point', '[0.12156862765550613]'],
    ['a power beyond 22', '[1e23]'],
    ['a leading zero', '[01]'],
    ['a leading zero of more digits', '[1,007,2]'],
    ['a plus', '[+1]'],
    ['a lone minus', '[-]'],
    ['no digit after the point', '[1.]'],
    ['no digit after the point, before a comma', '[1.,2]'],
    ['no digit before the point', '[.5]'],
    ['no exponent', '[1e]'],
    ['hexadecimal digits', '[0x10]'],
    ['NaN', '[NaN]'],
    ['a comma at the end', '[1,]'],
    ['a comma at the start', '[,1]'],
    ['two commas', '[1,,2]'],
    ['a semicolon', '[1;2]'],
    ['no end', '[1,2'],
    ['no end of a number', '[1,23'],
    ['a wrong bracket', '[1,2}'],
    ['an object', '{"data":1}'],
    ['a text', '"data"'],
  ])('leaves %s to the parser', (_, text) => {
    expect(lift(`{"data":${text}}`)).toBeUndefined();
  });

  it('finds no key inside a text', () => {
    const id = JSON.stringify('x","data":[1,2],"');
    expect(lift(`{"id":${id}}`)?.arrays).toEqual([]);
    expect(lift('{"id":"\\\\"data":[1]}')).toBeUndefined();
  });

  it('lifts every array, in its place', () => {
    const lifted = lift('{"inputs":[{"data":[1,2],"name":"a"},{"name":"b","data":[[3]]}]}');
    expect(lifted?.envelope).toBe('{"inputs":[{"data":[0],"name":"a"},{"name":"b","data":[1]}]}');
    expect(lifted?.arrays.map(({ dims }) => dims)).toEqual([[2], [1, 1]]);
  });
});

describe('decodeInferRequest, whichever way it reads a body', () => {
  const tensor = '"name":"x","datatype":"FP64","shape":[2,2]';
  /** The elements of the first input, flat, or the problem. */
  const read = (body: string): unknown => {
    try {
      const [input] = decodeInferRequest(Buffer.from(body), {}).inputs;
      const data = input?.data;
      if (data === undefined || data instanceof Uint8Array || input === undefined) return 'no JSON';
      return { ...input, data: [...Array.from(data.flat(input.shape, 4, 'data'))] };
    } catch (error) {
      return (error as Error).message;
    }
  };
  /** The same body with a member that sends it to the general parser. */
  const parsed = (body: string): unknown => read(body.replace('{', '{"x":"\\u0041",'));

  it.each([
    `{"inputs":[{${tensor},"data":[1,2,3,4]}]}`,
    `{"inputs":[{${tensor},"data":[[1,2],[3,4]]}]}`,
    `{"inputs":[{${tensor},"data":[[1,2,3,4]]}]}`,
    `{"inputs":[{${tensor},"data":[[1],[2],[3],[4]]}]}`,
    `{"inputs":[{${tensor},"data":[1,2,3]}]}`,
    `{"inputs":[{${tensor},"data":[1,2,3,4],"data":[5,6,7,8]}]}`,
    `{"inputs":[{${tensor},"data":[5,6,7,8],"d\\u0061ta":[0]}]}`,
    `{"data":[9],"inputs":[{${tensor},"data":[1,2,3,4]}]}`,
    `{"inputs":[{${tensor},"data":[1,2,3,4]}],"outputs":[{"name":"y","parameters":{"data":[1]}}]}`,
    `{"inputs":[{${tensor},"data":[1,2,3,4]}]`,
    `{"inputs":[{${tensor} "data":[1,2,3,4]}]}`,
    `{"inputs":[{${tensor},"data":[1,2,3,4]}]}x`,
    `{"inputs":[{${tensor},"parameters":{"binary_data_size":3},"data":[1,2,3,4]}]}`,
    `{"inputs":[{${tensor}}]}`,
    `{"inputs":[]}`,
  ])('agrees on %s', (body) => {
    expect(read(body)).toEqual(parsed(body));
  });

  it('remembers a form, not what was in it', () => {
    const body = (data: string) => `{"inputs":[{${tensor},"data":${data}}]}`;
    expect(read(body('[1,2,3,4]'))).toMatchObject({ data: [1, 2, 3, 4] });
    expect(read(body('[5,6,7,8]'))).toMatchObject({ data: [5, 6, 7, 8] });
  });
});
