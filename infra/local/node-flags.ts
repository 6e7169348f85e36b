/**
 * Flags of Node for a process that answers requests. Its program lies in pages of 2 MiB, where the system grants them: a
 * request runs through code all over the program, and fewer pages are fewer translations of addresses to miss. It costs
 * the process some 40 MiB that it would share with others otherwise.
 */
export const SERVER_FLAGS: readonly string[] = ['--use-largepages=silent'];
