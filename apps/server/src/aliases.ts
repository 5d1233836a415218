import type { RouteOptions } from 'fastify'
import type { App } from './platform/http/app.ts'

/** The addresses that early integrators know, and what they stand for today. Same bodies, same answers. */
const ALIASES = [
  { method: 'POST', alias: '/register-dns', route: '/v1/names' },
  { method: 'POST', alias: '/register-username', route: '/v1/names' },
  { method: 'GET', alias: '/status/:id', route: '/v1/jobs/:id' },
  { method: 'POST', alias: '/pay', route: '/v1/payments' },
  { method: 'GET', alias: '/check-funds', route: '/v1/node' },
] as const

/** Adds every alias when its route is added; call it before the slices add theirs. */
export function addAliases(app: App): void {
  app.addHook('onRoute', function addAlias(route) {
    for (const { method, alias } of ALIASES.filter((known) => known.route === route.url)) {
      if (route.method !== method) continue
      const { prefix: _prefix, path: _path, routePath: _routePath, ...options } = route
      const schema = { ...route.schema, hide: true }
      // Added to the instance of the route, whose schemas' compilers it needs.
      this.route({ ...(options as RouteOptions), url: alias, schema })
    }
  })
}
