import { NodeError } from '../../ports.ts'
import { isFileFault, isPanic } from './faults.ts'

type Job = () => void

export type TurnLoopParts = {
  /** Does the rest of each turn and commits; answers whether there was anything to commit. */
  readonly finish: () => boolean
  /** Resolves when what was committed is on the disk. */
  readonly sync: () => Promise<void>
  /** The same, and nothing else happens meanwhile. */
  readonly syncNow: () => void
  /** What the turns said may leave the machine. */
  readonly letOut: () => void
  /** The WASM instance or the node's file can no longer be trusted. */
  readonly fatal: (cause: unknown) => void
}

/**
 * A node's turns, one after the other. What a turn has committed goes to the disk while other nodes of the thread work
 * on. Until it is there the node takes no other turn and nothing that it said is let out, neither to peers nor as an
 * answer; what arrives meanwhile is the next turn's.
 */
export class TurnLoop {
  readonly #parts: TurnLoopParts
  #jobs: Job[] = []
  #answers: Job[] = []
  #scheduled = false
  /** Of the commit that is on its way to the disk. */
  #landing: Promise<void> | null = null
  #ended = false

  constructor(parts: TurnLoopParts) {
    this.#parts = parts
  }

  get ended(): boolean {
    return this.#ended
  }

  /**
   * Does something within a turn; resolves when that is on the disk. What `act` throws is the caller's, and what it
   * wrote before stays in the turn, so it must check first and write then.
   */
  perform<Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> {
    if (this.#ended) return Promise.reject(new NodeError('offline', 'The node has stopped.'))
    return new Promise((resolve, reject) => {
      this.add(() => this.#try(act, { resolve, reject, when: (answer) => this.#answers.push(answer) }))
    })
  }

  /**
   * As `perform`, of what only reads. Between turns nothing changes, so it takes none, unless somebody was before it whose
   * turn is still to come.
   */
  ask<Answer>(act: () => Answer | Promise<Answer>): Promise<Answer> {
    if (this.#ended || this.#jobs.length > 0) return this.perform(act)
    return new Promise((resolve, reject) => {
      try {
        this.#try(act, { resolve, reject, when: (answer) => this.#answer(answer) })
      } catch (cause) {
        this.#fail(cause)
      }
    })
  }

  /** Something for the next turn. */
  add(job: Job): void {
    this.#jobs.push(job)
    this.wake()
  }

  /** There is something to do: a turn is taken soon. */
  wake(): void {
    if (this.#scheduled || this.#ended) return
    this.#scheduled = true
    if (this.#landing === null) this.#soon()
  }

  /** Takes a turn at once, with these jobs last, that is on the disk when this returns. */
  run(jobs: readonly Job[] = []): void {
    if (this.#ended) return
    this.#jobs.push(...jobs)
    try {
      if (this.#landing !== null) {
        this.#parts.syncNow()
        this.#land()
      }
      if (this.#take()) this.#parts.syncNow()
      this.#land()
    } catch (cause) {
      this.#fail(cause)
    }
  }

  /** Nothing is done any more. */
  end(): void {
    this.#ended = true
  }

  #runSoon(): void {
    // Planned twice, or while a commit lands, which plans it anew.
    if (!this.#scheduled || this.#landing !== null || this.#ended) return
    this.#scheduled = false
    try {
      if (this.#take()) this.#await(this.#parts.sync())
      else this.#land()
    } catch (cause) {
      this.#fail(cause)
    }
  }

  #take(): boolean {
    for (const job of this.#jobs.splice(0)) job()
    return this.#parts.finish()
  }

  #await(landing: Promise<void>): void {
    this.#landing = landing
    landing
      .then(() => {
        if (this.#landing === landing && !this.#ended) this.#land()
      })
      .catch((cause) => this.#fail(cause))
  }

  #land(): void {
    this.#landing = null
    this.#parts.letOut()
    for (const answer of this.#answers.splice(0)) answer()
    if (this.#scheduled) this.#soon()
  }

  /** After what is just being read from sockets, so that one turn hears all of it. */
  #soon(): void {
    setImmediate(() => this.#runSoon())
  }

  #try<Answer>(
    act: () => Answer | Promise<Answer>,
    to: { resolve: (answer: Answer) => void; reject: (cause: unknown) => void; when: (answer: Job) => void },
  ): void {
    try {
      const answer = act()
      if (answer instanceof Promise)
        answer.then(
          (value) => this.#answer(() => to.resolve(value)),
          (cause) => this.#answer(() => to.reject(cause)),
        )
      else to.when(() => to.resolve(answer))
    } catch (cause) {
      // A panic leaves the instance broken, a fault of the file who knows what: the turn ends here, uncommitted.
      // Anything else is the mistake of one call.
      const isMistake = cause instanceof NodeError
      if (!isMistake && (isPanic(cause) || isFileFault(cause))) {
        to.reject(new NodeError('offline', 'The Lightning node ended.', { cause }))
        throw cause
      }
      const error = isMistake ? cause : new NodeError('invalid', String(cause), { cause })
      to.when(() => to.reject(error))
    }
  }

  #answer(answer: Job): void {
    if (this.#landing === null) answer()
    else this.#answers.push(answer)
  }

  #fail(cause: unknown): void {
    this.#ended = true
    this.#parts.fatal(cause)
  }
}
