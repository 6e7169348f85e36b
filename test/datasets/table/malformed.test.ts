import { describe, expect, it } from '@jest/globals';
import { analysed, csv, feature, refused } from './support/analysed.ts';

const label = (index: number): string => (index % 3 === 0 ? 'a' : 'b');
const good = csv('x,y', 30, (i) => `${i},${label(i)}`);

describe('a table as it may come', () => {
  it.each([
    ['with a byte order mark', `\ufeff${good}`],
    ['with CRLF', good.replaceAll('\n', '\r\n')],
    ['without a last line end', good.trimEnd()],
    ['with empty lines', good.replaceAll('\n', '\n\n')],
    ['with quotes', good.replaceAll(/^(\w+),(\w+)$/gm, '"$1","$2"')],
    ['with white space', good.replaceAll(',', ' ,  ')],
  ])('is read %s', async (_, content) => {
    const table = await analysed(content);
    expect(table.profile.rows).toBe(30);
    expect(feature(table, 'x')).toMatchObject({ kind: 'numeric', integer: true });
  });

  it.each([
    ['semicolon', ';'],
    ['tab', '\t'],
    ['bar', '|'],
  ])('has its delimiter found: %s', async (_, delimiter) => {
    const table = await analysed(good.replaceAll(',', delimiter));
    expect(table.schema.delimiter).toBe(delimiter);
    expect(table.profile.warnings[0]).toMatchObject({ kind: 'delimiter' });
  });

  it('keeps the delimiter and line ends inside of quotes', async () => {
    const table = await analysed(csv('x,y', 30, (i) => `"one, ${i % 2 ? 'two' : 'more\nlines'}",${label(i)}`));
    expect(feature(table, 'x')).toMatchObject({ categories: ['one, more\nlines', 'one, two'] });
  });
});

describe('a table that is refused', () => {
  it.each<[string, string | Buffer, string, RegExp]>([
    ['empty', '', 't.csv', /the file is empty/],
    ['without rows', 'x,y\n', 't.csv', /a header and no rows/],
    ['with a long row', good + '1,a,2\n', 't.csv line 32', /3 cells, but the header has 2/],
    ['with a short row', 'x,y\n1\n' + good, 't.csv line 2', /1 cells, but the header has 2/],
    ['with a quote that never closes', good + '1,"a\n2,b\n', 't.csv line 32', /a quote that never closes/],
    ['with a quote inside of a cell', good + '1,a"b\n2,b\n', 't.csv line 32', /a quote stands inside/],
    ['with a column named twice', 'x,x,y\n1,2,a\n', 't.csv line 1, column "x"', /the name of column 1/],
    ['with a column without a name', 'x, ,y\n1,2,a\n', 't.csv line 1', /column 2 has no name/],
    ['with a reserved name', '__proto__,y\n1,a\n', 't.csv line 1, column "__proto__"', /cannot be the name/],
    [
      'with a control character in a name',
      'x\u001b[2J,y\n1,a\n',
      't.csv line 1, column "x\\u001b[2J"',
      /control character/,
    ],
    ['with a long name', `${'n'.repeat(129)},y\n1,a\n`, `t.csv line 1, column "${'n'.repeat(40)}…"`, /129 characters/],
    ['with a long cell', `${good}${'z'.repeat(32_769)},a\n`, 't.csv line 32', /32769 characters; at most 32768/],
    [
      'with too many columns',
      `${Array.from({ length: 2002 }, (_, i) => `c${i}`).join(',')}\n`,
      't.csv line 1',
      /2002 columns; at most 2001/,
    ],
    [
      'with a byte that is no UTF-8',
      Buffer.concat([Buffer.from(good), Buffer.from('1,\xe4\n', 'latin1')]),
      't.csv line 32',
      /is not UTF-8/,
    ],
    [
      'cut in a character',
      Buffer.concat([Buffer.from(good), Buffer.of(0xe2, 0x82)]),
      't.csv line 32',
      /middle of a UTF-8 character/,
    ],
    ['with a NUL byte', `${good}1,a\u0000\n`, 't.csv line 32', /NUL byte/],
    ['in UTF-16', Buffer.from(`\ufeff${good}`, 'utf16le'), 't.csv line 1', /is UTF-16/],
    ['that is a spreadsheet', Buffer.from('PK\u0003\u0004rest', 'latin1'), 't.csv line 1', /ZIP archive/],
    ['with a record without end', `${good}"${'z'.repeat(5 * 2 ** 20)}`, 't.csv line 32', /longer than 4194304 bytes/],
  ])('%s', async (_, content, field, message) => {
    const error = await refused(content);
    expect(error.code).toBe('DATASET_TABLE_INVALID');
    expect(error.message).toMatch(message);
    expect(error.field).toBe(field);
  });

  it('names several problems at once, and no more than a person reads', async () => {
    const few = await refused(`${good}1\n2,b,c\n3,c\n4\n`);
    expect(few.problems?.map(({ field }) => field)).toEqual(['t.csv line 32', 't.csv line 33', 't.csv line 35']);
    const many = await refused(csv('x,y', 5000, (i) => `${i}`));
    expect(many.problems).toHaveLength(20);
    expect(many.message).toContain('only the first 20 problems are named');
  });

  it('tells of every column at once', async () => {
    const error = await refused(csv('a,b,y', 60, (i) => `text number ${i},2026-01-0${(i % 9) + 1},${label(i)}`));
    expect(error.problems).toHaveLength(2);
  });

  it('names columns in options that are not there', async () => {
    const error = await refused(good, { columns: { z: 'drop', w: 'numeric' } });
    expect(error.problems?.map(({ message }) => message)).toEqual([
      'there is no column "z" as --column names',
      'there is no column "w" as --column names',
    ]);
    expect((await refused(good, { columns: { y: 'drop' } })).message).toContain('the target cannot be left out');
    expect((await refused(good, { delimiter: ';' })).message).toContain('--delimiter');
  });
});
