import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const NOT_OURS = new Set(['node_modules', '.saip', '.git', 'coverage']);
const PAGES = globSync('**/*.md', { cwd: ROOT, exclude: (path) => NOT_OURS.has(path.split('/')[0] ?? '') });

/** Targets of links and images; code is no link. */
function targets(page: string): string[] {
  const prose = page.replaceAll(/```[\s\S]*?```|`[^`]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
}

/** Anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): string[] {
  return [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

describe.each(PAGES)('%s', (file) => {
  const page = readFileSync(join(ROOT, file), 'utf8');

  it('links to what is there', () => {
    const broken = targets(page).filter((target) => {
      if (/^[a-z]+:/.test(target)) return false;
      const [path = '', anchor] = target.split('#');
      const linked = path === '' ? join(ROOT, file) : join(ROOT, dirname(file), path);
      if (!existsSync(linked)) return true;
      return anchor !== undefined && !anchors(readFileSync(linked, 'utf8')).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});
