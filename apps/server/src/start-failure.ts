import { WorldError } from './embedded-world.ts'
import { type Config, ConfigError } from './platform/config.ts'
import { DataFolderBusyError, DataFolderError } from './platform/data-folder-lock.ts'
import { MigrationError } from './platform/migrate.ts'
import { PostgresError } from './platform/postgres/postgres-error.ts'
import { StartError } from './start-error.ts'

/** Their messages tell a person what is wrong and what to do. */
const EXPECTED = [
  StartError,
  ConfigError,
  DataFolderBusyError,
  DataFolderError,
  PostgresError,
  MigrationError,
  WorldError,
]

type ListenError = NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string }

/** What a person can do about a start that failed; null for a fault of ours, of which the stack is wanted. */
export function explainStartFailure(error: unknown, config: Config | null): string | null {
  if (EXPECTED.some((kind) => error instanceof kind)) return (error as Error).message
  return config && error instanceof Error ? explainListening(error, config) : null
}

/** listen(2), bind(2): a port that is not ours to take. */
function explainListening(error: ListenError, config: Config): string | null {
  const isDns = error.port === config.dnsPort && error.port !== config.port
  const [host, variable] = isDns ? ['127.0.0.1', 'HOLDFAST_DNS_PORT'] : [config.host, 'HOLDFAST_PORT']
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${error.port} of ${host} is taken. Stop the program that uses it, or name another in ${variable}.`
    case 'EACCES':
      return error.syscall === 'listen' || error.syscall === 'bind'
        ? `Port ${error.port} of ${host} may not be used by this user. Name one from 1024 in ${variable}.`
        : null
    case 'EINVAL':
      return isAboutTheHost(error) ? noSuchAddress(host) : null
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return noSuchAddress(host)
    default:
      return null
  }
}

/** An address with a zone that is not there, or a name that no resolver takes. */
function isAboutTheHost({ syscall }: ListenError): boolean {
  return syscall === 'listen' || syscall === 'bind' || syscall === 'getaddrinfo'
}

function noSuchAddress(host: string): string {
  return `This machine has no address ${host}. Name one of its own in HOLDFAST_HOST, such as 127.0.0.1.`
}
