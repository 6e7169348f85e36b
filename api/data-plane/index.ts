export { DataPlane, type DataPlaneOptions } from './plane.ts';
