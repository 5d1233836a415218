import { expect, test } from 'vitest'
import { openApiText } from './describe-api.ts'

test('docs/api/openapi.json is what the routes say; else run `npm run api-files`', async () => {
  await expect(await openApiText()).toMatchFileSnapshot('../../../docs/api/openapi.json')
})
