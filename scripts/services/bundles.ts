/** One set of programs out of Debian, unpacked together. */
export type Bundle = {
  readonly name: string
  /** Fixed, so that every machine tests against the same major versions. */
  readonly suite: string
  readonly packages: readonly string[]
  readonly without: RegExp
  /** Programs by their path in the packages; each gets a launcher `bin/<name>`. */
  readonly programs: readonly string[]
  /** What tells the tests where it is: the launcher of this name, or `bin` itself when empty. */
  readonly variables: Readonly<Record<string, string>>
}

const POSTGRES_BIN = 'usr/lib/postgresql/15/bin'

export const BUNDLES: readonly Bundle[] = [
  {
    name: 'bitcoind',
    suite: 'sid',
    packages: ['bitcoin-knots'],
    without: /^(libsystemd|libelogind|libaudit|libpam)/,
    programs: ['usr/bin/bitcoind'],
    variables: { HOLDFAST_BITCOIND: 'bitcoind' },
  },
  {
    name: 'knot',
    suite: 'bookworm',
    packages: ['knot'],
    without: /^(libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang)/,
    programs: ['usr/sbin/knotd', 'usr/sbin/knotc'],
    variables: { HOLDFAST_KNOTD: 'knotd', HOLDFAST_KNOTC: 'knotc' },
  },
  {
    name: 'dns-tools',
    suite: 'bookworm',
    packages: ['bind9-dnsutils'],
    without: /^(libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang)/,
    programs: ['usr/bin/dig', 'usr/bin/delv'],
    variables: { HOLDFAST_DIG: 'dig', HOLDFAST_DELV: 'delv' },
  },
  {
    name: 'bind',
    suite: 'bookworm',
    packages: ['bind9'],
    without: /^(libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang|libpython3)/,
    programs: ['usr/sbin/named'],
    variables: { HOLDFAST_NAMED: 'named' },
  },
  {
    name: 'powerdns',
    suite: 'bookworm',
    packages: ['pdns-server', 'pdns-backend-sqlite3'],
    without:
      /^(libsystemd|libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang|libpython3)/,
    programs: ['usr/sbin/pdns_server', 'usr/bin/pdnsutil'],
    variables: { HOLDFAST_PDNS_SERVER: 'pdns_server', HOLDFAST_PDNSUTIL: 'pdnsutil' },
  },
  {
    name: 'unbound',
    suite: 'bookworm',
    packages: ['unbound'],
    without:
      /^(libsystemd|libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang|libpython3)/,
    programs: ['usr/sbin/unbound'],
    variables: { HOLDFAST_UNBOUND: 'unbound' },
  },
  {
    name: 'postgres',
    suite: 'bookworm',
    packages: ['postgresql-15', 'postgresql-client-15'],
    // LLVM only serves the JIT compiler, which the tests leave off: 120 MB.
    without: /^(libllvm|libz3|libelogind|libperl|libdb5|libgdbm|libdebian-installer|libnewt|libslang)/,
    programs: ['initdb', 'postgres', 'pg_ctl', 'psql'].map((name) => `${POSTGRES_BIN}/${name}`),
    variables: { HOLDFAST_POSTGRES_BIN: '' },
  },
]
