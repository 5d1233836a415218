export class TimedOutError extends Error {
  override readonly name = 'TimedOutError'
  constructor(timeoutMs: number) {
    super(`No answer within ${Math.round(timeoutMs)} ms.`)
  }
}

/** Gives up waiting, not the work itself: what it did all the same is found by whoever looks again. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOutError(timeoutMs)), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
