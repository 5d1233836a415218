/**
 * Waits for all, also when one fails: what the others bring up meanwhile is known before anything is ended. Then
 * throws the first failure, in the order given.
 */
export async function together<T extends readonly unknown[]>(
  ...works: { readonly [I in keyof T]: Promise<T[I]> }
): Promise<T> {
  const outcomes = await Promise.allSettled(works)
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as unknown as T
}
