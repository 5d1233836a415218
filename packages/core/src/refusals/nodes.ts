import type { Catalogue } from './catalogue.ts'

/** The Lightning nodes of users. */
export const NODE_REFUSALS = {
  NODE_NOT_CONNECTED: {
    status: 409,
    title: 'No Lightning node is connected for this key.',
    hint: 'Connect a node first.',
  },
  NODE_OFFLINE: {
    status: 503,
    title: 'The Lightning node does not answer.',
    hint: 'Try again when the node is online.',
  },
  NODE_CANNOT: {
    status: 422,
    title: 'This Lightning node does not support that.',
    hint: 'Its capabilities are listed with the node.',
  },
} as const satisfies Catalogue
