import { ServerProcess } from '../harness/server_process.ts'

/** Starts the naive version. */
export function startNaive(url: string): Promise<ServerProcess> {
  return ServerProcess.start({
    args: [...process.execArgv, 'bench/peers/naive_express.ts'],
    env: { NODE_ENV: 'production', DATABASE_URL: url },
    port: /listening on (\d+)/,
    patience: 60_000,
  })
}
