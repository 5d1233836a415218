// npm run graphql-schema: writes docs/api/schema.graphql from the code.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { schemaText } from './schema.ts'

writeFileSync(join(import.meta.dirname, '../../../../../docs/api/schema.graphql'), schemaText())
