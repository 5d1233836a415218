/** The `ldk` backend: Lightning nodes in a worker thread, each durable in one SQLite file. */
export { startLdkHost } from './ldk/host.ts'
export type { HostLink, StartLink } from './ldk/host-link.ts'
export type {
  ChannelInfo,
  LdkHost,
  LdkHostOptions,
  LdkNode,
  LdkNodeOptions,
  Log as LdkLog,
  LogData as LdkLogData,
  OpenChannelRequest,
} from './ldk/types.ts'
