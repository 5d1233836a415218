// npm run api-files: writes what is published of the interfaces (docs/api) from the server's code, and from that the
// SDK's types and readers.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openApiText } from '../apps/server/src/describe-api.ts'
import { schemaText } from '../apps/server/src/escrow/graphql/schema.ts'
import { generateOperations } from '../packages/client/codegen/generate-operations.ts'
import { generateRest } from '../packages/client/codegen/generate-rest.ts'
import { REST_WANTED } from '../packages/client/codegen/rest-wanted.ts'

const at = (path: string) => join(import.meta.dirname, '..', path)
const sdk = (file: string) => at(join('packages/client/src', file))

const schema = schemaText()
const openApi = await openApiText()
writeFileSync(at('docs/api/schema.graphql'), schema)
writeFileSync(at('docs/api/openapi.json'), openApi)
const operations = readFileSync(sdk('escrow/operations.graphql'), 'utf8')
writeFileSync(sdk('escrow/operations.generated.ts'), generateOperations(schema, operations))
writeFileSync(sdk('rest.generated.ts'), generateRest(openApi, REST_WANTED))
