export type CallOptions = { readonly signal?: AbortSignal }

export type MutationOptions = CallOptions & {
  /**
   * 1 to 64 characters of `A-Z a-z 0-9 _ -`. Give one that you have stored to repeat a request of an earlier run of
   * your program; otherwise a new one is made for each call and kept for its repetitions.
   */
  readonly idempotencyKey?: string
}

export function withSignal({ signal }: CallOptions): CallOptions {
  return signal === undefined ? {} : { signal }
}
