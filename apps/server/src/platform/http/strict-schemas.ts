import type { z } from 'zod'

type Def = {
  type: string
  shape?: Record<string, z.ZodType>
  catchall?: z.ZodType
  [inner: string]: unknown
}

/**
 * Throws when a request schema would drop unknown fields in silence: a misspelled optional field must be refused.
 * Run for every route when it is added, so that a forgotten `z.strictObject` shows at once.
 */
export function assertStrict(schema: unknown, where: string): void {
  visit(schema, where, new Set())
}

function visit(schema: unknown, where: string, seen: Set<unknown>): void {
  const def = defOf(schema)
  if (!def || seen.has(schema)) return
  seen.add(schema)
  if (def.type === 'object') {
    if (!def.catchall) throw new Error(`${where} accepts unknown fields: use z.strictObject`)
    for (const [name, field] of Object.entries(def.shape ?? {})) visit(field, `${where}.${name}`, seen)
    return
  }
  for (const inner of [def.innerType, def.element, def.left, def.right, def.in, def.out, def.valueType])
    visit(inner, where, seen)
  for (const inner of [...asList(def.options), ...asList(def.items)]) visit(inner, where, seen)
}

function defOf(schema: unknown): Def | null {
  if (typeof schema !== 'object' || schema === null || !('_zod' in schema)) return null
  return (schema as { _zod: { def: Def } })._zod.def
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
