import { SEARCH_ATTRIBUTES } from '../../contracts/queues.ts';

type Name = keyof typeof SEARCH_ATTRIBUTES;
type Values = Readonly<Partial<Record<Name, string>>>;

export interface KeywordPair {
  readonly key: { readonly name: Name; readonly type: 'KEYWORD' };
  readonly value: string;
}

/** Typed pairs, as starting a child and upserting take them. All of the platform's attributes are keywords. */
export function searchAttributePairs(values: Values): KeywordPair[] {
  return (Object.keys(SEARCH_ATTRIBUTES) as Name[]).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [{ key: { name, type: 'KEYWORD' as const }, value }];
  });
}
