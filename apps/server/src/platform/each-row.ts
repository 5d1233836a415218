/**
 * Does something with every row that `pageAfter` finds, page by page in its order, until a page is not full; answers
 * how many there were. A row that fails keeps no other waiting; what was wrong is thrown at the end.
 */
export async function eachRow<Row extends { readonly id: string }>(options: {
  /** What a row is, for the error. */
  what: string
  limit: number
  pageAfter: (after: Row | null) => Promise<Row[]>
  work: (row: Row) => Promise<unknown>
}): Promise<number> {
  const { what, limit, pageAfter, work } = options
  const faults: unknown[] = []
  let count = 0
  for (let after: Row | null = null; ; ) {
    const page: Row[] = await pageAfter(after)
    for (const row of page) {
      await work(row).catch((cause: unknown) => {
        faults.push(new Error(`${what} ${row.id} cannot be looked at`, { cause }))
      })
    }
    count += page.length
    after = page.at(-1) ?? null
    if (page.length < limit) break
  }
  if (faults.length === 0) return count
  throw new AggregateError(faults, `${faults.length} of ${count} were passed over (${what})`)
}
