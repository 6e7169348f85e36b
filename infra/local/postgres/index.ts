export { prepareCluster } from './cluster.ts';
export { probeCluster } from './connect.ts';
export { provisionDatabases } from './databases.ts';
