/**
 * Asks for what is known of single keys, of all that are asked for within one turn of the event loop at once: fields of
 * a list cost one question, not one each. Nothing is remembered.
 */
export function askTogether<Key, Known>(
  ask: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Known>>,
): (key: Key) => Promise<Known | undefined> {
  let next: { readonly keys: Set<Key>; readonly answers: Promise<ReadonlyMap<Key, Known>> } | null = null

  function begin() {
    const keys = new Set<Key>()
    const turn = new Promise<void>((resolve) => setImmediate(resolve))
    const answers = turn.then(() => {
      next = null
      return ask([...keys])
    })
    return { keys, answers }
  }

  return async (key) => {
    next ??= begin()
    next.keys.add(key)
    return (await next.answers).get(key)
  }
}
