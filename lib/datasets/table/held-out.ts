import { createHash } from 'node:crypto';

/**
 * Chooses which members of each stratum are held out, as they come by: members are cut into blocks of 1/share, and of
 * every block one is taken, at a place that a hash of the key, the stratum and the block's number decides. So the
 * choice needs no memory of earlier members, the share holds within each stratum up to one member, and nothing but the
 * key, the share and the order of the members decides.
 *
 * @param share 0 < share < 1
 */
export function holdOut(key: string, share: number): (stratum: number) => boolean {
  const strata = new Map<number, { members: number; block: number; chosen: number }>();
  const start = (block: number): number => Math.ceil(block / share - 1e-9);
  return (stratum) => {
    const state = strata.get(stratum) ?? { members: 0, block: -1, chosen: -1 };
    strata.set(stratum, state);
    const member = state.members;
    state.members += 1;
    if (member === start(state.block + 1)) {
      state.block += 1;
      const size = start(state.block + 1) - member;
      state.chosen = member + (hash(`${key}/${stratum}/${state.block}`) % size);
    }
    return member === state.chosen;
  };
}

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}
