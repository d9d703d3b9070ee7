const firstMs = 60_000;
const mostDoublings = 20;

/** How long to wait after so many failures, one or more: a minute, two, four, and so on up to the longest. */
export const retryMs = (failures: number, longestMs: number): number =>
  Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, mostDoublings));
