import type { Outbound } from '../outbound/outbound-https.ts'
import type { App } from '../platform/http/app.ts'
import { type LightningAddresses, makeLightningAddresses } from './lightning-addresses.ts'
import { addResolveRoute } from './resolve.rest.ts'
import { makeResolver, type Resolver } from './resolver.ts'
import type { ResolveTxt } from './validations.ts'

export type ResolveSlice = {
  readonly resolver: Resolver
  readonly addresses: LightningAddresses
  routes(app: App): void
}

export function makeResolveSlice(deps: {
  resolveTxt: ResolveTxt
  outbound: Outbound
  clock: () => number
}): ResolveSlice {
  const resolver = makeResolver(deps)
  const addresses = makeLightningAddresses(deps)
  const { clock } = deps
  return { resolver, addresses, routes: (app) => addResolveRoute(app, { resolver, addresses, clock }) }
}
