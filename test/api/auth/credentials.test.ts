import { describe, expect, it } from '@jest/globals';
import { clientLogin } from '../../../api/auth/client-credentials.ts';
import { Sessions } from '../../../api/auth/sessions.ts';

const body = { grant_type: 'client_credentials' as const };
const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

describe('clientLogin', () => {
  it('reads HTTP Basic, both parts form-encoded (RFC 6749)', () => {
    expect(clientLogin(basic('my%20client:p%3Aw%2Brd+x'), body)).toEqual({
      clientId: 'my client',
      clientSecret: 'p:w+rd x',
    });
    expect(clientLogin(basic('id:with:colons'), body)).toEqual({ clientId: 'id', clientSecret: 'with:colons' });
  });

  it('reads the body', () => {
    expect(clientLogin(undefined, { ...body, client_id: 'a', client_secret: 'b' })).toEqual({
      clientId: 'a',
      clientSecret: 'b',
    });
  });

  it.each([
    ['nothing', undefined, body, 'body.client_id'],
    ['no secret', undefined, { ...body, client_id: 'a' }, 'body.client_secret'],
    ['a secret twice', basic('a:b'), { ...body, client_secret: 'b' }, 'body.client_id'],
    ['two clients', basic('a:b'), { ...body, client_id: 'c' }, 'body.client_id'],
    ['no colon', basic('ab'), body, 'header.authorization'],
    ['a broken escape', basic('%zz:b'), body, 'header.authorization'],
    ['another scheme', 'Digest a', body, 'header.authorization'],
  ])('refuses %s', (_, authorization, given, field) => {
    expect(() => clientLogin(authorization, given)).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID', field }),
    );
  });
});

describe('Sessions', () => {
  const caller = { sub: 'ann', roles: [], tenant: 'default', expiresAt: 1_000 };

  it('ends a session with its time, and when it is ended', () => {
    let now = 999_000;
    const sessions = new Sessions({ now: () => now });
    const [one, two] = [sessions.begin(caller), sessions.begin(caller)];
    expect(one).not.toBe(two);
    expect(sessions.find(one)).toEqual(caller);
    sessions.end(one);
    expect(sessions.find(one)).toBeUndefined();
    now = 1_000_000;
    expect(sessions.find(two)).toBeUndefined();
  });
});
