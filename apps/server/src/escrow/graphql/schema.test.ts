import { expect, test } from 'vitest'
import { schemaText } from './schema.ts'

test('docs/api/schema.graphql is what the code serves; else run `npm run api-files`', async () => {
  await expect(schemaText()).toMatchFileSnapshot('../../../../../docs/api/schema.graphql')
})
