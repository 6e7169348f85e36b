import { describe, expect, it } from '@jest/globals';
import { selectServices } from '../../infra/local/selection.ts';
import { GROUPS, SERVICES } from '../../infra/local/services/index.ts';

const select = (...names: string[]) => selectServices(SERVICES, GROUPS, names).map(({ name }) => name);

describe('selectServices', () => {
  it('takes everything when nothing is named', () => {
    expect(select()).toEqual(SERVICES.map(({ name }) => name));
  });

  it('adds what a service depends on, in the order of starting', () => {
    expect(select('mlflow')).toEqual(['openbao', 'postgres', 'mlflow']);
  });

  it('knows groups', () => {
    expect(select('servers')).toEqual(['openbao', 'postgres', 'temporal', 'mlflow']);
    expect(select('workers', 'temporal')).toEqual(
      expect.arrayContaining(['openbao', 'postgres', 'temporal', 'worker-cpu', 'worker-release']),
    );
  });

  it('refuses an unknown name and says what there is', () => {
    expect(() => select('redis')).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
    expect(() => select('redis')).toThrow(/servers, workers, openbao/);
  });
});

describe('the services', () => {
  it('depend only on services that come before them', () => {
    SERVICES.forEach(({ dependsOn }, index) => {
      const before = SERVICES.slice(0, index).map(({ name }) => name);
      expect(before).toEqual(expect.arrayContaining([...dependsOn]));
    });
  });
});
