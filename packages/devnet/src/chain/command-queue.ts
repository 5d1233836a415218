/**
 * Runs commands one after another and answers each only when what it did is durable. Commands that wait while the
 * disk is busy share the next flush (group commit). After a failed flush nothing is known to be durable: every later
 * command is refused with that fault.
 */
export class CommandQueue {
  private readonly flush: () => Promise<void>
  private waiting: Array<() => () => void> = []
  private running: Promise<void> | null = null
  private broken: { cause: unknown } | null = null

  constructor(flush: () => Promise<void>) {
    this.flush = flush
  }

  run<T>(command: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.waiting.push(() => {
        try {
          if (this.broken !== null) throw new Error('the chain could not be written to the disk', this.broken)
          const answer = command()
          return () => (this.broken === null ? resolve(answer) : reject(this.broken.cause))
        } catch (fault) {
          return () => reject(fault)
        }
      })
      this.running ??= this.drain()
    })
  }

  /** Resolves when everything asked for so far is done. */
  async settled(): Promise<void> {
    await this.running
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting
      this.waiting = []
      const answers = batch.map((command) => command())
      try {
        await this.flush()
      } catch (cause) {
        this.broken = { cause }
      }
      for (const answer of answers) answer()
    }
    this.running = null
  }
}
