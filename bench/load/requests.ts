/** One HTTP request as it is sent by the load thread. */
export type LoadRequest = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type Load = {
  readonly url: string
  readonly requests: readonly LoadRequest[]
  /**
   * Open loop: each request is due at its own time, whether the ones before have been answered or not, and its time
   * is counted from then. Absent: one after the other, each counted from when it is sent.
   */
  readonly perSecond?: number
}

/** In the order of the requests; times in milliseconds. */
export type LoadResult = { readonly status: number; readonly ms: number }
