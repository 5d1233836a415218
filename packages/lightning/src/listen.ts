import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

/**
 * Binds a server and answers its port. What goes wrong with the listening socket later, such as a connection that the
 * system cannot accept, is told to `onFault` and the server goes on: without a listener Node would end the process.
 */
export async function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  onFault: (fault: Error) => void,
): Promise<number> {
  server.listen(port, host)
  // Rejects with the server's error, such as EADDRINUSE.
  await once(server, 'listening')
  server.on('error', onFault)
  return (server.address() as AddressInfo).port
}
