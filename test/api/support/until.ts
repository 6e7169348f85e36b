/** Below Jest's own limit, so that the loop ends and the message says what was waited for. */
const LIMIT_MS = 50_000;

/**
 * Asks again and again until there is an answer.
 * @param ask undefined or false: not yet
 * @throws Error after 50 s
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  pause = 20,
): Promise<T> {
  const end = Date.now() + LIMIT_MS;
  while (Date.now() < end) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error(`not in time: ${what}`);
}
