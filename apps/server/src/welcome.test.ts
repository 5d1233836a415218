import Fastify from 'fastify'
import { expect, test } from 'vitest'
import type { App } from './platform/http/app.ts'
import { addWelcomePage } from './welcome.ts'

test('the page at / names the domains and leads to the API, and loads nothing from elsewhere', async () => {
  const app = Fastify()
  addWelcomePage(app as unknown as App, { domains: ['shop.test', 'market.test'] })
  const response = await app.inject('/')
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-security-policy']).toContain("default-src 'none'")
  expect(response.body).toContain('shop.test, market.test')
  for (const path of ['/docs', '/schema.graphql', '/problems'])
    expect(response.body).toContain(`href="${path}"`)
  expect(response.body).toMatch(/<b><svg role="img" aria-label="₿".*<\/svg>alice@shop\.test<\/b>/)
  expect(response.body).not.toMatch(/<script|https?:/)
})
