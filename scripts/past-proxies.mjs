// The environment for a Node that we start: what it asks of this machine (bitcoind, our own server) goes past a proxy
// that NODE_USE_ENV_PROXY has it use. Plain JavaScript, because it must run on any Node >= 20.
export function pastProxies(env) {
  const listed = env.no_proxy ?? env.NO_PROXY
  if (listed === '*') return env
  const list = [listed, '127.0.0.1', 'localhost', '[::1]'].filter(Boolean).join(',')
  return { ...env, no_proxy: list, NO_PROXY: list }
}
