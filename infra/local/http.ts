const TIMEOUT_MS = 5_000;

/** @throws Error when the URL does not answer with a status below 300 within 5 s */
export async function expectOk(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}
