/** In a sweep's order; it is asked for what comes after the last row of the page before. */
export type PageAfter<Row> = (after: Row | null) => Promise<readonly Row[]>

/**
 * Looks at every row that a sweep finds, page by page and one after the other; answers how many there were. A row that
 * cannot be looked at keeps no other waiting: what was wrong is thrown at the end, one error for all of them.
 *
 * @param sweep.what what the rows are, in the plural: `names`
 * @param sweep.pageSize the most that `pageAfter` answers; a shorter page is the last one
 */
export async function sweepRows<Row extends { readonly id: string }>(sweep: {
  what: string
  pageSize: number
  pageAfter: PageAfter<Row>
  look: (row: Row) => Promise<unknown>
}): Promise<number> {
  const { what, pageSize, pageAfter, look } = sweep
  const faults: unknown[] = []
  let count = 0
  for (let after: Row | null = null; ; ) {
    const page: readonly Row[] = await pageAfter(after)
    for (const row of page) {
      try {
        await look(row)
      } catch (cause) {
        faults.push(new Error(`${row.id} cannot be looked at`, { cause }))
      }
    }
    count += page.length
    after = page.at(-1) ?? null
    if (page.length < pageSize) break
  }
  if (faults.length > 0)
    throw new AggregateError(faults, `${faults.length} of ${count} ${what} were passed over`)
  return count
}
