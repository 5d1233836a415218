/**
 * An exception inside a callback would unwind through WASM and leave the instance broken. So every callback given to
 * LDK is wrapped: the first failure is kept, the callback answers a harmless value, and the turn that called LDK
 * finds the failure at once and ends the node, or the host, before anything is committed.
 */
export class Guard {
  readonly #shared: Guard | null
  #failure: { cause: unknown } | null = null

  /** A node's own guard, and the one of what it shares with others. */
  constructor(shared: Guard | null = null) {
    this.#shared = shared
  }

  wrap<Args extends unknown[], Answer>(
    callback: (...args: Args) => Answer,
    otherwise: () => NoInfer<Answer>,
  ) {
    return (...args: Args): Answer => {
      if (this.#failure) return otherwise()
      try {
        return callback(...args)
      } catch (cause) {
        this.#failure = { cause }
        return otherwise()
      }
    }
  }

  check(): void {
    this.#shared?.check()
    if (this.#failure) throw new Error('A callback given to LDK failed.', { cause: this.#failure.cause })
  }
}
