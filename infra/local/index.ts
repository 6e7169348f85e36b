export { stackLayout } from './layout.ts';
export type { StackLayout } from './layout.ts';
export { launch, liveSupervisor, shutDown } from './launch.ts';
export { readStackState } from './state.ts';
export type { ServiceState, ServiceStatus, StackState } from './state.ts';
export { CHECKOUT, loadToolchain } from './toolchain.ts';
export type { Toolchain } from './toolchain.ts';
