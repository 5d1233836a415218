import type { JsonObject } from '@holdfast/core'
import type { ColumnType } from 'kysely'

export type JournalTable = {
  lane: number
  position: bigint
  stream: string
  entity_id: string
  seq: bigint
  kind: string
  data: ColumnType<JsonObject, string, never>
  actor: string
  at: Date
  prev_hash: Buffer
  hash: Buffer
}

export type JournalFollowerTable = { name: string; lane: number; position: bigint }
