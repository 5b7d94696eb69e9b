/** What the exit code of `simdino` means; scripts and schedulers rely on it. */
export const exitCodes = {
  success: 0,
  internal: 1,
  usage: 2,
  failed: 3,
  stopped: 4,
} as const;
