import { join } from 'node:path';
import type { StackContext } from '../service.ts';

/** Server configuration (HCL): raft storage of one node, plain HTTP on loopback only, every request audited. */
export function serverConfig({ layout, ports, stackId }: StackContext): string {
  const data = join(layout.data, 'openbao');
  return `
storage "raft" {
  path = ${quote(join(data, 'raft'))}
  node_id = ${quote(stackId)}
  # The one node elects itself; there is no slow peer to wait for.
  performance_multiplier = 1
}
listener "tcp" {
  address = "127.0.0.1:${ports.openbao}"
  cluster_address = "127.0.0.1:${ports.openbaoCluster}"
  tls_disable = true
}
audit "file" "requests" {
  description = "Every request and response, secrets hashed"
  options {
    file_path = ${quote(auditLog(layout.logs))}
    mode = "0600"
  }
}
api_addr = "http://127.0.0.1:${ports.openbao}"
cluster_addr = "http://127.0.0.1:${ports.openbaoCluster}"
disable_mlock = true
log_level = "warn"
`;
}

export function auditLog(logs: string): string {
  return join(logs, 'openbao-audit.log');
}

/** HCL strings take the escapes of JSON, and interpolate `${`. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('${', '$${');
}
