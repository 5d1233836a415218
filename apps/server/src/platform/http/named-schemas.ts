import { isDeepStrictEqual } from 'node:util'

type Json = null | boolean | number | string | readonly Json[] | JsonObject
type JsonObject = { readonly [name: string]: Json }

/**
 * An OpenAPI document in which each schema with a `title` stands once, under `components.schemas`, and is referred to
 * where it is used; what is said of one use (`description`) stays there. Throws when two schemas have one title.
 */
export function nameSchemas(document: JsonObject): JsonObject {
  const named = new Map<string, JsonObject>()
  const { paths = {}, components = {}, ...rest } = document
  const pathsByName = withReferences(paths, named)
  const schemas = Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))
  return { ...rest, components: { ...(components as JsonObject), schemas }, paths: pathsByName }
}

function withReferences(value: Json, named: Map<string, JsonObject>): Json {
  if (Array.isArray(value)) return value.map((each: Json) => withReferences(each, named))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([name, member]) => [name, withReferences(member, named)])
  const { title, description, ...schema }: JsonObject = Object.fromEntries(members)
  if (typeof title !== 'string' || schema.type !== 'object') return Object.fromEntries(members)
  const known = named.get(title)
  if (known && !isDeepStrictEqual(known, schema)) throw new Error(`Two schemas have the title ${title}.`)
  named.set(title, schema)
  const $ref = `#/components/schemas/${title}`
  return description === undefined ? { $ref } : { $ref, description }
}
