import type { PlatformProcess } from '../../infra/local/environment.ts';
import { BaoClient } from '../../lib/clients/index.ts';
import { stackEnv } from './stack.ts';

/** A client with the login of one process of the test stack. */
export function stackBao(process: PlatformProcess): BaoClient {
  const { SAIP_BAO_ADDR: address = '', SAIP_BAO_LOGIN_FILE: loginFile = '' } = stackEnv(process);
  return new BaoClient({ address, loginFile });
}
