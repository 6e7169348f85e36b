export { joinProcesses, type Member } from './member.ts';
export { Primary, type PrimaryOptions } from './primary.ts';
