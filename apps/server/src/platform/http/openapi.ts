import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform } from 'fastify-type-provider-zod'
import type { App } from './app.ts'
import { nameSchemas } from './named-schemas.ts'

export type OpenApiInfo = { title: string; version: string; description: string; describe?: DescribeRoute }

/** What is to be said of a route besides its schema, as OpenAPI and JSON Schema have it. */
export type DescribeRoute = (route: {
  method: string
  url: string
  /** The statuses of its answers. */
  answers: ReadonlySet<string>
}) => { security?: readonly Readonly<Record<string, readonly string[]>>[]; headers?: object }

const ADD_VIEWPORT =
  'document.head.insertAdjacentHTML(\'beforeend\', \'<meta name="viewport" content="width=device-width, initial-scale=1">\')'

/** OpenAPI 3.1 at /openapi.json and a page to read and try it at /docs. Routes without a schema are not shown. */
export async function addOpenApi(
  app: App,
  { describe, ...info }: OpenApiInfo,
  publicUrl: string | null,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: publicUrl ? [{ url: publicUrl }] : [],
      components: {
        securitySchemes: {
          nostr: {
            type: 'http',
            scheme: 'Nostr',
            description: 'NIP-98: a signed kind 27235 event, base64, once per request.',
          },
          session: { type: 'http', scheme: 'bearer', description: 'A token of POST /v1/sessions.' },
        },
      },
    },
    transform: (input) => {
      const { schema, url } = input
      if (!schema || schema.hide) return { schema: { ...schema, hide: true }, url }
      const described = jsonSchemaTransform(input as Parameters<typeof jsonSchemaTransform>[0])
      const answers = new Set(Object.keys(schema.response ?? {}))
      const more = describe?.({ method: String(input.route.method), url, answers })
      return { ...described, schema: { ...described.schema, ...more } as typeof described.schema }
    },
    transformObject: (document) =>
      nameSchemas(('openapiObject' in document ? document.openapiObject : {}) as never) as never,
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { tryItOutEnabled: true },
    theme: {
      title: `${info.title} API`,
      css: [{ filename: 'page.css', content: '.swagger-ui .topbar { display: none }' }],
      // Its page has none, so a telephone shows it as wide as a desk.
      js: [{ filename: 'viewport.js', content: ADD_VIEWPORT }],
    },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
