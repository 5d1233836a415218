import { Secret } from '../secret.ts'

/**
 * Says all that `pg` would else take from variables such as PGSSLMODE and PGOPTIONS, which the shell has for other
 * databases.
 */
export function embeddedConnectionString(to: {
  role: string
  password: Secret<string>
  port: number | string
  /** Where its Unix socket is; null: by TCP. */
  socketFolder: string | null
  database: string
}): Secret<string> {
  const way = new URLSearchParams({
    sslmode: 'disable',
    sslnegotiation: 'postgres',
    replication: 'false',
    // `pg` takes an empty one for none.
    options: ' ',
  })
  if (to.socketFolder !== null) way.set('host', to.socketFolder)
  return new Secret(
    `postgres://${to.role}:${to.password.reveal()}@127.0.0.1:${to.port}/${to.database}?${way}`,
  )
}

/** The same connection, whose sessions begin with one more setting, as `role=somebody`. */
export function withSetting(connectionString: Secret<string>, setting: string): Secret<string> {
  const url = new URL(connectionString.reveal())
  const options = url.searchParams.get('options') ?? ''
  url.searchParams.set('options', `${options} -c ${setting}`.trim())
  return new Secret(url.href)
}
