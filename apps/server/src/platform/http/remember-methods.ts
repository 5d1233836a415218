import type { App } from './app.ts'

/** Answers which methods a URL may be asked with, in the order of the alphabet; none: there is nothing at it. */
export function rememberMethods(app: App): (url: string) => string[] {
  const routes: { path: RegExp; methods: string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    // What browsers ask beforehand, of any address.
    if (method === 'OPTIONS') return
    routes.push({ path: toRegExp(url), methods: [method].flat() })
  })
  return (url) => {
    const path = url.split('?', 1)[0]!
    const methods = routes.filter((route) => route.path.test(path)).flatMap((route) => route.methods)
    return [...new Set(methods)].sort()
  }
}

/** Of a pattern such as `/v1/names/:name/proof` or `/docs/static/*`. */
function toRegExp(pattern: string): RegExp {
  const source = pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[^/]+/g, '[^/]+')
    .replaceAll('*', '.*')
  return new RegExp(`^${source}$`)
}
