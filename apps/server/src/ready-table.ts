/** What a start says once everything is up. */
export type Ready = {
  readonly url: string
  /** Where names resolve; null without the devnet. */
  readonly dns: { readonly host: string; readonly port: number; readonly anchorFile: string } | null
  readonly dataDir: string
  /** The folder of the embedded database, when it cannot be kept in the data folder. */
  readonly databaseElsewhere: string | null
  readonly seconds: number
}

export function readyTable({ url, dns, dataDir, databaseElsewhere, seconds }: Ready): string {
  const rows = [
    ['Web', url],
    ['API docs', `${url}/docs`],
    ...(dns
      ? [
          ['DNS', `${dns.host}:${dns.port} (UDP and TCP)`],
          ['Anchor', dns.anchorFile],
        ]
      : []),
    ['Data', dataDir],
    ...(databaseElsewhere
      ? [['Database', `${databaseElsewhere}, as PostgreSQL's user may not enter the data folder`]]
      : []),
  ]
  const lines = rows.map(([label, value]) => `  ${label?.padEnd(10)}${value}`)
  const next = dns ? '\n  npm run demo plays the story against it; Ctrl-C ends it.' : ''
  return `\n  Holdfast is ready (${seconds.toFixed(1)} s)\n\n${lines.join('\n')}\n${next}\n`
}
